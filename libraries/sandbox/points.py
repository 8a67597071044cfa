"""Places at which an emulated cluster asks before it goes on; nobody answers unless something is to go wrong there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .kinds import Kind
    from .runtime import Container

Object = dict[str, Any]


@dataclass
class Points:
    """Lists of callbacks, each called in turn.

    Attributes:
        admit: a new object before its validation, as an admission webhook sees it; may change it or raise ApiError.
        delay: seconds that a kubelet takes longer to set a pod up; infinite: it never does.
        pull: a container's image on a node, before the kubelet gets it; may raise PullError.
        start: a container before it is started; may raise StartError.
        started: a container that has just been started.
        endpoints: a Service and the endpoints of its pods, before they are written; gives those that are.
    """

    admit: list[Callable[[Kind, Object], None]] = field(default_factory=list)
    delay: list[Callable[[Object], float]] = field(default_factory=list)
    pull: list[Callable[[Object, Object], None]] = field(default_factory=list)
    start: list[Callable[[Object, Object], None]] = field(default_factory=list)
    started: list[Callable[[Object, Container], None]] = field(default_factory=list)
    endpoints: list[Callable[[Object, list[Object]], list[Object]]] = field(default_factory=list)

    def admitting(self, kind: Kind, obj: Object) -> None:
        """A new object comes in. Raises ApiError."""
        for ask in self.admit:
            ask(kind, obj)

    def delaying(self, pod: Object) -> float:
        """How many seconds more the kubelet takes for this pod."""
        return sum(ask(pod) for ask in self.delay)

    def pulling(self, pod: Object, spec: Object) -> None:
        """An image is about to be got. Raises PullError."""
        for ask in self.pull:
            ask(pod, spec)

    def starting(self, pod: Object, spec: Object) -> None:
        """A container is about to be started. Raises StartError."""
        for ask in self.start:
            ask(pod, spec)

    def has_started(self, pod: Object, container: Container) -> None:
        """A container runs."""
        for ask in self.started:
            ask(pod, container)

    def leading(self, service: Object, endpoints: list[Object]) -> list[Object]:
        """Where a Service leads to."""
        for ask in self.endpoints:
            endpoints = ask(service, endpoints)
        return endpoints
