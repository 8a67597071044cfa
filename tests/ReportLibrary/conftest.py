"""Runs Robot Framework as users do, in a process of its own."""

import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from robot.api import ExecutionResult
from tests.ReportLibrary import forked

HERE = Path(__file__).parent
INTERPRETERS = {"PYTHONIOENCODING"}
"""What only a new interpreter reads."""
ROOT = HERE.parents[1]


@dataclass
class Run:
    """A finished run: its console and its output directory."""

    console: str
    out: Path
    returned: int

    @property
    def lines(self):
        """The console with times set to 0.0 and without what stands at line ends."""
        text = self.console.replace("\r\n", "\n").replace(str(self.out), "OUT")
        return [re.sub(r"\d\.\d s$", "0.0 s", line.rstrip()) for line in text.splitlines()]

    @property
    def squeezed(self):
        """The same with one blank where there are several."""
        return [re.sub(r"(?<=\S) +", " ", line) for line in self.lines]

    @property
    def result(self):
        return ExecutionResult(self.out / "output.xml")

    def bytes(self):
        """Every byte that the run left."""
        files = [file for file in self.out.rglob("*") if file.is_file()]
        return {file.name: file.read_bytes() for file in files} | {"console": self.console.encode()}


def command(out, suites, options):
    paths = [str(HERE / "suites" / suite) for suite in suites]
    return [sys.executable, "-m", "robot", "--outputdir", str(out), *options, *paths]


def environment(extra):
    unwanted = ("ROBOT_", "PYTHONIOENCODING")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(unwanted)}
    return inherited | {"PYTHONPATH": str(ROOT / "libraries"), "PYTHONIOENCODING": "utf-8"} | extra


@pytest.fixture(scope="session")
def robot(tmp_path_factory):
    """Runs suites: `robot("leaks.robot", "--loglevel", "TRACE")`; suites are those of this folder."""

    def run(*words, env=None, with_errors=True):
        suites = [word for word in words if word.endswith((".robot", "/"))]
        options = [word for word in words if word not in suites]
        out = tmp_path_factory.mktemp("run") / "out"
        arguments, variables, console = command(out, suites, options), environment(env or {}), out.parent / "console"
        if env and INTERPRETERS & env.keys():
            with console.open("wb") as stream:
                done = subprocess.run(
                    arguments, env=variables, stdout=stream, stderr=subprocess.STDOUT, check=False, timeout=300
                )
            returned = done.returncode
        else:
            returned = forked.run(arguments[3:], variables, console, console if with_errors else os.devnull)
        return Run(console.read_text(encoding="utf-8"), out, returned)

    return run


@pytest.fixture(scope="session")
def robot_on_terminal(tmp_path_factory):
    """The same with a terminal of 80 columns as its standard streams."""

    def run(suite, *options):
        out = tmp_path_factory.mktemp("run") / "out"
        ours, its = pty.openpty()
        process = subprocess.Popen(
            command(out, [suite], options), env=environment({}), stdin=its, stdout=its, stderr=its
        )
        os.close(its)
        console = b"".join(iter(lambda: read(ours), b""))
        os.close(ours)
        return Run(console.decode(), out, process.wait(300))

    return run


def read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux: the other side is closed
        return b""


@pytest.fixture
def golden():
    """Compares lines with a file under expected/; `UPDATE_EXPECTED=1` writes it instead."""

    def compare(name, lines):
        file = HERE / "expected" / name
        if os.environ.get("UPDATE_EXPECTED"):
            file.write_text("\n".join(lines) + "\n")
        assert lines == file.read_text().splitlines()

    return compare
