"""Taking hold of checkpoints and restores: of their plan, of the state they start from, of their work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from propagator_server.backend import RestoreRequest

from ..cedana.interfering import RestorePlan
from ..runtime import PodSnapshot
from .activation import Activation
from .declaration import Injection
from .scene import Scene
from .works import Work

CRIU = (
    "failed to create containerd task: failed to create shim task: OCI runtime restore failed: criu failed: "
    "type RESTORE errno 0"
)


def _always(_: RestorePlan) -> bool:
    return True


def planning(
    change: Callable[[RestorePlan, Activation], None], applies: Callable[[RestorePlan], bool] = _always
) -> Injection:
    """Changes what restores are about to make, where there is something to change."""

    async def inject(scene: Scene, active: Activation) -> None:
        def plan(_: RestoreRequest, planned: RestorePlan) -> None:
            if applies(planned) and active.takes_pod(planned.pod):
                change(planned, active)

        active.on_list(scene.backend.interference.planned, plan)

    return inject


def with_state(
    change: Callable[[PodSnapshot, Activation], PodSnapshot | None], applies: Callable[[RestorePlan], bool] = _always
) -> Injection:
    """Restores from another state than that of the checkpoint; None: from none, so that containers start afresh."""

    def plan(planned: RestorePlan, active: Activation) -> None:
        assert planned.snapshot is not None
        planned.snapshot = change(planned.snapshot, active)

    return planning(plan, lambda planned: planned.snapshot is not None and applies(planned))


def working(kind: str, act: Callable[[Work, Activation, Scene], Any]) -> Injection:
    """Does something around the work of checkpoints or restores."""

    async def inject(scene: Scene, active: Activation) -> None:
        async def around(work: Work) -> Any:
            if active.takes(work.namespace, work.pod):
                return await act(work, active, scene.at(work.namespace, work.pod))
            return await work.go()

        active.on_list(scene.works.around[kind], around)

    return inject
