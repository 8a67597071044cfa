"""Keywords for pods."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api import logger
from robot.api.deco import keyword
from robot.utils import DotDict

from harness.kube import CLUSTERS, pods

from .. import deletion, facts, groups, lookup, memory
from .answers import all_dotted, dotted


class PodKeywords:
    """Pods: awaited, looked at, deleted."""

    def __init__(self) -> None:
        super().__init__()
        self._going: list[deletion.Going] = []

    @keyword
    def wait_until_pod_is_ready(
        self, name: str, namespace: str, *, timeout: timedelta = timedelta(minutes=1), cluster: str | None = None
    ) -> DotDict:
        """Waits until the pod is Ready.

        Args:
            name: of the pod.
            namespace: of the pod.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            The pod, with the API's field names.

        Raises:
            WaitTimedOut: says in which state the pod was last seen, and for how long.
            NotAsExpected: the pod has ended.

        Example:

            ${pod}=    Wait Until Pod Is Ready    web    my-tests    timeout=2 min
        """
        pod = pods.wait_until_ready(CLUSTERS.get(cluster), namespace, name, timeout.total_seconds())
        logger.info(f"Pod {name} is Ready on node {pod['spec'].get('nodeName')}.")
        return dotted(pod)

    @keyword
    def wait_until_pods_are_ready(
        self,
        selector: str,
        namespace: str,
        *,
        at_least: int = 1,
        timeout: timedelta = timedelta(minutes=1),
        cluster: str | None = None,
    ) -> list[DotDict]:
        """Waits until there are enough pods with these labels and all of them are Ready.

        Pods that have done their work (Succeeded) or are being deleted do not count.

        Args:
            selector: label selector, as kubectl has it.
            namespace: of the pods.
            at_least: how many pods there must be.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            The pods, with the API's field names.

        Raises:
            WaitTimedOut: says in which state each of the others was last seen.

        Example:

            Wait Until Pods Are Ready    app.kubernetes.io/instance=cedana    cedana-system    at_least=2
        """
        found = groups.wait_until_ready(CLUSTERS.get(cluster), namespace, selector, at_least, timeout.total_seconds())
        logger.info(f"Ready: {', '.join(pod['metadata']['name'] for pod in found)}.")
        return all_dotted(found)

    @keyword
    def wait_until_pod_status_is(
        self,
        name: str,
        namespace: str,
        status: str,
        *,
        timeout: timedelta = timedelta(minutes=1),
        cluster: str | None = None,
    ) -> DotDict:
        """Waits until the pod has that status, as far as it goes by one word.

        Args:
            name: of the pod.
            namespace: of the pod.
            status: a phase (`Pending`, `Running`, `Succeeded`, `Failed`), or the reason for which one of its containers
                waits or has ended, such as `CrashLoopBackOff`, `ImagePullBackOff` or `Completed`.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            The pod, with the API's field names.

        Raises:
            WaitTimedOut: says in which state the pod was last seen, and for how long.

        Example:

            Wait Until Pod Status Is    web    my-tests    Running
        """
        where = CLUSTERS.get(cluster)
        return dotted(pods.wait_until_status(where, namespace, name, status, timeout.total_seconds()))

    @keyword(tags=["assertion"])
    def pod_should_stay_ready(
        self,
        name: str,
        namespace: str,
        *,
        duration: timedelta = timedelta(seconds=5),
        since: dict[str, Any] | None = None,
        cluster: str | None = None,
    ) -> DotDict:
        """Watches a pod, which must stay Ready as the same pod and without a container restart.

        Args:
            name: of the pod.
            namespace: of the pod.
            duration: for how long from now on.
            since: the pod as a keyword returned it that waited until it was Ready: it must have stayed so from then on.
            cluster: alias; the first started cluster by default.

        Returns:
            The pod, with the API's field names.

        Raises:
            NotAsExpected: it did not stay so; says what changed. The cause is `restored-pod-unstable` for a pod that
                was found as a restored one.

        Example:

            Pod Should Stay Ready    web    my-tests    duration=2 s
        """
        where = CLUSTERS.get(cluster)
        before = facts.pod(where, namespace, name)
        first = since or before
        cause = "restored-pod-unstable" if lookup.is_known_as_restored(where, first) else "not-ready"
        pods.stay_ready(where, namespace, name, duration.total_seconds(), before=first, cause=cause)
        if since:
            pods.has_stayed_ready(where, since, cause=cause)
        return dotted(before)

    @keyword(tags=["assertion"])
    def pod_should_run_out_of_memory(
        self, name: str, namespace: str, *, timeout: timedelta = timedelta(seconds=30), cluster: str | None = None
    ) -> str:
        """Waits until the kernel kills a container of the pod for taking more memory than its limit (OOMKilled).

        It tells whether a limit is in force, where a container takes all that it can get. Exit code 137 counts, too:
        a runtime that misses the kernel's event gives another reason.

        Args:
            name: of the pod.
            namespace: of the pod.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            The name of the container.

        Raises:
            NotAsExpected: a container ended for another reason; says which. The cause is `pod-changed` for a pod that
                was found as a restored one.
            WaitTimedOut: none ends, so the limit is not in force; the cause as above.

        Example:

            Execute In Pod    eater    my-tests    touch    /tmp/eat
            Pod Should Run Out Of Memory    eater    my-tests
        """
        where = CLUSTERS.get(cluster)
        known = lookup.is_known_as_restored(where, facts.pod(where, namespace, name))
        cause = "pod-changed" if known else "unknown"
        container = memory.out_of_memory(where, namespace, name, timeout.total_seconds(), cause)
        logger.info(f"Container {container} of pod {name} was killed for its use of memory.")
        return container

    @keyword
    def get_pod(self, name: str, namespace: str, *, cluster: str | None = None) -> DotDict:
        """Gets a pod as it is now.

        Args:
            name: of the pod.
            namespace: of the pod.
            cluster: alias; the first started cluster by default.

        Returns:
            The pod, with the API's field names: `${pod.status.phase}`, `${pod.spec.nodeName}`.

        Raises:
            NotAsExpected: there is none; names the pods that there are.

        Example:

            ${pod}=    Get Pod    web    my-tests
            Log    ${pod.status.podIP}
        """
        return dotted(facts.pod(CLUSTERS.get(cluster), namespace, name))

    @keyword
    def list_pods(self, namespace: str, *, selector: str | None = None, cluster: str | None = None) -> list[DotDict]:
        """Lists the pods of a namespace, by name.

        Args:
            namespace: of the pods.
            selector: label selector, as kubectl has it; all pods by default.
            cluster: alias; the first started cluster by default.

        Returns:
            The pods, with the API's field names.

        Raises:
            OperationFailed: the cluster refuses.

        Example:

            ${pods}=    List Pods    my-tests    selector=app=web
            Log    ${pods}[0][metadata][name]
        """
        found = facts.pods(CLUSTERS.get(cluster), namespace, selector)
        logger.info(f"Pods in namespace {namespace}: {', '.join(pod['metadata']['name'] for pod in found) or 'none'}.")
        return all_dotted(found)

    @keyword(tags=["assertion"])
    def pod_should_not_exist(self, name: str, namespace: str, *, cluster: str | None = None) -> None:
        """Fails when there is a pod of that name. It does not wait.

        Args:
            name: of the pod.
            namespace: of the pod.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: says in which state the pod is.

        Example:

            Delete Pod    web    my-tests
            Pod Should Not Exist    web    my-tests
        """
        facts.no_pod(CLUSTERS.get(cluster), namespace, name)

    @keyword
    def delete_pod(
        self,
        name: str,
        namespace: str,
        *,
        uid: str | None = None,
        wait: bool = True,
        timeout: timedelta = timedelta(minutes=1),
        cluster: str | None = None,
    ) -> None:
        """Deletes a pod and waits until it is gone. Fine when it is gone already.

        Only the pod that has the name now is deleted and awaited, not one that takes its name afterwards.

        Args:
            name: of the pod.
            namespace: of the pod.
            uid: only the pod with this UID; another one of that name is left alone.
            wait: with False it is only asked to go; `Wait Until Deleted Pods Are Gone` waits for it, beside others.
            timeout: how long to wait until it is gone.
            cluster: alias; the first started cluster by default.

        Raises:
            WaitTimedOut: it is still there; says in which state.
            OperationFailed: the cluster refuses.

        Example:

            Delete Pod    web    my-tests
        """
        going = deletion.ask_for_end(CLUSTERS.get(cluster), namespace, name, uid)
        if going.there and not wait:
            self._going.append(going)
            logger.info(f"Pod {name} was asked to go.")
            return
        if going.there:
            deletion.see_out(going, timeout.total_seconds())
        logger.info(f"Pod {name} {'is gone' if going.there else 'was not there'}.")

    @keyword
    def wait_until_deleted_pods_are_gone(
        self, *, timeout: timedelta = timedelta(minutes=1), cluster: str | None = None
    ) -> None:
        """Waits until all pods are gone that `Delete Pod` asked to go without waiting.

        Args:
            timeout: for each of them; one that is still there is not waited for again.
            cluster: alias of theirs; the first started cluster by default.

        Raises:
            WaitTimedOut: one is still there; says in which state.
            OperationFailed: the cluster refuses.

        Example:

            Delete Pod    web    my-tests    wait=False
            Wait Until Deleted Pods Are Gone
        """
        place = CLUSTERS.get(cluster)
        for going in [one for one in self._going if one.cluster is place]:
            self._going.remove(going)
            deletion.see_out(going, timeout.total_seconds())

    @keyword
    def evict_pod(
        self, name: str, namespace: str, *, timeout: timedelta = timedelta(minutes=1), cluster: str | None = None
    ) -> None:
        """Evicts a pod, as a drain of its node does, and waits until it is gone.

        Args:
            name: of the pod.
            namespace: of the pod.
            timeout: how long to wait, also for a disruption budget that does not let it go yet.
            cluster: alias; the first started cluster by default.

        Raises:
            WaitTimedOut: a disruption budget does not let it go, or it is still there.
            NotAsExpected: there is no such pod.
            OperationFailed: the cluster refuses.

        Example:

            Evict Pod    web    my-tests
        """
        deletion.evict_pod(CLUSTERS.get(cluster), namespace, name, timeout.total_seconds())
        logger.info(f"Pod {name} was evicted and is gone.")
