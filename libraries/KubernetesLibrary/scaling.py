"""Scaling a StatefulSet, by its scale subresource."""

from __future__ import annotations

from functools import partial

from harness.kube import Cluster, api_errors
from harness.kube.watching import Objects, watch_until
from harness.waiting import Done, Look, Pending


def scale(cluster: Cluster, namespace: str, name: str, replicas: int, timeout: float) -> None:
    """Asks for so many pods and waits until the set has them.

    Args:
        timeout: seconds.

    Raises:
        OperationFailed: the API refuses.
        WaitTimedOut: it has more, or fewer; says how many.
    """
    api = cluster.apps
    what = f"StatefulSet {namespace}/{name}"
    with api_errors(f"scale {what}"):
        api.patch_namespaced_stateful_set_scale(
            name, namespace, {"spec": {"replicas": replicas}}, _preload_content=False
        )

    def judge(sets: Objects) -> Look[None]:
        status = next((one.get("status") or {} for one in sets), {})
        count, ready = (int(status.get(key, 0)) for key in ("replicas", "readyReplicas"))
        return Done(None) if count == ready == replicas else Pending(f"it has {count} pods, {ready} of them Ready")

    with api_errors(f"watch {what}"):
        watch_until(
            partial(api.list_namespaced_stateful_set, namespace, field_selector=f"metadata.name={name}"),
            judge,
            timeout=timeout,
            expected=f"{what} to have {replicas} pods, all Ready,",
            look_next="the events of the set and of its pods",
            cause="not-ready" if replicas else "stuck-terminating",
        )
