"""All of it in one cluster: kubelets that take checkpoints, agents, and a runtime that restores."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import web

from .agents import NodeAgents
from .images import CheckpointImages
from .kubelet import Kubelets
from .nodes_network import HOST, ConnectProxy, RealPorts

if TYPE_CHECKING:
    from ..cluster import Cluster

KUBELET_PORT = 10250


class StockNodes:
    """Nothing of it runs, and no file is written, before an agent is installed or a kubelet is asked.

    `folder` is for what the nodes have on their disks; `tls` is the kubelets' certificate.
    """

    def __init__(self, cluster: Cluster, folder: Path, tls: ssl.SSLContext) -> None:
        self._cluster, self._tls = cluster, tls
        self.kubelets = Kubelets(cluster, folder)
        self.ports = RealPorts(cluster)
        self.images = CheckpointImages(cluster, self.ports)
        self.agents = NodeAgents(cluster, self.kubelets, self.ports, self._reach)
        self._proxy = ConnectProxy(self.ports)
        self._proxy_url = ""
        self._runners: dict[str, web.AppRunner] = {}
        cluster.checkpoints, cluster.real_ports, cluster.checkpoint_images = self.kubelets, self.ports, self.images

    async def stop(self) -> None:
        """Ends all."""
        await self.images.stop()
        await self.agents.stop()
        for runner in self._runners.values():
            await runner.cleanup()
        await self._proxy.stop()

    async def _reach(self, node: str) -> str:
        """Lets a node's kubelet serve on its own port; gives the proxy to it and to other nodes."""
        if not self._proxy_url:
            self._proxy_url = await self._proxy.start()
        if node not in self._runners:
            runner = self._runners[node] = web.AppRunner(self.kubelets.app(node), access_log=None, shutdown_timeout=0.2)
            await runner.setup()
            await web.TCPSite(runner, HOST, 0, ssl_context=self._tls).start()
            self.ports.listen(self._cluster.node_address(node), KUBELET_PORT, runner.addresses[0][1])
        return self._proxy_url
