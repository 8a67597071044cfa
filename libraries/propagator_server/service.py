"""What the handlers share: the rows, the backend, the running operations and the era that is spoken."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from .backend import Backend, Node, Pod
from .clock import now
from .eras import Era
from .heartbeats import Heartbeats
from .operations import Operations
from .records import Cluster
from .store import Store, is_active, new_id


@dataclass
class Service:
    """One propagator. `era` and `quoted_ids` may be changed while it runs."""

    backend: Backend
    store: Store
    operations: Operations
    heartbeats: Heartbeats
    era: Era
    token: str = field(repr=False)
    quoted_ids: bool
    discoverable: Mapping[str, str]
    user_id: str = field(default_factory=new_id)

    def active_cluster(self, cluster_id: str) -> Cluster | None:
        """The registered cluster of that id, unless it is deleted."""
        row = self.store.cluster(cluster_id)
        return row if row and is_active(row) else None

    async def pods(self) -> list[Pod]:
        """The pods of registered clusters; what runs elsewhere is not known to a propagator."""
        return [pod for pod in await self.backend.pods() if self._synced(pod.cluster_id)]

    async def nodes(self) -> list[Node]:
        """The nodes of registered clusters."""
        return [node for node in await self.backend.nodes() if self._synced(node.cluster_id)]

    def _synced(self, cluster_id: str) -> bool:
        if not self.active_cluster(cluster_id):
            return False
        self.store.change_cluster(cluster_id, last_sync=now())
        return True


SERVICE = web.AppKey("service", Service)


def service_of(request: web.Request) -> Service:
    """The service that this request was sent to."""
    return request.app[SERVICE]
