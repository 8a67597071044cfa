"""The GPU's witness: its shell prints what every witness prints; the CUDA program itself needs a GPU."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from ContinuityLibrary import witness

MANIFEST = Path(__file__).parents[2] / "resources" / "workloads" / "gpu.yaml"
NONCE = "0123456789abcdef"


@pytest.fixture(scope="module")
def script() -> str:
    pod = yaml.safe_load(MANIFEST.read_text())
    (container,) = pod["spec"]["containers"]
    text: str = container["command"][2]
    return text


def test_the_shell_chains_what_the_program_reads_from_the_gpu(script: str, tmp_path: Path) -> None:
    fake = tmp_path / "nvcc"
    fake.write_text(
        f'#!/bin/sh\nprintf \'#!/bin/sh\\nfor n in 1 2 3; do echo "{NONCE} $n"; done\\n\' > "$2"; chmod +x "$2"\n'
    )
    fake.chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", script.replace("/tmp/", f"{tmp_path}/")],  # noqa: S108 - the container's, moved into the test's
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    steps = [witness.parse(line) for line in done.stdout.splitlines()]
    assert [(step.nonce, step.number) for step in steps if step] == [(NONCE, 1), (NONCE, 2), (NONCE, 3)]
    assert all(step is not None and witness.follows(step) for step in steps)
    assert (tmp_path / "started").read_text() == "yes\n"


def test_the_programs_period_is_that_of_the_witness(script: str) -> None:
    found = re.search(r"usleep\((\d+)\)", script)
    assert found is not None
    assert int(found[1]) / 1e6 == witness.PERIOD
