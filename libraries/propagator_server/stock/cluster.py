"""One cluster of the stock backend: its API server and its agents."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import suppress
from pathlib import Path

from .agents import Agents
from .kube import Kube, KubeError, Object

AT_ONCE = 2
"""Pods of one node whose checkpoints are taken at once; the others wait for their turn."""


class StockCluster:
    """Raises KubeError, and `kubernetes.config.ConfigException` for a kubeconfig that cannot be used."""

    def __init__(self, kubeconfig: Path | None, context: str | None, namespace: str) -> None:
        self.kube = Kube(kubeconfig, context)
        self.agents = Agents(self.kube, namespace)
        self.turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(AT_ONCE))

    async def cluster_id(self) -> str:
        """The id that the agents' release has; empty where there is none."""
        found = await self.agents.installation()
        return found.cluster_id if found else ""

    async def pods(self) -> list[Object]:
        """Every pod."""
        return list((await self.kube.get("/api/v1/pods"))["items"])

    async def nodes(self) -> list[Object]:
        """Every node."""
        return list((await self.kube.get("/api/v1/nodes"))["items"])

    async def leases(self) -> dict[str, Object]:
        """The leases of the nodes by their names; none where they may not be read."""
        with suppress(KubeError):
            items = (await self.kube.get("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"))["items"]
            return {lease["metadata"]["name"]: lease for lease in items}
        return {}

    async def pod(self, namespace: str, name: str) -> Object | None:
        """A pod, or None where there is none."""
        return await self.kube.find(f"/api/v1/namespaces/{namespace}/pods/{name}")

    async def create_pod(self, pod: Object) -> Object:
        """Creates it."""
        return await self.kube.request("POST", f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods", pod)

    async def delete_pod(self, pod: Object) -> None:
        """Deletes this very pod, if it is there."""
        metadata = pod["metadata"]
        options = {"gracePeriodSeconds": 1, "preconditions": {"uid": metadata["uid"]}}
        try:
            await self.kube.request(
                "DELETE", f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}", options
            )
        except KubeError as failed:
            if failed.status not in (404, 409):
                raise

    async def warnings(self, pod: Object) -> list[str]:
        """What events complain about of a pod, newest last; none where they may not be read."""
        metadata = pod["metadata"]
        selector = f"involvedObject.uid={metadata['uid']},type=Warning"
        with suppress(KubeError):
            items = (await self.kube.get(f"/api/v1/namespaces/{metadata['namespace']}/events", fieldSelector=selector))[
                "items"
            ]
            items.sort(key=lambda event: event.get("lastTimestamp") or event.get("eventTime") or "")
            return list(dict.fromkeys(str(event.get("message", "")).strip() for event in items))
        return []

    async def close(self) -> None:
        """Lets go of its connections."""
        await self.kube.close()
