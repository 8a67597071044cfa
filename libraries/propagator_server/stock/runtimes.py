"""Which runtimes take checkpoints, and which restore from them.

containerd (its tags, read in August 2026): a restore through an image works in 2.1.0 to 2.1.9, 2.2.0 to 2.2.6 and 2.3.0
to 2.3.3; from 2.2.7 and 2.3.4 on it is off unless the runtime's configuration says
`enable_experimental_restore_via_create = true`; after 2.3 it is gone. CRI-O: `container_level_enabled`, which is
`checkpoint_restore` by default; it asks every registry by HTTPS unless `registries.conf` says otherwise (its tests in
kubernetes/test-infra, pull request 35946); untried here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_VERSION = re.compile(r"^(?P<name>[a-z-]+)://v?(?P<major>\d+)\.(?P<minor>\d+)(?:\.(?P<patch>\d+))?")
_RESTORING = {(2, 1): 9, (2, 2): 6, (2, 3): 3}
"""The last patch release that restores without being told to, by containerd's minor version."""
_SWITCHED_OFF = {(2, 2), (2, 3)}


class Ability(StrEnum):
    """Whether a runtime restores."""

    YES = "yes"
    OFF = "off by default"
    NO = "no"
    UNTRIED = "untried"


@dataclass(frozen=True)
class Runtime:
    """A node's runtime, and what is known of it."""

    version: str
    restores: Ability
    why: str


def of_node(node: dict[str, Any]) -> Runtime:
    """The runtime of a node object."""
    return of_version(str(node.get("status", {}).get("nodeInfo", {}).get("containerRuntimeVersion", "")))


def of_version(version: str) -> Runtime:
    """What is known of a runtime by what `containerRuntimeVersion` says of it."""
    match = _VERSION.match(version)
    if not match:
        return Runtime(version or "unknown", Ability.UNTRIED, "nothing is known of this runtime")
    minor, patch = (int(match["major"]), int(match["minor"])), int(match["patch"] or 0)
    known = {"containerd": _containerd, "cri-o": _crio}.get(match["name"])
    return Runtime(version, *(known(minor, patch) if known else (Ability.NO, f"{match['name']} does not restore")))


def _containerd(minor: tuple[int, int], patch: int) -> tuple[Ability, str]:
    if minor < (2, 1):
        return Ability.NO, "containerd restores from 2.1 on"
    if minor not in _RESTORING:
        return Ability.NO, "containerd has no restore through an image after 2.3"
    if patch <= _RESTORING[minor]:
        return Ability.YES, "restores"
    if minor in _SWITCHED_OFF:
        return Ability.OFF, "enable_experimental_restore_via_create = true in containerd's configuration switches it on"
    return Ability.UNTRIED, f"newer than the releases that are known, up to 2.1.{_RESTORING[minor]}"


def _crio(minor: tuple[int, int], _patch: int) -> tuple[Ability, str]:
    if minor < (1, 25):
        return Ability.NO, "CRI-O restores from 1.25 on"
    return (
        Ability.UNTRIED,
        "CRI-O restores unless container_level_enabled says otherwise, where 127.0.0.1:5999 is an insecure registry",
    )
