"""Keywords for restored pods."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from robot.api import logger
from robot.api.deco import keyword
from robot.utils import DotDict

from harness.kube import CLUSTERS

from .. import lookup
from .answers import all_dotted, dotted


class RestoredPodKeywords:
    """The pod that a restore made. Its name is not known beforehand, so it is found by what it must and must not be."""

    @keyword
    def expect_restored_pod(
        self, original: dict[str, Any], *, name: str | None = None, cluster: str | None = None
    ) -> list[DotDict]:
        """Notes, before a restore is asked for, that it makes a pod: it is removed at the end even of a broken run.

        Args:
            original: the pod that was checkpointed, as `Get Pod` or `Wait Until Pod Is Ready` returned it.
            name: the name that the restore will ask for, if it asks for one.
            cluster: alias; the first started cluster by default.

        Returns:
            The pods that are there now, which `Wait Until Restored Pod Is Ready` takes as `known`.

        Raises:
            OperationFailed: the cluster refuses.

        Example:

            ${known}=    Expect Restored Pod    ${original}    name=web-again
            Restore Pod    ${checkpoint}    name=web-again
        """
        return all_dotted(lookup.expect(CLUSTERS.get(cluster), original, name))

    @keyword
    def find_restored_pod(
        self,
        original: dict[str, Any],
        *,
        name: str | None = None,
        known: list[dict[str, Any]] | None = None,
        asked_at: datetime | None = None,
        cluster: str | None = None,
    ) -> DotDict:
        """Finds the pod that was restored from another one, Ready or not. It is removed at the run's end.

        Its name is the one that the restore asked for; else `<original>-restored...` or the original's own. It has
        another UID than the original and was not there before the restore was asked for.

        Args:
            original: the pod that was checkpointed, as `Get Pod` or `Wait Until Pod Is Ready` returned it.
            name: the name that the restore asked for, if it asked for one.
            known: the pods that were there before the restore was asked for, as `Expect Restored Pod` returned them.
            asked_at: when it was asked for, by the cluster's clock; `known` is surer, as pods tell whole seconds only.
            cluster: alias; the first started cluster by default.

        Returns:
            The pod, with the API's field names.

        Raises:
            NotAsExpected: there is none, or several could be it; lists the pods and why each is not the one.

        Example:

            ${restored}=    Find Restored Pod    ${original}
            Should Not Be Equal    ${restored.metadata.uid}    ${original.metadata.uid}
        """
        wanted = lookup.sought(original, name, known, asked_at)
        return dotted(lookup.find(CLUSTERS.get(cluster), original["metadata"]["namespace"], wanted))

    @keyword
    def wait_until_restored_pod_is_ready(
        self,
        original: dict[str, Any],
        *,
        name: str | None = None,
        known: list[dict[str, Any]] | None = None,
        asked_at: datetime | None = None,
        timeout: timedelta = timedelta(minutes=1),
        cluster: str | None = None,
    ) -> DotDict:
        """Waits until the pod that was restored from another one is there and Ready; see `Find Restored Pod`.

        Args:
            original: the pod that was checkpointed, as `Get Pod` or `Wait Until Pod Is Ready` returned it.
            name: the name that the restore asked for, if it asked for one.
            known: the pods that were there before the restore was asked for, as `Expect Restored Pod` returned them.
            asked_at: when it was asked for, by the cluster's clock.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            The pod, with the API's field names.

        Raises:
            WaitTimedOut: there is none (cause `restored-pod-missing`) or it is not Ready; says what was last seen.
            NotAsExpected: several could be it, or it has ended.

        Example:

            ${known}=    Expect Restored Pod    ${original}
            Restore Pod    ${checkpoint}
            ${restored}=    Wait Until Restored Pod Is Ready    ${original}    known=${known}
        """
        wanted = lookup.sought(original, name, known, asked_at)
        namespace = original["metadata"]["namespace"]
        pod = lookup.wait_until_ready(CLUSTERS.get(cluster), namespace, wanted, timeout.total_seconds())
        logger.info(f"Pod {pod['metadata']['name']} was restored from {wanted.original} and is Ready.")
        return dotted(pod)

    @keyword
    def wait_until_restored_pod_is_unschedulable(
        self,
        original: dict[str, Any],
        *,
        name: str | None = None,
        known: list[dict[str, Any]] | None = None,
        timeout: timedelta = timedelta(minutes=1),
        cluster: str | None = None,
    ) -> str:
        """Waits until the restored pod is Pending because no node can take it, which must be said clearly.

        Args:
            original: the pod that was checkpointed, as `Get Pod` or `Wait Until Pod Is Ready` returned it.
            name: the name that the restore asked for, if it asked for one.
            known: the pods that were there before the restore was asked for, as `Expect Restored Pod` returned them.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Returns:
            The scheduler's words: `0/2 nodes are available: 2 Insufficient memory. ...`.

        Raises:
            NotAsExpected: it was put on a node, so it asks for less than the original did (cause `pod-changed`); or
                several pods could be it.
            WaitTimedOut: there is none (cause `restored-pod-missing`), or nobody says why it waits.

        Example:

            ${why}=    Wait Until Restored Pod Is Unschedulable    ${original}    known=${known}
            Should Contain    ${why}    Insufficient
        """
        wanted = lookup.sought(original, name, known or [], None)
        namespace = original["metadata"]["namespace"]
        why = lookup.wait_until_unschedulable(CLUSTERS.get(cluster), namespace, wanted, timeout.total_seconds())
        logger.info(f"The pod restored from {wanted.original} is Pending: {why}")
        return why
