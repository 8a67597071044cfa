"""The ten keywords of docs/by_hand.md, typed into the shell that it tells of."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.end_to_end.runner import QUICK, ROOT, Folders, command

SHELL = "docs/by_hand.robot"
PROMPT = re.compile(r"> [^\n]*$")
QUESTION, ANSWER = "\x1b[6n", b"\x1b[1;1R"
"""The shell asks the terminal where its cursor is."""


def lines() -> list[str]:
    """What is to be typed."""
    text = (ROOT / "docs" / "by_hand.md").read_text()
    block = re.search(r"^```robotframework\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert block
    return block[1].splitlines()


def test_they_are_ten_and_there_are_such_keywords(tmp_path: Path) -> None:
    typed = lines()
    assert len(typed) == 10
    head = f"*** Settings ***\nResource    {ROOT}/resources/lifecycle.resource\n\n*** Test Cases ***\nTyped\n"
    suite = tmp_path / "typed.robot"
    suite.write_text(head + "".join(f"    {line}\n" for line in typed))
    nowhere = ["--output", "NONE", "--log", "NONE", "--report", "NONE"]
    ran = [sys.executable, "-m", "robot", "--dryrun", *nowhere, str(suite)]
    assert subprocess.run(ran, check=False).returncode == 0


class Terminal:
    """A program in a terminal of its own."""

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        here, there = pty.openpty()
        self._file = here
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdin=there, stdout=there, stderr=there, start_new_session=True
        )
        os.close(there)

    def read_until(self, pattern: re.Pattern[str], seconds: float = 60) -> str:
        """What was printed until the pattern matched, without the codes that move cursor and colours."""
        said, deadline = "", time.monotonic() + seconds
        while not pattern.search(said):
            assert time.monotonic() < deadline, f"{pattern.pattern!r} did not come:\n{said}"
            if not select.select([self._file], [], [], 0.2)[0]:
                continue
            chunk = os.read(self._file, 65536).decode(errors="replace")
            if QUESTION in chunk:
                os.write(self._file, ANSWER)
            said += re.sub(r"\x1b\[[0-9;?]*[ -/]*[a-zA-Z]|\r", "", chunk)
        return said

    def type(self, line: str) -> None:
        """Types a line and Enter."""
        os.write(self._file, line.encode())
        self.read_until(re.compile(re.escape(line[-6:])))
        os.write(self._file, b"\r")


@pytest.mark.slow
def test_they_work_when_they_are_typed(tmp_path: Path) -> None:
    folders = Folders.below(tmp_path)
    environment = folders.environment(TERM="xterm", RFDEBUG_HISTORY=str(tmp_path / "history"))
    terminal = Terminal(command(folders, *QUICK, what=SHELL), environment)
    terminal.read_until(re.compile("Type .help. for more information"))
    for line in lines():
        terminal.type(line)
        said = terminal.read_until(re.compile(r"ΔT"))
        assert "FAIL" not in said
        assert "rror:" not in said
    terminal.type("exit")
    terminal.read_until(re.compile("1 test, 1 passed, 0 failed"))
    assert terminal.process.wait(30) == 0
    assert folders.left() == []
