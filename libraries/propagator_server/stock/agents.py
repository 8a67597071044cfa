"""The agents of a cluster, reached through the API server's proxy to their pods."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..backend import BackendError
from ..rows import is_ready
from .kube import Kube, KubeError, Object

COMPONENT = "app.kubernetes.io/component=node-agent"
SECRET = "node-agent"  # noqa: S105 - its name
CONFIG = "cedana-config"
HEADER, RECORD = "X-Agent-Token", "X-Checkpoint-Record"
_TOLD = ("id", "owner", "container", "architecture", "digest", "uid", "namespace", "pod", "asked", "answered")
"""What another cluster's agent has to know of an archive; the rest it sees for itself."""
IN_TURN = 5
"""How many dumps one may have to wait for: checkpoints of one container are taken one after the other."""
CUT_OFF = (0, 502, 504)
SILENCE = 20.0
"""Seconds after which a gateway on the way may have cut a connection because nothing came of it."""


@dataclass(frozen=True)
class Installation:
    """The agents' release in a cluster: the id that the cluster has by it, the agents' port, and seconds for a dump."""

    cluster_id: str
    port: int
    dump_timeout: int


@dataclass(frozen=True)
class Agent:
    """One agent that is Ready. `address`: where other agents reach it."""

    node: str
    pod: str
    address: str


class Agents:
    """What is asked of the agents of one cluster. Raises BackendError with the words of who refused."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube, self._namespace = kube, namespace
        self._token = ""

    async def installation(self) -> Installation | None:
        """The release, or None where there is none."""
        found = await self._kube.find(f"/api/v1/namespaces/{self._namespace}/configmaps/{CONFIG}")
        data = (found or {}).get("data") or {}
        if data.get("propagator") != "stock" or not data.get("cluster-id"):
            return None
        port, timeout = int(data.get("service-port") or 5998), int(data.get("dump-timeout") or 120)
        return Installation(str(data["cluster-id"]).strip('"'), port, timeout)

    async def ready(self) -> list[Agent]:
        """The agents that answer."""
        port = (await self._installed()).port
        path = f"/api/v1/namespaces/{self._namespace}/pods"
        pods = (await self._kube.get(path, labelSelector=COMPONENT))["items"]
        return [_agent(pod, port) for pod in pods if is_ready(pod) and not pod["metadata"].get("deletionTimestamp")]

    async def on_node(self, node: str) -> Agent:
        """The agent of a node. Raises BackendError where none is Ready."""
        for agent in await self.ready():
            if agent.node == node:
                return agent
        raise BackendError(f"no node agent is Ready on node {node or '(none)'}")

    async def take(self, agent: Agent, asked: Object) -> Object:
        """Has a checkpoint of a container taken; asked again with the same id, it is not taken twice."""
        return await self._take(agent, "/v1/checkpoints", asked)

    async def take_all(self, agent: Agent, asked: Sequence[Object]) -> list[Object]:
        """Has the checkpoints of all containers of a pod taken at one moment."""
        answer = await self._take(agent, "/v1/pods", {"checkpoints": list(asked)})
        return list(answer["items"])

    async def freezes(self, agent: Agent) -> bool:
        """Whether the agent can hold containers still."""
        return bool((await self._ask("GET", agent, "/v1/facts")).get("freezes"))

    async def checkpoints(self, agent: Agent) -> Sequence[Object]:
        """What an agent keeps."""
        items: Sequence[Object] = (await self._ask("GET", agent, "/v1/checkpoints"))["items"]
        return items

    async def remove(self, agent: Agent, checkpoint_id: str) -> None:
        """Has an archive removed."""
        await self._ask("DELETE", agent, f"/v1/checkpoints/{checkpoint_id}")

    async def introduce(self, agent: Agent, others: Sequence[Agent], bases: Sequence[str]) -> None:
        """Tells an agent of the others, and of the base images that its runtime may ask for."""
        peers = [other.address for other in others if other.node != agent.node]
        await self._ask("PUT", agent, "/v1/peers", {"peers": peers, "bases": list(bases)})

    async def copy(self, record: Object, target: Agents, agent: Agent) -> Object:
        """Has an archive sent to an agent of another cluster; gives the record that it has there."""
        source = await self.on_node(str(record["node"]))
        repository = f"ck/{record['id']}"
        path = f"{self._proxy(source)}/v1/registry/v2/{repository}/blobs/{record['digest']}"
        own = {HEADER: await self._read_token()}
        other = {HEADER: await target._read_token(), RECORD: json.dumps({key: record.get(key) for key in _TOLD})}
        return await self._kube.relay(path, own, target._kube, f"{target._proxy(agent)}/v1/archives", other)

    async def _take(self, agent: Agent, path: str, asked: Object) -> Object:
        """Asks again where the connection was cut after a silence, as load balancers do while a dump takes its time."""
        timeout = float((await self._installed()).dump_timeout * IN_TURN)
        ends = time.monotonic() + timeout
        while True:
            begun = time.monotonic()
            try:
                return await self._ask("POST", agent, path, asked, timeout=timeout)
            except KubeError as failed:
                now = time.monotonic()
                if failed.status not in CUT_OFF or now - begun < SILENCE or now > ends:
                    raise

    def _proxy(self, agent: Agent) -> str:
        port = agent.address.rpartition(":")[2]
        return f"/api/v1/namespaces/{self._namespace}/pods/https:{agent.pod}:{port}/proxy"

    async def _installed(self) -> Installation:
        found = await self.installation()
        if not found:
            raise BackendError(f"the node agent is not installed in namespace {self._namespace}")
        return found

    async def _ask(
        self,
        method: str,
        agent: Agent,
        path: str,
        body: Any = None,
        timeout: float = 30.0,  # noqa: ASYNC109 - of the connection
    ) -> Object:
        proxy = self._proxy(agent)
        for token in (self._token, ""):
            self._token = token or await self._read_token()
            try:
                return await self._kube.request(
                    method, proxy + path, body, headers={HEADER: self._token}, timeout=timeout
                )
            except KubeError as failed:
                if failed.status != 401 or not token:  # else the release was installed anew, with another token
                    raise KubeError(failed.status, f"node agent on {agent.node}: {failed}") from failed
        raise AssertionError("the second try ends in an answer or an error")

    async def _read_token(self) -> str:
        secret = await self._kube.get(f"/api/v1/namespaces/{self._namespace}/secrets/{SECRET}")
        return base64.b64decode((secret.get("data") or {}).get("token") or "").decode()


def _agent(pod: Object, port: int) -> Agent:
    address = pod["status"].get("hostIP") or pod["status"].get("podIP", "")
    return Agent(
        node=pod["spec"]["nodeName"],
        pod=pod["metadata"]["name"],
        address=f"[{address}]:{port}" if ":" in address else f"{address}:{port}",
    )
