"""Faults in a sandbox as a whole: the gates that everything goes through, and what is on from the start."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..api.journal import Journal
from .declaration import Fault
from .engine import Faults
from .scene import Gate, Scene, Serve
from .works import Works

if TYPE_CHECKING:
    from propagator_server.backend import Backend
    from propagator_server.service import Service

    from ..cedana.backend import EmulatedBackend
    from ..cluster import Cluster

Asked = tuple[Fault, Mapping[str, str]]


@dataclass(frozen=True)
class Below:
    """The propagator and what is below it: the backend, and the gate before it."""

    backend: EmulatedBackend
    works: Works
    service: Service


class Misbehaviour:
    """What stands between clients, servers and the emulated cluster, whether a fault is on or not."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._gates = {"kubernetes": Gate(), "propagator": Gate()}

    def middlewares(self, server: str) -> list[Any]:
        """The journal of a server and, inside of it, the gate where faults answer."""
        return [self._journal.middleware(server), self._gates[server].middleware()]

    @staticmethod
    def before(backend: Backend) -> Works:
        """The backend for the propagator."""
        return Works(backend)

    def faults(self, clusters: Sequence[Cluster], below: Below, serve: Serve, state_dir: Path) -> Faults:
        """The switchboard, once everything is there."""
        scene = Scene(clusters, clusters[0], below.backend, below.works, below.service, serve, state_dir, self._gates)
        return Faults(scene, lambda fault, what: self._journal.note("fault", name=fault.name, of=what))


async def begin_all(faults: Faults, asked: Sequence[Asked]) -> str | None:
    """Switches on what was asked for at the start; the propagator's URL if one of them gives it another one."""
    started = [await faults.begin(fault, given) for fault, given in asked]
    return next((each.facts["url"] for each in reversed(started) if "url" in each.facts), None)
