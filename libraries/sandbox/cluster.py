"""One emulated cluster: its objects, its controllers, its containers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from . import kinds
from .controllers import CONTROLLERS, Controller
from .controllers.events import Recorder
from .controllers.index import Index, controller_of
from .controllers.kubelet import Kubelet
from .controllers.nodes import NodeLife
from .controllers.storage import Storage
from .kinds import Kind
from .network import ClusterNetwork
from .points import Points
from .runtime import Runtime
from .runtime.files import Volume
from .seeds import seed
from .store import Change, Store

if TYPE_CHECKING:
    from .api.context import User
    from .stock.images import CheckpointImages
    from .stock.kubelet import Kubelets
    from .stock.nodes_network import RealPorts

Object = dict[str, Any]
Follower = Callable[[Change], None]


@dataclass
class Latencies:
    """How long things take, in seconds.

    pod_start: from binding to running containers. pod_stop: at most this much of a grace period is used. checkpoint and
    restore: the work of a dump and of a restore, for the propagator. freeze: how long a dump stops a pod of no memory.
    uninstall: for how long the uninstaller of Cedana's chart works before it takes its namespace away. back_off: the
    first wait of image pulls and of crashing containers (a real kubelet's is 10 s); it doubles up to 5 minutes.
    """

    pod_start: float = 0.05
    pod_stop: float = 0.05
    checkpoint: float = 0.2
    restore: float = 0.05
    freeze: float = 0.02
    uninstall: float = 0.3
    back_off: float = 10.0


class Cluster:
    """Holds the store, the runtime and the controllers; `start` brings them up inside the running event loop."""

    def __init__(
        self,
        name: str = "emulated",
        nodes: int = 2,
        latencies: Latencies | None = None,
        *,
        default_storage: bool = False,
    ) -> None:
        self.name = name
        self.nodes = nodes
        self.default_storage = default_storage
        self.latencies = replace(latencies or Latencies())
        self.certificate = ""
        self.store = Store()
        self.runtime = Runtime()
        self.points = Points()
        self.network = ClusterNetwork(self)
        self.events = Recorder(self)
        self.index = Index(self.store)
        self.orphans: dict[str, set[str]] = defaultdict(set)
        # A stand-in until the API, which signs tokens, puts its own here.
        self.service_account_token: Callable[[str, str], str] = lambda namespace, account: (
            f"emulated:{namespace}:{account}"
        )
        self.authenticate: Callable[[str], User | None] = lambda _token: None
        # What a stock cluster has for checkpoints, where somebody puts it here (`stock.setup`).
        self.checkpoints: Kubelets | None = None
        self.checkpoint_images: CheckpointImages | None = None
        self.real_ports: RealPorts | None = None
        self._followers: dict[Kind, list[Follower]] = defaultdict(list)
        self._everything: list[Follower] = []
        self._volumes: dict[str, Volume] = {}
        self.controllers: list[Controller] = [make(self) for make in CONTROLLERS]
        self.kubelet = self._one(Kubelet)
        self.storage = self._one(Storage)
        self.node_life = self._one(NodeLife)
        self._unsubscribe: Callable[[], None] = lambda: None

    async def start(self) -> None:
        """Starts the controllers and seeds namespaces, nodes, the `kubernetes` Service and the storage class."""
        self._unsubscribe = self.store.subscribe(self._changed)
        for controller in self.controllers:
            controller.start()
        seed(self, self.nodes, default_storage=self.default_storage)

    async def stop(self) -> None:
        """Ends every timer and container; the objects stay."""
        self._unsubscribe()
        for controller in self.controllers:
            controller.stop()
        self.runtime.close()

    def follow(self, kind: Kind, follower: Follower) -> None:
        """Calls back after each change of an object of this kind."""
        self._followers[kind.storage].append(follower)

    def follow_all(self, follower: Follower) -> None:
        """Calls back after each change of any object."""
        self._everything.append(follower)

    def node_number(self, name: str) -> int:
        """The place of a node in the order in which nodes came, from 1."""
        return int(self.node_life.number(name))

    def node_address(self, name: str) -> str:
        """A node's InternalIP, or "" when there is no such node."""
        node = self.store.get(kinds.NODE, None, name)
        addresses = (node or {}).get("status", {}).get("addresses") or []
        return next((a["address"] for a in addresses if a["type"] == "InternalIP"), "")

    def shared_volume(self, key: str) -> Volume:
        """Files that outlive a pod: `node/<name><path>` or `pv/<name>`."""
        return self._volumes.setdefault(key, Volume())

    def forget_volume(self, key: str) -> None:
        """The files of a volume are gone."""
        self._volumes.pop(key, None)

    def _one(self, kind: type[Any]) -> Any:
        return next(controller for controller in self.controllers if isinstance(controller, kind))

    def _changed(self, change: Change) -> None:
        self.index.changed(change)
        if change.kind is kinds.POD:
            self._track_orphan(change)
        for follower in self._followers.get(change.kind, ()):
            follower(change)
        for follower in self._everything:
            follower(change)

    def _track_orphan(self, change: Change) -> None:
        metadata = change.object["metadata"]
        alone = change.type != "DELETED" and controller_of(change.object) is None
        names = self.orphans[metadata["namespace"]]
        (names.add if alone else names.discard)(metadata["name"])
