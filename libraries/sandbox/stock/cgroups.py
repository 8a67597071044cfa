"""The cgroups of a node's containers as files, of version 2 as far as somebody freezes and thaws them."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..cluster import Cluster
    from ..runtime import Container

_LOOK_EVERY = 0.005


class Cgroups:
    """Files are not the kernel's here: they are looked at every few milliseconds, as long as `follow` runs."""

    def __init__(self, cluster: Cluster, root: Path, node: str) -> None:
        self._cluster, self._root, self._node = cluster, root, node

    async def follow(self) -> None:
        """Does what is written into them, until it is cancelled; then everything is thawed and the files are gone."""
        self._root.mkdir(parents=True, exist_ok=True)
        try:
            while True:
                for container in self._running():
                    self._look_at(container)
                await asyncio.sleep(_LOOK_EVERY)
        finally:
            for container in self._running():
                container.thaw(self._cluster.runtime.now())
            shutil.rmtree(self._root, ignore_errors=True)

    def _running(self) -> list[Container]:
        pods = self._cluster.runtime.pods
        held = [pods[worker.uid] for worker in self._cluster.kubelet.on_node(self._node) if worker.uid in pods]
        return [container for one in held for container in one.containers.values() if container.running]

    def _look_at(self, container: Container) -> None:
        folder = self._root / "kubepods.slice" / f"cri-containerd-{container.id}.scope"
        if not folder.exists():
            folder.mkdir(parents=True)
            (folder / "cgroup.freeze").write_text("0")
            _say(folder, frozen=False)
            container.at_end.append(lambda: shutil.rmtree(folder, ignore_errors=True))
        wanted = (folder / "cgroup.freeze").read_text().strip() == "1"
        if wanted != (container.frozen_at is not None):
            (container.freeze if wanted else container.thaw)(self._cluster.runtime.now())
            _say(folder, frozen=wanted)


def _say(folder: Path, *, frozen: bool) -> None:
    (folder / "cgroup.events").write_text(f"populated 1\nfrozen {int(frozen)}\n")
