"""What the handlers share: the rows, the backend, the running operations, the era that is spoken and its quirks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .backend import Backend
from .eras import ERAS, Era
from .events import Events
from .heartbeats import Heartbeats
from .inventory import Inventory
from .operations import Operations
from .quirks import QuirkError, Quirks
from .records import Cluster
from .store import Store, is_active, new_id


@dataclass
class Service:
    """One propagator."""

    backend: Backend
    store: Store
    inventory: Inventory
    operations: Operations
    heartbeats: Heartbeats
    events: Events
    era: Era
    quirks: Quirks
    token: str = field(repr=False)
    discoverable: Mapping[str, str]
    user_id: str = field(default_factory=new_id)

    @property
    def paged(self) -> bool:
        """Whether lists come in pages."""
        return self.era.paged if self.quirks.paging is None else self.quirks.paging

    @property
    def soft_deletes(self) -> bool:
        """Whether what is deleted stays in lists, marked as such."""
        return self.era.soft_deletes if self.quirks.soft_deletes is None else self.quirks.soft_deletes

    @property
    def reason_required(self) -> bool:
        """Whether a restore must have a reason."""
        return self.era.reason_required if self.quirks.reason_required is None else self.quirks.reason_required

    def active_cluster(self, cluster_id: str) -> Cluster | None:
        """The registered cluster of that id, unless it is deleted."""
        row = self.store.cluster(cluster_id)
        return row if row and is_active(row) else None

    def register_itself(self, name: str) -> str | None:
        """The id of a cluster whose controller registers it by its name, or None where the era has no such thing."""
        return self.store.register_cluster(name, "kubernetes").id if self.era.self_registration else None

    def settings(self) -> dict[str, Any]:
        """Era and quirks, as `change` takes them."""
        return {"era": self.era.name, "quirks": self.quirks.shown()}

    def change(self, settings: Any) -> None:
        """Changes the era, or some quirks, while it runs: all that is asked for, or nothing.

        Raises:
            ValueError: what is wrong, and what is allowed.
        """
        if not isinstance(settings, dict) or settings.keys() - {"era", "quirks"}:
            raise QuirkError(f"settings are an object with era and quirks, not {settings!r}")
        era, quirks = settings.get("era", self.era.name), settings.get("quirks", {})
        if era not in list(ERAS):
            raise QuirkError(f"era: no era {era!r}; there are {', '.join(ERAS)}")
        if not isinstance(quirks, dict):
            raise QuirkError(f"quirks are an object of values by name, not {quirks!r}")
        changed = self.quirks.changed(quirks)
        self.era = ERAS[era]
        self.quirks = self.operations.quirks = self.inventory.quirks = changed


SERVICE = web.AppKey("service", Service)


def service_of(request: web.Request) -> Service:
    """The service that this request was sent to."""
    return request.app[SERVICE]
