"""A fault that is switched on."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from .declaration import Fault
from .limits import Limits
from .phases import Begin, Phase

_NUMBERS = itertools.count(1)


class Activation:
    """One fault, its parameters and limits, and what ends it.

    Attributes:
        values: the fault's parameters.
        facts: what a user has to know of it, such as a URL at which it is met.
        stack: is closed when the fault is switched off.
    """

    def __init__(self, fault: Fault, values: dict[str, Any], limits: Limits, hit: Callable[[Fault, str], None]) -> None:
        self.id = f"{fault.name}-{next(_NUMBERS)}"
        self.fault, self.values, self.limits = fault, values, limits
        self.facts: dict[str, Any] = {}
        self.stack = AsyncExitStack()
        self.phase = Phase(limits.phase, limits.fits)
        self._hit = hit

    def takes(self, namespace: str = "", pod: str = "", kind: str = "") -> bool:
        """Whether the fault strikes now: this pod, or this request of a `kind`. Counted when it does."""
        if not self.phase.holds or not self.limits.fits(namespace, pod) or not self.limits.strike(kind):
            return False
        self._hit(self.fault, f"{kind} {namespace}/{pod}".strip(" /"))
        return True

    def takes_pod(self, pod: dict[str, Any], kind: str = "") -> bool:
        """`takes` for a pod object."""
        metadata = pod["metadata"]
        return self.takes(metadata.get("namespace", ""), metadata.get("name", ""), kind)

    def on_list(self, callbacks: list[Any], callback: Any) -> None:
        """Puts a callback on a list for as long as the fault is on."""
        callbacks.append(callback)
        self.stack.callback(callbacks.remove, callback)

    def whenever_due(self, begin: Begin) -> None:
        """Brings a state about while the fault is on and its phase is; `begin` returns what undoes it."""

        def strike() -> Callable[[], None]:
            return begin() if self.takes() else _nothing

        self.stack.callback(self.phase.whenever(strike))

    def shown(self) -> dict[str, Any]:
        """As the list of active faults has it."""
        limits = {key: getattr(self.limits, key) for key in sorted(self.fault.limits)}
        usual = Limits()
        chosen = {key: value for key, value in limits.items() if value != getattr(usual, key)}
        return {
            "id": self.id,
            **self.fault.shown(),
            "parameters": {**self.values, **chosen},
            "hits": self.limits.hits,
            **self.facts,
        }


def _nothing() -> None:
    """What undoes nothing."""
