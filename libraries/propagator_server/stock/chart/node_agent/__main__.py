"""`python -m node_agent`: serves until SIGTERM; one JSON line on stdout says where."""

from __future__ import annotations

import json
import signal
import sys
import threading
from types import FrameType

from . import settings as settings_of
from .agent import Agent

SWEEP_EVERY = 10.0
"""Seconds."""


def main() -> int:
    """Runs the agent of this node."""
    try:
        agent = Agent(settings_of.read())
    except (ValueError, OSError) as wrong:
        print(f"node agent: {wrong}", file=sys.stderr)
        return 2
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    agent.start()
    print(json.dumps(agent.shown()), flush=True)
    while not ended.wait(SWEEP_EVERY):
        agent.sweep()
    agent.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
