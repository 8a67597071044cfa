"""HTTP requests to emulated containers, and their answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """A request that reached a container; `client` is the address that it came from."""

    method: str = "GET"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = "10.244.0.1"


@dataclass
class Response:
    """What the container answered."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
