"""The scripts of the workloads that write files do under a real shell what the suites count on."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from tests.end_to_end.runner import ROOT

from harness.images import pod_specs
from harness.waiting import Done, Pending, wait_until

pytestmark = pytest.mark.skipif(not shutil.which("sh"), reason="needs a real sh")


@contextmanager
def running(manifest: str, root: Path) -> Iterator[None]:
    """The first container's command, with /tmp, /srv, /etc and /data below `root`."""
    documents = [*yaml.safe_load_all((ROOT / "resources" / "workloads" / manifest).read_text())]
    spec = next(spec for one in documents for spec in pod_specs(one))
    script = spec["containers"][0]["command"][2]
    for name in ("tmp", "srv", "etc", "data"):  # /tmp first: `root` may be in it
        (root / name).mkdir()
        script = script.replace(f"/{name}/", f"{root}/{name}/")
    process = subprocess.Popen(["sh", "-c", script], stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until(path: Path, lines: int) -> list[str]:
    """The lines of a file, once it has so many."""

    def look():
        found = path.read_text().splitlines() if path.exists() else []
        return Done(found) if len(found) >= lines else Pending(f"{len(found)} lines")

    return wait_until(look, timeout=20, expected=f"{path} to have {lines} lines")


def test_a_process_carries_its_order_out_once(tmp_path):
    with running("files.yaml", tmp_path):
        (tmp_path / "etc" / "motd").write_text("hello\n")
        (tmp_path / "etc" / "alpine-release").write_text("3\n")
        files = tmp_path / "srv" / "files"
        (tmp_path / "tmp" / "order").write_text("value\n")
        assert until(files / "done", 1) == ["value"]
        assert (files / "below" / "marker").read_text() == "value\n"
        assert (files / "below" / "marker").stat().st_mode & 0o777 == 0o640
        assert (tmp_path / "etc" / "alpine-release").read_text() == "changed value\n"
        assert not (tmp_path / "etc" / "motd").exists()
        assert not (tmp_path / "tmp" / "order").exists()


def test_a_process_keeps_its_place_in_open_files(tmp_path):
    with running("open-files.yaml", tmp_path):
        journal = tmp_path / "srv" / "files" / "journal"
        found = until(journal, 3)
        assert found == [f"{n} {n} {n}" for n in range(1, len(found) + 1)]
        assert not journal.with_name("nameless").exists()


def test_a_process_writes_into_its_claim_once(tmp_path):
    with running("stateful.yaml", tmp_path):
        data = tmp_path / "data"
        (data / "order").write_text("value\n")
        assert until(data / "marker", 1) == [f"value of {socket.gethostname()}"]
        wait_until(
            lambda: Done(None) if (data / "marker").stat().st_mode & 0o777 == 0o640 else Pending("another"),
            timeout=20,
            expected="the marker's mode to be 640",
        )
        assert not (data / "order").exists()
