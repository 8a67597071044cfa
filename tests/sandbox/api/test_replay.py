"""The recorded requests of a real server, replayed against the sandbox."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

REPLAY = Path(__file__).resolve().parents[4] / "shared" / "conformance" / "replay.py"


def test_answers_are_a_real_servers(sandbox) -> None:
    if not REPLAY.exists():
        pytest.skip(f"no recorded requests at {REPLAY}")
    command = [sys.executable, str(REPLAY), "--kubeconfig", sandbox["kubeconfig"]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
