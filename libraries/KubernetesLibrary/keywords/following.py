"""Keywords for the network around a pod: who leads to it, and who reaches it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from robot.api import logger
from robot.api.deco import keyword
from robot.utils import DotDict

from harness.failures import NotAsExpected
from harness.kube import CLUSTERS, api_errors, pods

from .. import following
from ..execution import Execution, Place
from .answers import dotted

Truth = Literal["True", "False"]


class FollowingKeywords:
    """Services, names and connections of other pods follow a pod that comes back as another one."""

    @keyword
    def wait_until_service_leads_to_pod(
        self,
        service: str,
        pod: dict[str, Any],
        *,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> None:
        """Waits until the EndpointSlices of a Service have that pod as their one ready endpoint, at its address.

        What led to the pod's predecessor must be gone by then.

        Args:
            service: its name; it is in the pod's namespace.
            pod: as `Get Pod` or `Wait Until Pod Is Ready` returned it.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: no such Service, or the pod has not the labels that it selects (cause `pod-changed`).
            WaitTimedOut: it leads elsewhere, too; says where; cause `stale-endpoints`.

        Example:

            Wait Until Service Leads To Pod    site    ${pod}
        """
        namespace = pod["metadata"]["namespace"]
        following.wait_until_leads_to(CLUSTERS.get(cluster), namespace, service, pod, timeout.total_seconds())

    @keyword
    def wait_until_service_leads_nowhere(
        self,
        service: str,
        namespace: str,
        *,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> None:
        """Waits until a Service has no ready endpoint, as while its only pod is gone or not Ready.

        Args:
            service: its name.
            namespace: of the Service.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: no such Service.
            WaitTimedOut: it has one; says which; cause `stale-endpoints`.

        Example:

            Delete Pod    site    my-tests
            Wait Until Service Leads Nowhere    site    my-tests
        """
        following.wait_until_leads_to(CLUSTERS.get(cluster), namespace, service, None, timeout.total_seconds())

    @keyword
    def wait_until_name_resolves_in_pod(
        self,
        name: str,
        addresses: list[str],
        pod: str,
        namespace: str,
        *,
        timeout: timedelta = timedelta(minutes=1),
        cluster: str | None = None,
    ) -> list[str]:
        """Waits until a name has exactly these addresses, as another pod of the cluster resolves it.

        It is asked with `getent hosts` in that pod, whose image must have it (alpine and debian do). A cluster's DNS
        keeps answers for a while, by default up to 30 s.

        Args:
            name: best a full one, such as `web.my-tests.svc.cluster.local`.
            addresses: that it must have; an empty list: none.
            pod: name of the pod that asks.
            namespace: of that pod.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            The addresses.

        Raises:
            WaitTimedOut: it has others; cause `stale-dns`.

        Example:

            VAR    @{addresses}    ${service.spec.clusterIP}
            Wait Until Name Resolves In Pod    site    ${addresses}    client    my-tests
        """
        place, seconds = CLUSTERS.get(cluster), timeout.total_seconds()
        found = following.wait_until_resolves(place, Place(namespace, pod), name, addresses, seconds)
        logger.info(f"{name} has {', '.join(found) or 'no address'}.")
        return found

    @keyword
    def wait_until_command_in_pod_prints(
        self,
        text: str,
        pod: str,
        namespace: str,
        *command: str,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> Execution:
        """Runs a command in a pod until it ends well and prints a text: how another pod reaches a server.

        Not for the pod that is about to be checkpointed: run it in a client beside it.

        Args:
            text: that its output must contain.
            pod: name of the pod that it runs in.
            namespace: of that pod.
            command: the program and each of its arguments.
            timeout: how long to try.
            cluster: alias; the first started cluster by default.

        Returns:
            What it did at last: `exit_code`, `stdout`, `stderr`.

        Raises:
            WaitTimedOut: it printed something else; cause `service-unreachable`.

        Example:

            Wait Until Command In Pod Prints    nginx    client    my-tests    wget    -qO-    http://site
        """
        place, seconds = CLUSTERS.get(cluster), timeout.total_seconds()
        return following.wait_until_prints(place, Place(namespace, pod), command, text, seconds)

    @keyword
    def set_pod_condition(
        self, name: str, namespace: str, condition: str, status: Truth = "True", *, cluster: str | None = None
    ) -> DotDict:
        """Sets a condition in a pod's status, as a controller does that opens or closes a readiness gate.

        Args:
            name: of the pod.
            namespace: of the pod.
            condition: type of the condition, as the pod's `readinessGates` name it.
            status: what it is to be.
            cluster: alias; the first started cluster by default.

        Returns:
            The pod then.

        Raises:
            OperationFailed: no such pod, or the cluster refuses.

        Example:

            Set Pod Condition    site    my-tests    example.com/admitted    True
        """
        return dotted(following.set_condition(CLUSTERS.get(cluster), namespace, name, condition, status))

    @keyword
    def wait_until_pod_has_condition(
        self,
        name: str,
        namespace: str,
        condition: str,
        status: Truth = "True",
        *,
        timeout: timedelta = timedelta(minutes=1),
        cluster: str | None = None,
    ) -> DotDict:
        """Waits until a pod has a condition with that status.

        Args:
            name: of the pod.
            namespace: of the pod.
            condition: its type, such as `ContainersReady`.
            status: what it must be.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            The pod then.

        Raises:
            WaitTimedOut: says what it has.
            OperationFailed: no such pod, or the cluster refuses.

        Example:

            Wait Until Pod Has Condition    site    my-tests    ContainersReady
        """
        seconds = timeout.total_seconds()
        place = CLUSTERS.get(cluster)
        return dotted(following.wait_until_condition(place, namespace, name, condition, status, timeout=seconds))

    @keyword(tags=["assertion"])
    def pod_should_wait_at_its_gates(self, name: str, namespace: str, *, cluster: str | None = None) -> None:
        """Fails unless a pod has readiness gates that keep it from being Ready, though its containers are.

        Args:
            name: of the pod.
            namespace: of the pod.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: it is Ready, or its spec has lost its gates; cause `pod-changed`.
            OperationFailed: no such pod, or the cluster refuses.

        Example:

            Pod Should Wait At Its Gates    gated    my-tests
        """
        with api_errors(f"read pod {namespace}/{name}"):
            pod = pods.get(CLUSTERS.get(cluster), namespace, name)
        gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
        if not gates or pods.is_ready(pod):
            state = "is Ready" if pods.is_ready(pod) else "is not Ready"
            raise NotAsExpected(
                f"pod {name} to wait at its readiness gates",
                f"it {state}, and its gates are: {', '.join(gates) or 'none'}",
                "the readiness gates and conditions of the pod that was checkpointed",
                cause="pod-changed",
            )
