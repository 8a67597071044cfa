"""`python -m sandbox`: one JSON line on stdout when everything serves; ends on SIGTERM, SIGINT or its parent's end."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .server import Options

_PARENT_CHECK_SECONDS = 0.5


async def run(options: Options, started_by: int) -> None:
    """Serves until a signal comes or, unless it may outlive it, the parent is gone."""
    from .server import Sandbox

    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    sandbox = Sandbox(options)
    try:
        print(json.dumps(await sandbox.start()), flush=True)
        gc.freeze()
        gc.enable()
        await (ended.wait() if options.outlive_parent else _end(options.parent or started_by, ended))
    finally:
        await sandbox.stop()


async def _end(parent: int, ended: asyncio.Event) -> None:
    while not ended.is_set() and os.getppid() == parent:
        try:
            await asyncio.wait_for(ended.wait(), _PARENT_CHECK_SECONDS)
        except TimeoutError:
            continue


def main() -> None:
    """Starts quickly: nothing that is imported becomes garbage, so the collector need not look at it."""
    started_by = os.getppid()
    gc.disable()
    from .commandline import parse

    asyncio.run(run(parse(sys.argv[1:]), started_by))


if __name__ == "__main__":
    main()
