"""`python -m node_agent.watchdog`: a container of its own that thaws what a dead agent left frozen."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from .freezer import thaw_what_is_left
from .shelf import FOLDER

NOTES = "frozen.json"
_LOOK_EVERY = 0.5


def main() -> int:
    """Looks until SIGTERM, and then as long as something is frozen: the agent ends at the same time."""
    notes = Path(os.environ.get("CHECKPOINT_DIR") or "/checkpoints") / FOLDER / NOTES
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    while not ended.is_set() or notes.exists():
        if thawed := thaw_what_is_left(notes, now=False):
            print(f"watchdog: thawed {', '.join(map(str, thawed))}", file=sys.stderr, flush=True)
        time.sleep(_LOOK_EVERY) if ended.is_set() else ended.wait(_LOOK_EVERY)
    return 0


if __name__ == "__main__":
    sys.exit(main())
