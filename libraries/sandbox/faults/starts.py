"""Faults of restores: the kernel has another start for the processes of a restored pod than the kubelet has for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..runtime import SECOND, Container, clocks
from .activation import Activation
from .declaration import OBJECTS, Declarations, Group, Injection
from .pods import is_restored
from .scene import Scene, in_each_cluster

FAULTS = Declarations(Group.RESTORE, OBJECTS)
Object = dict[str, Any]


def _of_restored(change: Callable[[Container, int], None]) -> Injection:
    """Changes each container of a restored pod by the fault's `seconds` (as ns) when it has been started."""

    @in_each_cluster
    async def inject(scene: Scene, active: Activation) -> None:
        def started(pod: Object, container: Container) -> None:
            if is_restored(scene.cluster, pod) and active.takes_pod(pod):
                change(container, int(active.values["seconds"] * SECOND))

        active.on_list(scene.cluster.points.started, started)

    return inject


def _older_process(container: Container, by: int) -> None:
    older = clocks.shown("sh", container.started_at - by, container.setup.surroundings.host)
    container.files.image = {**container.files.image, **older}


def _older_container(container: Container, by: int) -> None:
    container.shown_start -= by


FAULTS.fails(
    "pod-changed",
    "restore-over-old-process",
    "The restored pod is shown as new, but its containers hold processes that ran long before: nothing was restored.",
    verdict="continued",
    seconds=3600.0,
)(_of_restored(_older_process))
FAULTS.fails(
    "pod-changed",
    "restore-keeps-old-start",
    "The containers of the restored pod are shown as started before their processes were, as the original's were.",
    verdict="continued",
    seconds=7.0,
)(_of_restored(_older_container))
