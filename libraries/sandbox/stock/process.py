"""`python -m sandbox.stock.process [watchdog]`: the node agent, or its watchdog, ended when the sandbox is gone."""

from __future__ import annotations

import os
import sys
import threading
import time

from propagator_server.stock.chart.node_agent import __main__ as agent
from propagator_server.stock.chart.node_agent import watchdog

_PARENT_CHECK_SECONDS = 0.5


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_PARENT_CHECK_SECONDS)
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()
    sys.exit((watchdog if sys.argv[1:] == ["watchdog"] else agent).main())
