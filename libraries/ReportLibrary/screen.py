"""The process's own standard streams, watched: nothing secret passes, and it is known where the cursor stands.

Robot writes to `sys.__stdout__` from many places (test names, `Log To Console`, warnings), some of which no listener
sees beforehand. All of them call the stream's `write`, which is replaced on the stream object itself.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any, TextIO


class Screen:
    """Watches `sys.__stdout__` and `sys.__stderr__` from `install` to `remove`.

    Attributes:
        at_line_start: whether the cursor stands at the start of a line.
        open_line: set by whoever has begun a line and means to complete it. Text from anybody else then goes to a
            line of its own, and `open_line` is false again.
    """

    def __init__(self, redact: Callable[[str], str]) -> None:
        self._redact = redact
        self._streams: list[TextIO] = []
        self.at_line_start = True
        self.open_line = False

    def install(self) -> None:
        """Begins to watch; does nothing when it does already."""
        if self._streams:
            return
        out, err = sys.__stdout__, sys.__stderr__
        for stream in (out, err):
            if stream is not None and hasattr(stream, "__dict__"):
                visible = stream is out or _same_place(out, stream)
                vars(stream)["write"] = self._writer(stream.write, out, visible)
                self._streams.append(stream)

    def remove(self) -> None:
        """Gives the streams back as they were."""
        for stream in self._streams:
            vars(stream).pop("write", None)
        self._streams = []

    def _writer(self, write: Callable[[str], int], out: TextIO | None, visible: bool) -> Callable[[str], int]:
        def watched(text: str) -> int:
            text = self._redact(text)
            if visible and text:
                if self.open_line and out is not None:
                    self.open_line = False
                    out.write("\n")
                    out.flush()
                self.at_line_start = text.endswith("\n")
            return write(text)

        return watched


def _same_place(out: TextIO | None, err: Any) -> bool:
    """Whether both streams end in the same terminal or file."""
    try:
        return out is not None and os.path.sameopenfile(out.fileno(), err.fileno())
    except (OSError, ValueError):
        return True
