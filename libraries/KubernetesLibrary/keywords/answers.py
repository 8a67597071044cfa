"""What keywords return: the API's objects, with dotted access to their real field names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from robot.utils import DotDict


def dotted(obj: Mapping[str, Any]) -> DotDict:
    """One object: `${pod.status.podIP}`, `${pod.metadata.labels}[app]`."""
    return DotDict(obj)


def all_dotted(objects: Iterable[Mapping[str, Any]]) -> list[DotDict]:
    """A list of objects."""
    return [dotted(obj) for obj in objects]
