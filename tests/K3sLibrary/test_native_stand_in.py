"""The stand-in for k3s ends as k3s does when it is called wrongly or finds its port taken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from . import native_stand_in

TAKEN = """
import socket, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
with socket.create_server(("0.0.0.0", 6443)):
    ended = subprocess.run(sys.argv[1:], capture_output=True, text=True, timeout=60)
print(ended.stderr)
raise SystemExit(ended.returncode)
"""


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Runs it."""
    file = native_stand_in.executable(folder)
    return subprocess.run([file, *words], capture_output=True, text=True, check=False, timeout=60)


def test_it_has_a_version(tmp_path: Path) -> None:
    assert call(tmp_path, "--version").stdout.startswith("k3s version v1.34.2+k3s1")


@pytest.mark.parametrize("words", [["server", "--no-such-flag"], ["agent"], ["server", "--data-di=/tmp"]])
def test_what_it_does_not_know_ends_it(words: list[str], tmp_path: Path) -> None:
    ended = call(tmp_path, *words)
    assert ended.returncode == 1
    assert "level=fatal" in ended.stderr


def test_a_port_that_is_taken_ends_it(tmp_path: Path) -> None:
    if reason := native_stand_in.why_not():
        pytest.skip(reason)
    file = native_stand_in.executable(tmp_path)
    server = [str(file), "server", f"--data-dir={tmp_path / 'data'}", f"--write-kubeconfig={tmp_path / 'k3s.yaml'}"]
    ended = subprocess.run(
        [*native_stand_in.NAMESPACES, sys.executable, "-c", native_stand_in.SHIELD + TAKEN, *server],
        env=native_stand_in.environment(tmp_path),
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert ended.returncode == 1, ended.stderr
    assert "failed to listen on port 6443" in ended.stdout
    assert not (tmp_path / "k3s.yaml").exists()
