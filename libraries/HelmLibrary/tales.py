"""What Helm tells of a release when something has failed, for a report."""

from __future__ import annotations

import yaml

from harness.sources import SOURCES, Tale

from .operations import Helm
from .values import masked


def offer(helm: Helm, namespace: str, release: str) -> None:
    """Offers the history of a release, and its values with secrets masked."""

    def history() -> str:
        return "".join(f"{one}; {one.updated}; {one.description}\n" for one in helm.history(release))

    def values() -> str:
        return str(yaml.safe_dump(masked(helm.get_values(release, computed=False)), sort_keys=False))

    name = f"{namespace}/{release}"
    SOURCES.offer(_key(name), Tale(f"history of release {name}", history), Tale(f"values of release {name}", values))


def withdraw(namespace: str, release: str) -> None:
    """The release is gone."""
    SOURCES.withdraw(_key(f"{namespace}/{release}"))


def _key(name: str) -> str:
    return f"helm {name}"
