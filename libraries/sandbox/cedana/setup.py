"""Cedana in the emulated clusters as a whole: the backend, and the controllers that play its pods' parts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .backend import EmulatedBackend
from .helper import Helper
from .manager import ManagerController
from .uninstaller import UninstallerController

if TYPE_CHECKING:
    from propagator_server.service import Service

    from ..cluster import Cluster


class Cedana:
    """Shared by the clusters of one sandbox. `start` comes once their controllers run."""

    def __init__(self, clusters: Sequence[Cluster], helper: Helper) -> None:
        self._service: Service | None = None
        self._managers = [ManagerController(cluster, self._register) for cluster in clusters]
        self.backend = EmulatedBackend(clusters, helper, self._identify)

    def start(self, service: Service) -> None:
        """Puts Cedana's controllers beside those of the clusters; managers register with this propagator."""
        self._service = service
        for manager in self._managers:
            for controller in (manager, UninstallerController(manager.cluster)):
                manager.cluster.controllers.append(controller)
                controller.start()

    def settings(self) -> dict[str, Any]:
        """How the propagator and the helpers are set, as `change` takes it."""
        assert self._service is not None
        return {**self._service.settings(), "helper": self.backend.helper.shown()}

    def change(self, settings: Any) -> None:
        """Changes era, quirks or the helpers' options, all that is asked for or nothing. Raises ValueError."""
        assert self._service is not None
        if not isinstance(settings, dict):
            raise ValueError(f"settings are an object with era, quirks and helper, not {settings!r}")  # noqa: TRY004
        asked = settings.get("helper", {})
        if not isinstance(asked, dict):
            raise ValueError(f"helper: an object of options by name, not {asked!r}")  # noqa: TRY004
        helper = self.backend.helper.changed(asked)
        self._service.change({key: value for key, value in settings.items() if key != "helper"})
        self.backend.helper = helper

    def _register(self, name: str) -> str | None:
        return self._service.register_itself(name) if self._service else None

    def _identify(self, cluster: Cluster) -> str:
        return next(manager.cluster_id for manager in self._managers if manager.cluster is cluster)
