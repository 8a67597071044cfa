"""The stock backend: real clusters, one or several, with node agents."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from ..backend import BackendError, CheckpointRequest, ContainerCheckpoint, Node, Pod, RestoreRequest
from ..rows import node_row, pod_row
from . import hindrances
from .agents import Agent
from .cluster import StockCluster
from .explained import explained
from .kube import KubeError
from .restored import restored_pod
from .running import wait_until_restored
from .saved import Saved

Object = dict[str, Any]
NAME_VARIABLE = "CEDANA_CHECKPOINT"
KNOWN_FOR = 1.0
"""Seconds for which a cluster's id is taken for granted."""
_NODE = "metadata.name"
log = logging.getLogger(__name__)


class StockBackend:
    """A Backend. `saved` is what it remembers, by checkpoint action; it may be kept beyond this process.

    `owner` marks its archives at the agents: those of other propagators are left alone.
    """

    def __init__(self, clusters: Sequence[StockCluster], saved: MutableMapping[str, Saved], owner: str) -> None:
        self._clusters, self._saved, self._owner = clusters, saved, owner
        self._ids: dict[int, tuple[float, str]] = {}
        self._at_work: set[str] = set()

    async def find_pod(
        self, *, uid: str | None = None, namespace: str | None = None, name: str | None = None, cluster_id: str | None
    ) -> Pod | None:
        """The first pod that fits."""
        for known, cluster in await self._installed():
            if cluster_id not in (None, known):
                continue
            if uid:
                pods = await cluster.pods()
                found = next((pod for pod in pods if pod["metadata"]["uid"] == uid), None)
            else:
                found = await cluster.pod(namespace, name) if namespace and name else None
            if found:
                return pod_row(found, known)
        return None

    async def pods(self) -> Sequence[Pod]:
        """Every pod of every cluster with agents."""
        return [pod_row(pod, known) for known, cluster in await self._installed() for pod in await cluster.pods()]

    async def nodes(self) -> Sequence[Node]:
        """Every node of every cluster with agents."""
        found = []
        for known, cluster in await self._installed():
            leases = await cluster.leases()
            found += [node_row(node, known, leases.get(node["metadata"]["name"])) for node in await cluster.nodes()]
        return found

    async def cluster_ids(self) -> list[str]:
        """The ids of the clusters with agents, as their releases have them."""
        return [known for known, _ in await self._installed()]

    async def checkpoint(self, request: CheckpointRequest) -> Sequence[ContainerCheckpoint]:
        """Has the pod's agent take all containers, when it is this pod's turn on its node.

        Side by side, the cuts of several containers are some 20 ms apart (measured): they are not consistent with each
        other. They are where the agent can hold the others still while it takes one.
        """
        if request.kind != "simple":
            raise BackendError(f"checkpoints of kind {request.kind!r} need Cedana; a stock cluster takes 'simple' ones")
        cluster = await self._cluster(request.pod.cluster_id)
        self._at_work.update(request.checkpoint_ids)
        try:
            async with cluster.turns[request.pod.node]:
                pod = await self._source(cluster, request.pod)
                agent = await cluster.agents.on_node(request.pod.node)
                still = len(request.pod.containers) > 1 and await cluster.agents.freezes(agent)
                records = await self._taken(cluster, agent, request, _runtime_ids(pod) if still else {})
            consistent = still or len(records) == 1
            saved = Saved(request.action_id, request.pod.cluster_id, pod, records, consistent)
            self._saved[request.action_id] = saved
        finally:
            self._at_work.difference_update(request.checkpoint_ids)
        request.created()
        return [_container_checkpoint(saved, id_) for id_ in request.checkpoint_ids]

    async def restore(self, request: RestoreRequest) -> Pod:
        """Creates a pod from the checkpoint's images, and waits until its containers run."""
        saved = self._saved.get(request.checkpoint_action_id)
        if not saved:
            raise BackendError(f"nothing is stored for checkpoint action {request.checkpoint_action_id}")
        cluster_id = request.cluster_id or saved.cluster_id
        cluster = await self._cluster(cluster_id)
        if cluster_id != saved.cluster_id:
            saved = await self._copied(saved, cluster_id, cluster)
        pod = restored_pod(saved, request)
        await self._prepare(cluster, saved, pod)
        try:
            created = await cluster.create_pod(pod)
        except KubeError as refused:
            raise BackendError(f"failed to create the restored pod: {refused}") from refused
        names = {record["container"] for record in saved.records.values()}
        size = sum(int(record["size"]) for record in saved.records.values())
        try:
            return pod_row(await wait_until_restored(cluster, created, names, size), cluster_id)
        except KubeError:
            raise
        except BackendError as failed:
            raise BackendError(explained(str(failed))) from failed
        except asyncio.CancelledError:
            with suppress(BackendError):
                await cluster.delete_pod(created)
            raise

    async def forget(self, checkpoint_id: str) -> None:
        """Removes an archive from its node; one on a node that is no more went with it."""
        action_id = next((key for key, saved in self._saved.items() if checkpoint_id in saved.records), None)
        if action_id is None:
            return
        saved = self._saved[action_id]
        record = saved.records[checkpoint_id]
        for cluster_id, node in [*record.get("copies", []), (saved.cluster_id, record["node"])]:
            await self._remove(cluster_id, node, checkpoint_id)
        left = {id_: record for id_, record in saved.records.items() if id_ != checkpoint_id}
        if left:
            self._saved[action_id] = replace(saved, records=left)
        else:
            del self._saved[action_id]

    async def sweep(self) -> list[str]:
        """Removes this propagator's archives that nothing refers to; their ids. Agents that do not answer wait."""
        gone = []
        for _, cluster in await self._installed():
            for agent in await cluster.agents.ready():
                with suppress(BackendError):
                    for record in await cluster.agents.checkpoints(agent):
                        if record.get("owner") == self._owner and not self._is_known(record["id"]):
                            await cluster.agents.remove(agent, record["id"])
                            gone.append(record["id"])
        return gone

    async def close(self, *, clear: bool) -> None:
        """Lets go of the clusters; `clear`: all that it has saved goes, as far as agents answer."""
        if clear:
            for saved in list(self._saved.values()):
                for id_ in saved.records:
                    with suppress(BackendError):
                        await self.forget(id_)
        for cluster in self._clusters:
            await cluster.close()

    def _is_known(self, id_: str) -> bool:
        return id_ in self._at_work or any(id_ in saved.records for saved in self._saved.values())

    async def _installed(self) -> list[tuple[str, StockCluster]]:
        """The clusters with agents. Of several, one that does not answer is left out. Raises KubeError."""
        found = []
        for cluster in self._clusters:
            try:
                known = await self._id_of(cluster)
            except KubeError as silent:
                if len(self._clusters) == 1:
                    raise
                log.warning("%s", silent)
                continue
            if known:
                found.append((known, cluster))
        return found

    async def _id_of(self, cluster: StockCluster) -> str:
        at, known = self._ids.get(id(cluster), (0.0, ""))
        if not known or time.monotonic() - at > KNOWN_FOR:
            known = await cluster.cluster_id()
            self._ids[id(cluster)] = (time.monotonic(), known)
        return known

    async def _cluster(self, cluster_id: str) -> StockCluster:
        for known, cluster in await self._installed():
            if known == cluster_id:
                return cluster
        raise BackendError(f"the node agent is installed in no cluster with the id {cluster_id}")

    @staticmethod
    async def _source(cluster: StockCluster, pod: Pod) -> Object:
        """The pod as the API has it now, which must be this very one."""
        found = await cluster.pod(pod.namespace, pod.name)
        if not found or found["metadata"]["uid"] != pod.uid:
            raise BackendError(f"pod {pod.namespace}/{pod.name} is gone")
        if not pod.node:
            raise BackendError(f"pod {pod.namespace}/{pod.name} is on no node yet")
        return found

    async def _taken(
        self, cluster: StockCluster, agent: Agent, request: CheckpointRequest, runtime_ids: Mapping[str, str]
    ) -> dict[str, Object]:
        """The records of all containers by checkpoint id; where one fails, none is kept. `runtime_ids`: the containers'
        ids where they are to be held still."""
        pod = request.pod
        asked = [
            {"id": id_, "owner": self._owner, "namespace": pod.namespace, "pod": pod.name, "uid": pod.uid}
            | {"container": name}
            for id_, name in zip(request.checkpoint_ids, pod.containers, strict=True)
        ]
        answers: Sequence[Object | BaseException]
        if runtime_ids:
            told = [each | {"runtime_id": runtime_ids.get(str(each["container"]), "")} for each in asked]
            (whole,) = await asyncio.gather(cluster.agents.take_all(agent, told), return_exceptions=True)
            answers = [whole] if isinstance(whole, BaseException) else whole
        else:
            answers = await asyncio.gather(*(cluster.agents.take(agent, one) for one in asked), return_exceptions=True)
        failed = [answer for answer in answers if isinstance(answer, BaseException)]
        if not failed:
            return {answer["id"]: _with_cut(answer) for answer in answers if isinstance(answer, dict)}
        for each in asked:
            with suppress(BackendError):
                await cluster.agents.remove(agent, str(each["id"]))
        if unexpected := next((each for each in failed if not isinstance(each, BackendError)), None):
            raise unexpected
        raise BackendError("; ".join(dict.fromkeys(explained(str(each)) for each in failed)))

    async def _copied(self, saved: Saved, cluster_id: str, cluster: StockCluster) -> Saved:
        """The same with archives of its own in another cluster, on the first node there that can restore it."""
        nodes, agents = await asyncio.gather(cluster.nodes(), cluster.agents.ready())
        unfit = hindrances.of_nodes(saved, nodes, [agent.node for agent in agents])
        agent = next((agent for agent in agents if agent.node not in unfit), None)
        if agent is None:
            said = "; ".join(f"{name} {reason}" for name, reason in sorted(unfit.items()))
            raise BackendError(f"refused: no node of the other cluster can restore it. {said}")
        home = await self._cluster(saved.cluster_id)
        copies = {}
        for id_, record in saved.records.items():
            # Written down before it is made: what is not there is no error when it is removed.
            known = [place for place in record.get("copies", []) if tuple(place) != (cluster_id, agent.node)]
            record["copies"] = [*known, (cluster_id, agent.node)]
            self._saved[saved.action_id] = saved
            copies[id_] = _with_cut(await home.agents.copy(record, cluster.agents, agent))
        return replace(saved, cluster_id=cluster_id, records=copies)

    async def _prepare(self, cluster: StockCluster, saved: Saved, pod: Object) -> None:
        """Refuses what cannot come back, keeps the pod off nodes that cannot restore it, and lets agents know."""
        if reasons := list(hindrances.of_pod(saved, pod)):
            raise BackendError(f"refused: this cannot be restored. {'; '.join(reasons)}")
        nodes, helped = await asyncio.gather(cluster.nodes(), self._introduced(cluster, saved))
        sources = {record["node"] for record in saved.records.values()} - helped
        if sources:
            raise BackendError(f"refused: the archive is on {', '.join(sorted(sources))}, whose agent does not answer")
        unfit = hindrances.of_nodes(saved, nodes, helped)
        # What else a pod may have against a node, a cordon say, the scheduler knows best.
        fit = [node["metadata"]["name"] for node in nodes if node["metadata"]["name"] not in unfit]
        if not fit:
            said = "; ".join(f"{name} {reason}" for name, reason in sorted(unfit.items()))
            raise BackendError(f"refused: no node can restore it. {said}")
        if unfit:
            _keep_on(pod, fit)

    @staticmethod
    async def _introduced(cluster: StockCluster, saved: Saved) -> set[str]:
        """Lets the agents know of each other and of the base images; the nodes of those that answered."""
        agents = await cluster.agents.ready()
        bases = [str(record["base"]["digest"]) for record in saved.records.values() if record["base"].get("digest")]
        answers = await asyncio.gather(
            *(cluster.agents.introduce(agent, agents, bases) for agent in agents), return_exceptions=True
        )
        for answer in answers:
            if isinstance(answer, BaseException) and not isinstance(answer, BackendError):
                raise answer
        return {agent.node for agent, answer in zip(agents, answers, strict=True) if answer is None}

    async def _remove(self, cluster_id: str, node: str, checkpoint_id: str) -> None:
        cluster = await self._cluster(cluster_id)
        try:
            agent = await cluster.agents.on_node(node)
        except BackendError:
            if any(each["metadata"]["name"] == node for each in await cluster.nodes()):
                raise
            return
        await cluster.agents.remove(agent, checkpoint_id)


def _runtime_ids(pod: Object) -> dict[str, str]:
    """The runtime's ids of the pod's containers, by their names."""
    statuses = pod.get("status", {}).get("containerStatuses") or []
    return {each["name"]: str(each.get("containerID", "")).rpartition("/")[2] for each in statuses}


def _with_cut(record: Object) -> Object:
    """With the moment of the cut in seconds: when the runtime began, just before it paused the processes."""
    moment = record.get("checkpointed")
    try:
        cut = datetime.fromisoformat(str(moment)).timestamp()
    except ValueError:
        cut = float(record["asked"])
    return {**record, "cut": cut}


def _container_checkpoint(saved: Saved, id_: str) -> ContainerCheckpoint:
    record = saved.records[id_]
    specs: Sequence[Mapping[str, Any]] = saved.pod["spec"]["containers"]
    variables = next((spec.get("env") or [] for spec in specs if spec["name"] == record["container"]), [])
    return ContainerCheckpoint(
        container=record["container"],
        path=record["image"],
        size=int(record["size"]),
        name=next((each.get("value") for each in variables if each["name"] == NAME_VARIABLE), None),
        info={
            "node": record["node"],
            "digest": record["digest"],
            "checkpointed_at": record.get("checkpointed"),
            "cut_distance_seconds": round(saved.distance, 3),
            "consistent": saved.consistent,
        },
    )


def _keep_on(pod: Object, nodes: Sequence[str]) -> None:
    """Some nodes cannot restore: the scheduler is told which can, beside what the pod itself wants."""
    affinity = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
    required = affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", {"nodeSelectorTerms": [{}]})
    terms = required["nodeSelectorTerms"]
    # A field may be compared with one value only, so that each node has a term of its own.
    required["nodeSelectorTerms"] = [
        {**term, "matchFields": [*(term.get("matchFields") or []), {"key": _NODE, "operator": "In", "values": [node]}]}
        for term in terms
        for node in sorted(nodes)
    ]
