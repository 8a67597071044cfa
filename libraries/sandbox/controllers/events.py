"""Events as the components of a cluster write them: the same one again raises its count."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..store import micro_timestamp, timestamp

if TYPE_CHECKING:
    from ..cluster import Cluster

_REMEMBERED = 20_000


class Recorder:
    """Writes events about objects."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._names: dict[tuple[str, ...], str] = {}

    def event(
        self,
        obj: dict[str, Any],
        reason: str,
        message: str,
        *,
        component: str,
        host: str = "",
        warning: bool = False,
        field_path: str = "",
    ) -> None:
        """An event as core/v1 clients write it (kubelet, controllers)."""
        namespace = obj["metadata"].get("namespace") or "default"
        key = (obj["metadata"]["uid"], reason, message, component, field_path)
        if self._repeated(namespace, key):
            return
        now = timestamp()
        source = {"component": component, **({"host": host} if host else {})}
        self._create(
            namespace,
            key,
            {
                **_about(obj, field_path, reason, message, warning),
                "source": source,
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
                "eventTime": None,
                "reportingComponent": component,
                "reportingInstance": host,
            },
        )

    def scheduler_event(
        self, pod: dict[str, Any], reason: str, message: str, action: str, *, warning: bool = False
    ) -> None:
        """An event as the scheduler writes it (events.k8s.io)."""
        namespace = pod["metadata"]["namespace"]
        key = (pod["metadata"]["uid"], reason, message, "scheduler")
        if key in self._names and self._cluster.store.get(kinds.EVENT, namespace, self._names[key]):
            return
        self._create(
            namespace,
            key,
            {
                **_about(pod, "", reason, message, warning),
                "source": {},
                "firstTimestamp": None,
                "lastTimestamp": None,
                "eventTime": micro_timestamp(),
                "action": action,
                "reportingComponent": "default-scheduler",
                "reportingInstance": "default-scheduler-emulated",
            },
        )

    def _repeated(self, namespace: str, key: tuple[str, ...]) -> bool:
        name = self._names.get(key)

        def again(event: dict[str, Any]) -> None:
            event["count"] = event.get("count", 1) + 1
            event["lastTimestamp"] = timestamp()

        return bool(name and self._cluster.store.change(kinds.EVENT, namespace, name, again))

    def _create(self, namespace: str, key: tuple[str, ...], body: dict[str, Any]) -> None:
        owner = self._cluster.store.get(kinds.NAMESPACE, None, namespace)
        if owner is None or owner["metadata"].get("deletionTimestamp"):
            return
        name = f"{body['involvedObject']['name']}.{time.time_ns():016x}"
        self._cluster.store.create(
            kinds.EVENT,
            {"kind": "Event", "apiVersion": "v1", "metadata": {"name": name, "namespace": namespace}, **body},
        )
        if len(self._names) >= _REMEMBERED:
            self._names.clear()
        self._names[key] = name


def _about(obj: dict[str, Any], field_path: str, reason: str, message: str, warning: bool) -> dict[str, Any]:
    metadata = obj["metadata"]
    involved = {
        "kind": obj["kind"],
        **({"namespace": metadata["namespace"]} if metadata.get("namespace") else {}),
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": obj["apiVersion"],
        "resourceVersion": metadata["resourceVersion"],
        **({"fieldPath": field_path} if field_path else {}),
    }
    return {
        "involvedObject": involved,
        "reason": reason,
        "message": message,
        "type": "Warning" if warning else "Normal",
    }
