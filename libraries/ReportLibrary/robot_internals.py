"""The few places where Robot Framework has no public way. Its version is pinned, and tests hold each of these.

`robot.output.logger.LOGGER` calls, for each event, its loggers in this order: at a start first the "other" loggers,
then console and output file, last the listeners; at an end the listeners first and the "other" loggers last
(robot/output/logger.py, `start_loggers` and `end_loggers`, 7.5).
"""

from __future__ import annotations

from typing import Any

from robot.api.console import BaseConsole, NoneConsole, QuietConsole, VerboseConsole
from robot.output.listeners import ListenerFacade
from robot.output.logger import LOGGER
from robot.running.context import EXECUTION_CONTEXTS


def talking_console() -> BaseConsole | None:
    """Robot's own console where it tells of a run: `verbose` and `dotted`, or one of the user's made from them."""
    facade: Any = LOGGER._console
    console = getattr(facade, "listener", None)
    if not isinstance(console, BaseConsole) or isinstance(console, QuietConsole | NoneConsole):
        return None
    return console


def verbose_console() -> VerboseConsole | None:
    """Robot's console where it is the verbose one, which has room for steps."""
    console = talking_console()
    return console if isinstance(console, VerboseConsole) else None


class Outermost:
    """Puts a listener-like object around all others: first at each start, last at each end, in all suites of a run."""

    def __init__(self, listener: object) -> None:
        self._facade: Any = ListenerFacade.create(listener)

    def attach(self) -> None:
        """From now on; does nothing when it is attached. Robot forgets it at the end of a run."""
        if self._facade not in LOGGER._other_loggers:
            LOGGER._other_loggers.insert(0, self._facade)

    def detach(self) -> None:
        """No longer."""
        LOGGER.unregister_logger(self._facade)


def flush_output() -> None:
    """Writes what Robot Framework holds back of output.xml: should the run be killed, it is there."""
    output: Any = LOGGER._output_file
    writer = getattr(getattr(output, "real_logger", None), "_writer", None)
    if file := getattr(writer, "output", None):
        file.flush()


def running() -> bool:
    """Whether a run is going on that does real work, so not a `--dryrun`."""
    context: Any = EXECUTION_CONTEXTS.current
    return context is not None and not context.dry_run


def current_suite() -> Any:
    """The result of the suite that is running."""
    return EXECUTION_CONTEXTS.current.suite
