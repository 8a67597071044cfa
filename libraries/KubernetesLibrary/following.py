"""Whether the network follows a pod: a Service's EndpointSlices, the cluster's DNS, and what another pod reaches."""

from __future__ import annotations

from collections.abc import Sequence

from harness.failures import NotAsExpected
from harness.kube import Cluster, api_errors, objects, pods
from harness.kube.endpoints import Endpoint, endpoints_of
from harness.kube.errors import patiently
from harness.kube.watching import Obj
from harness.waiting import Done, Look, Pending, wait_until

from .execution import Execution, Place, execute

ONE_COMMAND = 10.0
"""Seconds for one command in a pod."""


def wait_until_leads_to(cluster: Cluster, namespace: str, service: str, pod: Obj | None, timeout: float) -> None:
    """Waits until the ready endpoints of a Service are that pod and nothing else; None: until there are none.

    Raises:
        NotAsExpected: there is no such Service; the pod has not the labels that it selects (cause `pod-changed`).
        WaitTimedOut: they are others; says which; cause `stale-endpoints`.
        OperationFailed: the API refuses.
    """
    _should_select(cluster, namespace, service, pod)
    wanted = [] if pod is None else [(pod["metadata"]["uid"], pod["status"]["podIP"])]

    def look() -> Look[None]:
        found = endpoints_of(cluster, namespace, service)
        ready = [(one.uid, one.address) for one in found if one.ready]
        return Done(None) if ready == wanted else Pending(f"its endpoints are: {_shown(found)}")

    name = f"pod {pod['metadata']['name']} at {pod['status']['podIP']} only" if pod else "no ready pod"
    wait_until(
        lambda: patiently(look),
        timeout=timeout,
        expected=f"Service {namespace}/{service} to lead to {name}",
        look_next="its EndpointSlices, and the controller manager's log",
        cause="stale-endpoints",
    )


def _shown(found: Sequence[Endpoint]) -> str:
    return ", ".join(map(str, found)) or "none"


def _should_select(cluster: Cluster, namespace: str, service: str, pod: Obj | None) -> None:
    found = objects.find(cluster, "v1", "Service", namespace, service)
    if found is None:
        raise NotAsExpected(f"a Service {service} in namespace {namespace}", "there is none", cause="bad-manifest")
    labels = (pod["metadata"].get("labels") or {}) if pod else {}
    selector = found["spec"].get("selector") or {}
    lacking = {key: value for key, value in selector.items() if labels.get(key) != value}
    if pod and lacking:
        raise NotAsExpected(
            f"pod {pod['metadata']['name']} to have the labels that Service {service} selects: {selector}",
            f"it has {labels or 'no labels'}",
            "the labels of the pod that was checkpointed",
            cause="pod-changed",
        )


def wait_until_resolves(
    cluster: Cluster, client: Place, name: str, addresses: Sequence[str], timeout: float
) -> list[str]:
    """Waits until a name has exactly these addresses as another pod resolves it, with `getent` of its image.

    Args:
        client: the pod that asks.
        addresses: IP addresses; empty: it must have none.

    Raises:
        WaitTimedOut: it has others; cause `stale-dns`.
        OperationFailed: the command cannot be run.
    """
    wanted = sorted(addresses)

    def look() -> Look[list[str]]:
        answer = execute(cluster, client, ("getent", "hosts", name), ONE_COMMAND)
        found = sorted({line.split()[0] for line in answer.stdout.splitlines() if line.split()})
        if (answer.exit_code == 0 and found == wanted) or (answer.exit_code != 0 and not wanted):
            return Done(found)
        return Pending(f"it has {', '.join(found)}" if found else f"it has none ({answer})")

    return wait_until(
        look,
        timeout=timeout,
        expected=f"{name} to have the address {', '.join(wanted) or '(none)'} in {client}",
        look_next="the pods of the cluster's DNS, and the EndpointSlices that they answer from",
        cause="stale-dns",
    )


def wait_until_prints(cluster: Cluster, client: Place, command: Sequence[str], text: str, timeout: float) -> Execution:
    """Runs a command in a pod until it ends well and prints that text.

    Raises:
        WaitTimedOut: it did not; says what it printed; cause `service-unreachable`.
        OperationFailed: the command cannot be run.
    """

    def look() -> Look[Execution]:
        answer = execute(cluster, client, command, ONE_COMMAND)
        good = answer.exit_code == 0 and text in answer.stdout
        return Done(answer) if good else Pending(str(answer))

    return wait_until(
        look,
        timeout=timeout,
        expected=f"{' '.join(command)} in {client} to print {text!r}",
        look_next="the endpoints of the Service, network policies, and kube-proxy on the client's node",
        cause="service-unreachable",
    )


def set_condition(cluster: Cluster, namespace: str, name: str, condition: str, status: str) -> Obj:
    """Sets a condition in a pod's status, as a controller does that opens a readiness gate; the pod then.

    Raises:
        OperationFailed: there is no such pod, or the API refuses.
    """
    change = {"status": {"conditions": [{"type": condition, "status": status}]}}
    with api_errors(f"set condition {condition} of pod {namespace}/{name}"):
        return pods.raw(cluster.core.patch_namespaced_pod_status, name, namespace, change)


def wait_until_condition(
    cluster: Cluster, namespace: str, name: str, condition: str, status: str, *, timeout: float
) -> Obj:
    """Waits until a pod has a condition with that status; the pod then.

    Raises:
        WaitTimedOut: says what it has; cause `not-ready`.
        OperationFailed: there is no such pod, or the API refuses.
    """

    def look() -> Look[Obj]:
        with api_errors(f"read pod {namespace}/{name}"):
            pod = pods.get(cluster, namespace, name)
        found = pods.condition(pod, condition)
        if found and found["status"] == status:
            return Done(pod)
        has = f"{condition} is {found['status']} ({found.get('reason') or 'no reason'})" if found else f"no {condition}"
        return Pending(f"{has}; {pods.state_of(pod).seen}")

    return wait_until(
        look,
        timeout=timeout,
        expected=f"condition {condition} of pod {name} to be {status}",
        look_next=pods.LOOK_AT_EVENTS,
        cause="not-ready",
    )
