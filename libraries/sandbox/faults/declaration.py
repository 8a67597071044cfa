"""How a fault is declared: a name, a group, one sentence, what is expected of a good suite, and its injection."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .activation import Activation
    from .scene import Scene

Injection = Callable[["Scene", "Activation"], Awaitable[None]]
"""Lets the fault begin; what is to be undone at its end goes on the activation's stack."""


class Group(StrEnum):
    """What a fault is a fault of."""

    RESTORE = "restore"
    CHECKPOINT = "checkpoint"
    PROPAGATOR = "propagator"
    KUBERNETES = "kubernetes"
    NODES = "nodes"
    INSTALL = "install"


STATE = frozenset({"phase"})
"""Limits of a fault that is a state."""
REQUESTS = STATE | {"count", "each", "probability", "seed"}
"""Limits of a fault that befalls requests."""
OBJECTS = REQUESTS | {"namespace", "pod"}
"""Limits of a fault that befalls pods, or requests for them."""
LIMITS = OBJECTS


@dataclass(frozen=True)
class Shown:
    """Where a good suite meets a fault, and what is seen of it there.

    Attributes:
        suite: the file below `suites/`, without its ending.
        test: the name of the test that fails; None: it may be any, or the suite's set-up or teardown.
        verdict: the kind of verdict that the failing test reaches, such as `restarted`; None: it reaches none.
    """

    suite: str = "lifecycle"
    test: str | None = None
    verdict: str | None = None


@dataclass(frozen=True)
class Fault:
    """A way to misbehave.

    Attributes:
        name: stable, as it is switched on by.
        group: what it is a fault of.
        what: what happens, in one sentence.
        cause: the cause that a good suite fails with; None: a good suite tolerates it.
        inject: lets it begin.
        limits: the limits that make sense for it.
        defaults: its parameters with their values, and limits that hold unless others are given.
        shown_by: which suite shows it, and what of it fails how.
    """

    name: str
    group: Group
    what: str
    cause: str | None
    inject: Injection = field(repr=False)
    limits: frozenset[str] = OBJECTS
    defaults: Mapping[str, Any] = field(default_factory=dict)
    shown_by: Shown = Shown()

    @property
    def expect(self) -> str:
        """`fails` or `tolerated`."""
        return "tolerated" if self.cause is None else "fails"

    @property
    def parameters(self) -> dict[str, Any]:
        """What can be set besides limits, with the values that hold unless others are given."""
        return {name: value for name, value in self.defaults.items() if name not in LIMITS}

    def shown(self) -> dict[str, Any]:
        """As the list of faults has it."""
        return {
            "name": self.name,
            "group": self.group.value,
            "what": self.what,
            "expect": self.expect,
            "cause": self.cause,
            **asdict(self.shown_by),
        }


class Declarations:
    """The faults of one group, in the order of their declaration."""

    def __init__(self, group: Group, limits: frozenset[str]) -> None:
        self._group, self._limits = group, limits
        self.all: list[Fault] = []

    def fails(
        self,
        cause: str,
        name: str,
        what: str,
        *,
        limits: frozenset[str] | None = None,
        suite: str = Shown.suite,
        test: str | None = None,
        verdict: str | None = None,
        **defaults: Any,
    ) -> Callable[[Injection], Injection]:
        """Declares a fault that a good suite fails with, for this cause; `Shown` has what suite, test, verdict are."""
        return self._declared(name, what, limits, cause=cause, shown_by=Shown(suite, test, verdict), defaults=defaults)

    def tolerated(
        self, name: str, what: str, *, limits: frozenset[str] | None = None, suite: str = Shown.suite, **defaults: Any
    ) -> Callable[[Injection], Injection]:
        """Declares a fault that a good suite gets over."""
        return self._declared(name, what, limits, cause=None, shown_by=Shown(suite), defaults=defaults)

    def _declared(
        self, name: str, what: str, limits: frozenset[str] | None, **given: Any
    ) -> Callable[[Injection], Injection]:
        def declare(inject: Injection) -> Injection:
            allowed = self._limits if limits is None else limits
            self.all.append(Fault(name, self._group, what, inject=inject, limits=allowed, **given))
            return inject

        return declare
