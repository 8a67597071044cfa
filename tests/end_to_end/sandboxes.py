"""Sandboxes that several runs share, one after the other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

from .cluster_state import difference, standing
from .journal import Journal
from .runner import ROOT

Facts = dict[str, Any]
Prepare = Callable[[Facts], AbstractContextManager[dict[str, str]]]
SLOWLY = {"pod_start": 0.6, "pod_stop": 0.2, "checkpoint": 0.4, "restore": 0.3}
UNHURRIED = tuple(part for name, seconds in SLOWLY.items() for part in ("--latency", f"{name}={seconds}"))
"""Each step takes long enough to be met in the midst of it."""


@contextmanager
def started(*options: str) -> Iterator[Facts]:
    """A sandbox of two nodes; what its JSON line says, and its `pid`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox", "--nodes", "2", *options],
        env=os.environ | {"PYTHONPATH": str(ROOT / "libraries")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert line, f"the sandbox ended with status {process.wait()}"
        yield json.loads(line) | {"pid": process.pid}
    finally:
        process.terminate()
        process.wait(60)  # seconds, on a loaded machine


def settings_of(sandbox: Facts) -> dict[str, str]:
    """The settings with which a run uses that sandbox as it would use any cluster."""
    return {
        "PROVIDER": "existing",
        "KUBECONFIG": sandbox["kubeconfig"],
        "CEDANA_URL": sandbox["propagator_url"],
        "CEDANA_AUTH_TOKEN": sandbox["token"],
        "HELM_CHART": sandbox["chart"],
    }


@dataclass
class Place:
    """A sandbox, the settings of runs on it, and what stands in it when none is there."""

    sandbox: Facts
    settings: dict[str, str]
    before: dict[str, list[str]]

    @property
    def journal(self) -> Journal:
        """What was asked of it."""
        return Journal(self.sandbox["admin_url"])

    def left(self) -> list[str]:
        """What differs from before; empty when all is as it was."""
        return difference(self.before, standing(self.sandbox))


class Places:
    """A sandbox for run after run. It is replaced after `most` runs, so that its journal stays quick to read.

    Args:
        prepare: what is done in a new sandbox; gives settings of the runs beyond those that reach it.
    """

    def __init__(self, prepare: Prepare, most: int = 4) -> None:
        self._prepare, self._most = prepare, most
        self._stack = ExitStack()
        self._place: Place | None = None
        self._runs = 0

    def next(self) -> Place:
        """The place for the next run."""
        if self._place is None or self._runs >= self._most:
            self.close()
            self._place = self._open()
        self._runs += 1
        return self._place

    def discard(self) -> None:
        """A run has left something: it must not be charged to the next one."""
        self._place = None
        self.close()

    def close(self) -> None:
        """Ends the sandbox; what a run has left in it by then fails."""
        place, self._place, self._runs = self._place, None, 0
        with self._stack:
            assert not place or place.left() == []

    def _open(self) -> Place:
        sandbox = self._stack.enter_context(started(*UNHURRIED))
        more = self._stack.enter_context(self._prepare(sandbox))
        return Place(sandbox, settings_of(sandbox) | more, standing(sandbox))
