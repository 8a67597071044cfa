"""The step tree on the console: each top-level GROUP of a set-up, test or teardown is a line, live.

It uses Robot's own verbose console for writing, so that width, colours and encoding are as the user asked for, and is
silent with every other console. Robot's progress dots rest while steps are shown.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.progress import PROGRESS, Wait
from harness.secrets import SECRETS

from . import tree
from .robot_internals import flush_output, running, verbose_console

if TYPE_CHECKING:
    from robot import result
    from robot import running as data
    from robot.api.console import VerboseConsole

    from .screen import Screen


FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0
"""Seconds between lines about a wait where they cannot be written in place: they double."""
CLEAR = "\r\x1b[2K"
"""Goes to the start of the line and clears it (ECMA-48)."""


class StepTree:
    """Listener that draws the steps of a run.

    Args:
        screen: the standard streams.
        ended: is told of each step that is over, with Robot's result of its group, while that is still open.
    """

    ROBOT_LISTENER_PRIORITY = -10  # after RetryFailed, whose verdict on a test it tells

    def __init__(self, screen: Screen, ended: Callable[[tree.Step, Any], object]) -> None:
        self._screen = screen
        self._ended = ended
        self._groups: list[Any] = []
        self._step: tree.Step | None = None
        self._drawn = False
        self._markers = False
        self._drawing = threading.RLock()
        self._noted = False
        self._tell_at = 0.0
        self._pause = FIRST_PAUSE

    @property
    def step(self) -> tree.Step | None:
        """The step that is running."""
        return self._step

    def start_suite(self, _data: data.TestSuite, _result: result.TestSuite) -> None:
        """Nothing is open when a suite begins."""
        PROGRESS.teller = self.told
        self._forget()

    def start_test(self, _data: data.TestCase, _result: result.TestCase) -> None:
        """Nor when a test does."""
        self._forget()

    def start_group(self, _data: data.Group, result: result.Group) -> None:
        """A step begins, unless it is part of another."""
        known = any(group is result for group in self._groups)  # the library is imported twice, by two names
        if known or result.status == "NOT RUN" or not result.name or not running():
            return
        self._groups.append(result)
        if len(self._groups) == 1:
            self._tell_at, self._pause = 0.0, FIRST_PAUSE
            with self._drawing:
                self._step = tree.Step(result.name)
                self._begin(self._step)
            flush_output()

    def end_group(self, _data: data.Group, result: result.Group) -> None:
        """The step ends."""
        if not self._groups or self._groups[-1] is not result:
            return
        self._groups.pop()
        if not self._groups and self._step:
            with self._drawing:
                step, self._step, self._noted = self._step, None, False
                step.status = result.status
                step.seconds = result.elapsed_time.total_seconds()
                self._end(step)
            self._ended(step, result)

    def end_keyword(self, _data: data.Keyword, result: result.Keyword) -> None:
        """Steps of a suite's set-up or teardown are set off from what follows."""
        console = verbose_console()
        if self._drawn and console and result.type in ("SETUP", "TEARDOWN") and hasattr(result.parent, "suites"):
            console.test_separator()
            self._forget()

    def end_test(self, _data: data.TestCase, result: result.TestCase) -> None:
        """The last line of a test, which Robot completes with its status."""
        console = verbose_console()
        if self._drawn and console:
            self._on_new_line(console)
            console.write(tree.closing(result.status, result.message, self._look(console)))
        self._forget()

    def told(self, wait: Wait | None) -> None:
        """Shows what is waited for: on a terminal behind the step's name, elsewhere in a line now and then."""
        with self._drawing:
            console = verbose_console()
            if console is None or self._step is None:
                return
            if wait is None:
                self._rest_note(console)
            elif in_place() and (self._screen.open_line or self._noted):
                self._note(console, self._step, f"{wait.time}: {wait.seen()}")
            elif time.monotonic() >= self._tell_at:
                self._on_new_line(console)
                look = self._look(console)
                console.write(f"{look.beside}{tree.shortened(SECRETS.redact(str(wait)), 2 * console.width)}\n")
                self._tell_at = time.monotonic() + self._pause
                self._pause = min(LONGEST_PAUSE, 2 * self._pause)

    def _note(self, console: VerboseConsole, step: tree.Step, text: str) -> None:
        self._screen.open_line = False
        line = tree.begun(step, self._look(console))
        console.write(f"{CLEAR}{line} {tree.shortened(SECRETS.redact(text), console.width - len(line) - 2)}")
        self._screen.open_line = self._noted = True

    def _rest_note(self, console: VerboseConsole) -> None:
        if self._noted and self._step:
            self._noted = self._screen.open_line = False
            console.write(f"{CLEAR}{tree.begun(self._step, self._look(console))}")
            self._screen.open_line = True

    def _begin(self, step: tree.Step) -> None:
        console = verbose_console()
        if console is None:
            return
        self._rest_markers(console)
        self._on_new_line(console)
        self._drawn = True
        console.write(tree.begun(step, self._look(console)))
        self._screen.open_line = True

    def _end(self, step: tree.Step) -> None:
        console = verbose_console()
        if console is None:
            return
        look = self._look(console)
        interrupted = not self._screen.open_line
        self._screen.open_line = False
        if interrupted:
            self._on_new_line(console)
            console.write(tree.begun(step, look), flush=False)
        outcome, status, time = tree.ended(step, look)
        console.write(outcome, flush=False)
        if status:
            console.highlight(status, flush=False)
        console.write(time)

    def _on_new_line(self, console: VerboseConsole) -> None:
        self._screen.open_line = False
        if not self._screen.at_line_start:
            console.write("\n")

    def _rest_markers(self, console: VerboseConsole) -> None:
        if not console.markers_enabled:
            return
        self._markers, console.markers_enabled = True, False
        if console.marker_count:
            console.clear()
            console.write(console.current_info)
            console.marker_count = 0

    def _forget(self) -> None:
        self._groups, self._step, self._drawn = [], None, False
        self._screen.open_line = False
        console = verbose_console()
        if self._markers and console:
            console.markers_enabled = True
        self._markers = False

    def _look(self, console: VerboseConsole) -> tree.Look:
        return tree.Look(console.width, _draws_lines())


def in_place() -> bool:
    """Whether a line on the screen can be written anew: on a terminal that a person may watch."""
    out = sys.__stdout__
    return out is not None and out.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("CI")


def _draws_lines() -> bool:
    try:
        "├└─".encode(getattr(sys.__stdout__, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
