"""Keywords for many containers at once: those of one pod, or those of many pods."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import BadInput

from . import several
from .cut import CutVerdict
from .observation import Observation, Workload
from .records import Records
from .several import AT_ONCE
from .verdict import Verdict


class SeveralKeywords(Records):
    """Lists in, lists out, in the same order."""

    @keyword(tags=["continuity"])
    def observe_containers(
        self,
        pod: str,
        namespace: str = "default",
        *,
        steps: int = 5,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> list[Observation]:
        """Waits until the witness of each of a pod's containers has printed some steps, and remembers them.

        Args:
            pod: its name; every one of its containers must have a witness of its own.
            namespace: where it is.
            steps: how many steps each must have printed.
            timeout: for them.
            cluster: alias of the cluster.

        Returns:
            An observation a container, in the order of the pod's spec.

        Raises:
            NotAsExpected: names the containers that have not printed so many (cause `witness-missing`).

        ```robotframework
        @{all}=    Observe Containers    pair    my-tests
        ```
        """
        place = self._cluster(cluster)
        names = several.containers_of(place, namespace, pod)
        return self._observe([Workload(place.alias, namespace, pod, name) for name in names], steps, timeout, AT_ONCE)

    @keyword(tags=["continuity"])
    def observe_workloads(
        self,
        pods: list[str],
        namespace: str = "default",
        *,
        container: str = "",
        steps: int = 5,
        timeout: timedelta = timedelta(seconds=30),
        at_once: int = AT_ONCE,
        cluster: str | None = None,
    ) -> list[Observation]:
        """Waits until the witness of each of several pods has printed some steps, and remembers them.

        Args:
            pods: their names.
            namespace: where they are.
            container: whose log has the witness; needed where a pod has several.
            steps: how many steps each must have printed.
            timeout: for the steps of each.
            at_once: how many pods are looked at at the same time.
            cluster: alias of the cluster.

        Returns:
            An observation a pod, in the order of `pods`.

        Raises:
            NotAsExpected: names the pods that have not printed so many (cause `witness-missing`).

        ```robotframework
        VAR    @{names}    web
        @{observed}=    Observe Workloads    ${names}    my-tests
        ```
        """
        place = self._cluster(cluster)
        workloads = [Workload(place.alias, namespace, pod, container) for pod in pods]
        return self._observe(workloads, steps, timeout, at_once)

    @keyword(tags=["continuity", "assertion"])
    def containers_should_have_continued(
        self,
        before: list[Observation],
        pod: str,
        namespace: str | None = None,
        *,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> list[Verdict]:
        """Fails unless the process of each container is the one that was checkpointed, and goes on.

        That all of them go on does not mean that they are from one moment: see `Cut Should Be Consistent`.

        Args:
            before: the containers as `Observe Containers` saw them.
            pod: name of the restored pod.
            namespace: where it is; the observed pod's when it is not given.
            timeout: for the steps that show it.
            cluster: alias of the restored pod's cluster; the observed pod's when it is not given.

        Returns:
            A verdict a container.

        Raises:
            NotAsExpected: a line for each container that did not; the cause is that of the first, or
                `inconsistent-cut` where some went on and the others are from other moments.

        ```robotframework
        Containers Should Have Continued    ${all}    pair-restored
        ```
        """
        return self._demand_continued(_pairs(before, [pod] * len(before), namespace, cluster), timeout, one_pod=True)

    @keyword(tags=["continuity", "assertion"])
    def workloads_should_have_continued(
        self,
        before: list[Observation],
        pods: list[str],
        namespace: str | None = None,
        *,
        timeout: timedelta = timedelta(seconds=30),
        at_once: int = AT_ONCE,
        cluster: str | None = None,
    ) -> list[Verdict]:
        """Fails unless the process of each restored pod is the one that was checkpointed, and goes on.

        Args:
            before: the pods as `Observe Workloads` saw them.
            pods: names of the restored pods, in the same order.
            namespace: where they are; the observed pods' when it is not given.
            timeout: for the steps of each that show it.
            at_once: how many pods are looked at at the same time.
            cluster: alias of the restored pods' cluster; the observed pods' when it is not given.

        Returns:
            A verdict a pod.

        Raises:
            BadInput: not as many pods as observations.
            NotAsExpected: a line for each pod that did not; the cause is that of the first.

        ```robotframework
        VAR    @{names}    web-restored
        Workloads Should Have Continued    ${observed}    ${names}
        ```
        """
        if len(pods) != len(before):
            raise BadInput("pods", f"{len(pods)} names", f"one for each of the {len(before)} observations")
        pairs = _pairs(before, pods, namespace, cluster)
        return self._demand_continued(pairs, timeout, one_pod=False, at_once=at_once)

    @keyword(tags=["continuity", "assertion"])
    def cut_should_be_consistent(
        self,
        before: list[Observation],
        pod: str,
        namespace: str | None = None,
        *,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> CutVerdict:
        """Fails unless the containers of a pod were restored from one moment, as the messages between them tell it.

        The containers must run the witness that exchanges messages (`resources/workloads/two_containers.yaml`). A
        message that one has got and the other, as it was restored, has not sent came *from the future*; one that the
        sender knows to have arrived and the receiver never got is *lost*; one that was got twice is *doubled*.

        Args:
            before: the containers as `Observe Containers` saw them.
            pod: name of the restored pod.
            namespace: where it is; the observed pod's when it is not given.
            timeout: for the messages that show it.
            cluster: alias of the restored pod's cluster; the observed pod's when it is not given.

        Returns:
            The verdict: kind, messages (how many were followed), apart_at_least and apart_at_most (seconds between the
            containers' checkpoints, None when not known).

        Raises:
            NotAsExpected: it is not consistent (cause `inconsistent-cut`), or cannot be told (`evidence-missing`).

        ```robotframework
        ${cut}=    Cut Should Be Consistent    ${all}    pair-restored
        Log    ${cut.apart_at_most}
        ```
        """
        pairs = _pairs(before, [pod] * len(before), namespace, cluster)
        clusters = {alias: self._cluster(alias) for one, restored in pairs for alias in _aliases(one, restored)}
        verdict = several.await_cut(pairs, clusters, timeout=timeout.total_seconds())
        facts = {"workload": str(before[0].workload), "restored": str(pairs[0][1]), "control_arm": False}
        self._verdicts.append(facts | verdict.to_dict())
        logger.info(str(verdict))
        several.demand_consistent(verdict)
        return verdict

    def _observe(self, workloads: list[Workload], steps: int, timeout: timedelta, at_once: int) -> list[Observation]:
        if not workloads:
            raise BadInput("workloads", "", "one pod or more")
        place = self._cluster(workloads[0].cluster)
        found = several.observe(place, workloads, steps=steps, timeout=timeout.total_seconds(), at_once=at_once)
        for observation in found:
            observation.others = self._nonces
            self._nonces[observation.nonce] = str(observation.workload)
            logger.info(str(observation))
        return found

    def _demand_continued(
        self,
        pairs: list[tuple[Observation, Workload]],
        timeout: timedelta,
        *,
        one_pod: bool,
        at_once: int = AT_ONCE,
    ) -> list[Verdict]:
        judged = several.judge_all(pairs, self._cluster, timeout=timeout.total_seconds(), at_once=at_once)
        for one in judged:
            if one.verdict is not None:
                self._record(one.verdict, one.before.workload, one.restored)
            logger.info(str(one))
        several.demand_continued(judged, one_pod=one_pod)
        return [one.verdict for one in judged if one.verdict is not None]


def _pairs(
    before: list[Observation], pods: list[str], namespace: str | None, cluster: str | None
) -> list[tuple[Observation, Workload]]:
    if not before:
        raise BadInput("before", "", "one observation or more")
    return [
        (one, Workload(cluster or was.cluster, namespace or was.namespace, pod, was.container))
        for one, pod in zip(before, pods, strict=True)
        for was in (one.workload,)
    ]


def _aliases(before: Observation, restored: Workload) -> tuple[str, str]:
    return before.workload.cluster, restored.cluster
