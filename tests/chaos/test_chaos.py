"""A few lifecycles of the campaign; `python -m tests.full` runs the whole one."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.end_to_end.runner import ROOT


def test_a_few_lifecycles_while_calls_fail() -> None:
    command = [sys.executable, "-m", "tests.chaos", "--lifecycles", "6", "--workers", "3"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 double sends, 0 wrong verdicts, 0 endless waits, 0 untrue failures" in done.stdout
