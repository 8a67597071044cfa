"""What a container has around it: its node, the cluster's network, and whom its processes run as."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass
class Host:
    """A node as its containers see it.

    ahead: nanoseconds by which its clock is ahead of the cluster's. log_limit: bytes after which its kubelet lets a
    container's log begin anew (containerLogMaxSize); 0: never. booted: when it was, in the cluster's time (ns).
    """

    name: str = ""
    ahead: int = 0
    log_limit: int = 0
    booted: int = 0


class NetworkError(Exception):
    """No connection: the message is the C library's (`Connection refused`)."""


class UnknownHost(Exception):
    """No address is known for the name, which is the message; or nobody answered (`timed out`)."""

    def __init__(self, name: str, *, silent: bool = False) -> None:
        super().__init__(name)
        self.silent = silent


class Stream(Protocol):
    """A connection to a port of a container, seen from its client."""

    ended: bool

    def feed(self, data: bytes) -> bytes:
        """What comes back for these bytes; `ended` is true when the server has closed."""
        ...

    def close(self) -> None:
        """The client closes."""
        ...


class Network(Protocol):
    """The cluster's network as one pod sees it."""

    def lookup(self, name: str) -> tuple[str, list[str]]:
        """The full name and the addresses that the cluster's DNS has for a name. Raises UnknownHost."""
        ...

    def connect(self, address: str, port: int) -> Stream:
        """A connection to an address of the cluster. Raises NetworkError."""
        ...


class NoNetwork:
    """A container without a cluster."""

    def lookup(self, name: str) -> tuple[str, list[str]]:
        """Knows no name."""
        raise UnknownHost(name)

    def connect(self, address: str, port: int) -> Stream:
        """Reaches nothing."""
        raise NetworkError(f"Network is unreachable ({address}:{port})")


@dataclass(frozen=True)
class User:
    """Whom processes run as. The file tree has no owners: this is shown (`id`), and forbids nothing."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = (0,)


@dataclass(frozen=True)
class Surroundings:
    """All of it."""

    host: Host = field(default_factory=Host)
    network: Network = field(default_factory=NoNetwork)
    user: User = User()
