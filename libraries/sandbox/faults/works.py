"""The backend of the propagator with a gate before it, through which every checkpoint and restore goes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from propagator_server.backend import Backend, CheckpointRequest, ContainerCheckpoint, Node, Pod, RestoreRequest

from .phases import Moment

Around = Callable[["Work"], Awaitable[Any]]


@dataclass
class Work:
    """One checkpoint, restore or removal on its way: which pod it is of (namespace and name), and how to do it."""

    kind: str
    request: Any
    namespace: str
    pod: str
    do: Callable[[Any], Awaitable[Any]]

    async def go(self) -> Any:
        """Does it."""
        return await self.do(self.request)


class Works:
    """A Backend. `around` has callbacks by kind of work: `checkpoint`, `restore`, `forget`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._pods: dict[str, tuple[str, str]] = {}
        self.around: dict[str, list[Around]] = defaultdict(list)
        self.listeners: list[Callable[[Moment], None]] = []

    async def find_pod(
        self, *, uid: str | None = None, namespace: str | None = None, name: str | None = None, cluster_id: str | None
    ) -> Pod | None:
        """As the backend."""
        return await self._backend.find_pod(uid=uid, namespace=namespace, name=name, cluster_id=cluster_id)

    async def pods(self) -> Sequence[Pod]:
        """As the backend."""
        return await self._backend.pods()

    async def nodes(self) -> Sequence[Node]:
        """As the backend."""
        return await self._backend.nodes()

    async def checkpoint(self, request: CheckpointRequest) -> Sequence[ContainerCheckpoint]:
        """As the backend, unless something interferes."""
        pod = self._pods[request.action_id] = (request.pod.namespace, request.pod.name)
        done: Sequence[ContainerCheckpoint] = await self._through(
            Work("checkpoint", request, *pod, self._backend.checkpoint)
        )
        return done

    async def restore(self, request: RestoreRequest) -> Pod:
        """As the backend, unless something interferes."""
        pod = self._pods.get(request.checkpoint_action_id, ("", ""))
        done: Pod = await self._through(Work("restore", request, *pod, self._backend.restore))
        return done

    async def forget(self, checkpoint_id: str) -> None:
        """As the backend, unless something interferes."""
        await self._through(Work("forget", checkpoint_id, "", "", self._backend.forget))

    async def _through(self, work: Work) -> Any:
        whole = work
        for around in reversed(self.around[work.kind]):
            whole = replace(work, do=partial(_within, around, whole))
        self._tell(work, ended=False)
        try:
            return await whole.go()
        finally:
            self._tell(work, ended=True)

    def _tell(self, work: Work, *, ended: bool) -> None:
        for listener in list(self.listeners):
            listener(Moment(work.kind, ended, work.namespace, work.pod))


async def _within(around: Around, inner: Work, request: Any) -> Any:
    return await around(replace(inner, request=request))
