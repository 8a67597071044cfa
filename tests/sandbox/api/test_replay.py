"""The recorded requests of a real server, replayed against the sandbox."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPLAY = Path(__file__).resolve().parents[4] / "shared" / "conformance" / "replay.py"

EXCEPTIONS = {
    "storage/claim": "the sandbox has a default StorageClass, as k3s has; the recorded server had none",
}


def test_answers_are_a_real_servers(sandbox) -> None:
    if not REPLAY.exists():
        pytest.skip(f"no recorded requests at {REPLAY}")
    done = subprocess.run(
        [sys.executable, str(REPLAY), "--kubeconfig", sandbox["kubeconfig"]],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    lines = [line.strip() for line in done.stdout.splitlines() if line.startswith("  ")]
    unexpected = [line for line in lines if line.partition(": ")[0] not in EXCEPTIONS]
    assert not unexpected, "\n".join(unexpected)
    assert "answers are a real server's" in done.stdout, done.stdout + done.stderr
