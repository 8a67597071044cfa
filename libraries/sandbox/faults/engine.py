"""Switching faults on and off in a running sandbox."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from .activation import Activation
from .declaration import Fault
from .limits import FaultError, settings
from .phases import Moment
from .scene import Scene


def parsed(text: str) -> tuple[Fault, dict[str, str]]:
    """Fault and parameters of `NAME[:key=value[:key=value]]`. Raises FaultError."""
    name, *parts = text.split(":")
    fault = named(name)
    given: dict[str, str] = {}
    for part in parts:
        key, equals, value = part.partition("=")
        if not equals:
            raise FaultError(f"fault {name}: {part!r} is not key=value")
        given[key] = value
    settings(fault, given)
    return fault, given


def named(name: Any) -> Fault:
    """The fault of that name. Raises FaultError."""
    from .catalogue import CATALOGUE

    fault = CATALOGUE.get(name) if isinstance(name, str) else None
    if fault is None:
        raise FaultError(f"no fault {name!r}; there are {', '.join(CATALOGUE)}")
    return fault


class Faults:
    """The faults that are on."""

    def __init__(self, scene: Scene, hit: Callable[[Fault, str], None]) -> None:
        self._scene, self._hit = scene, hit
        self._active: dict[str, Activation] = {}
        scene.works.listeners.append(self._note)

    def all(self) -> list[Activation]:
        """Those that are on, oldest first."""
        return list(self._active.values())

    async def begin(self, fault: Fault, given: Mapping[str, Any]) -> Activation:
        """Switches a fault on. Raises FaultError for parameters that it does not have."""
        active = Activation(fault, *settings(fault, given), self._hit)
        self._active[active.id] = active
        try:
            await fault.inject(self._scene, active)
        except BaseException:
            await self.end(active.id)
            raise
        return active

    async def end(self, activation_id: str) -> bool:
        """Switches one off; whether it was on."""
        active = self._active.pop(activation_id, None)
        if active:
            await active.stack.aclose()
        return active is not None

    async def end_all(self) -> None:
        """Switches all off, the latest first."""
        for activation_id in reversed(list(self._active)):
            await self.end(activation_id)

    def _note(self, moment: Moment) -> None:
        for active in self.all():
            active.phase.note(moment)
