"""`python -m propagator_server`: one JSON line on stdout when it serves; ends on a signal or with its parent."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sqlite3
import sys

from kubernetes.config import ConfigException

from .backend import BackendError
from .commandline import Options, parse
from .server import Server
from .stock.cluster import StockCluster
from .stock.preflight import told

_PARENT_CHECK_SECONDS = 0.5


async def run(options: Options) -> None:
    """Serves until a signal comes or the parent is gone."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    server = Server(options)
    try:
        print(json.dumps(await server.start()), flush=True)
        await _end(options.parent, ended)
    finally:
        await server.stop()


async def look(options: Options) -> None:
    """Prints what the clusters can do."""
    for file, context in options.clusters:
        cluster = StockCluster(file, context, options.namespace)
        print(await told(cluster, options.namespace, options.preflight))


async def _end(parent: int | None, ended: asyncio.Event) -> None:
    while not ended.is_set() and parent in (None, os.getppid()):
        try:
            await asyncio.wait_for(ended.wait(), _PARENT_CHECK_SECONDS if parent else None)
        except TimeoutError:
            continue


def main() -> int:
    """Runs it; what makes it impossible is said in a sentence."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    options = parse(sys.argv[1:])
    try:
        asyncio.run(look(options) if options.preflight else run(options))
    except (ConfigException, BackendError, OSError, sqlite3.Error) as wrong:
        print(f"propagator_server: {wrong}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
