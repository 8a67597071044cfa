"""Keywords for many pods at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api import logger
from robot.api.deco import keyword
from robot.utils import DotDict

from harness.failures import BadInput
from harness.kube import CLUSTERS

from .. import crowds
from .answers import all_dotted


class CrowdKeywords:
    """Many pods of one namespace, waited for by one watch, however many they are."""

    @keyword
    def wait_until_all_pods_are_ready(
        self, names: list[str], namespace: str, *, timeout: timedelta = timedelta(minutes=1), cluster: str | None = None
    ) -> list[DotDict]:
        """Waits until each of the pods of these names is Ready.

        Args:
            names: of the pods.
            namespace: of the pods.
            timeout: for all of them.
            cluster: alias; the first started cluster by default.

        Returns:
            The pods, in the order of their names, with the API's field names.

        Raises:
            WaitTimedOut: says which are not Ready, and in which state they are.

        Example:

            VAR    @{names}    web
            @{pods}=    Wait Until All Pods Are Ready    ${names}    my-tests
        """
        if not names:
            raise BadInput("names", "", "one name or more")
        found = crowds.wait_until_named_are_ready(CLUSTERS.get(cluster), namespace, names, timeout.total_seconds())
        logger.info(f"{len(found)} pods are Ready.")
        return all_dotted(found)

    @keyword
    def expect_restored_pods(self, originals: list[dict[str, Any]], *, cluster: str | None = None) -> list[DotDict]:
        """Notes, before restores are asked for, that each makes a pod: it is removed at the end even of a broken run.

        Args:
            originals: the pods that were checkpointed, as `Wait Until All Pods Are Ready` returned them.
            cluster: alias of the cluster that they are restored in; the first started one by default.

        Returns:
            The pods that are there now, which `Wait Until Restored Pods Are Ready` takes as `known`.

        Raises:
            OperationFailed: the cluster refuses.

        Example:

            ${known}=    Expect Restored Pods    ${pods}
        """
        return all_dotted(crowds.expect(CLUSTERS.get(cluster), originals))

    @keyword
    def wait_until_restored_pods_are_ready(
        self,
        originals: list[dict[str, Any]],
        *,
        known: list[dict[str, Any]],
        timeout: timedelta = timedelta(minutes=1),
        cluster: str | None = None,
    ) -> list[DotDict]:
        """Waits until the pod restored from each of several pods is there and Ready; see `Find Restored Pod`.

        Args:
            originals: the pods that were checkpointed, all of one namespace.
            known: the pods that were there before, as `Expect Restored Pods` returned them.
            timeout: for all of them.
            cluster: alias; the first started cluster by default.

        Returns:
            The restored pods, in the order of their originals.

        Raises:
            WaitTimedOut: some are not there (cause `restored-pod-missing`) or not Ready; says which.
            NotAsExpected: several pods could be one of them, or one has ended.

        Example:

            @{restored}=    Wait Until Restored Pods Are Ready    ${pods}    known=${known}
        """
        if not originals:
            raise BadInput("originals", "", "one pod or more")
        crowds.same_namespace(originals)
        where = CLUSTERS.get(cluster)
        found = crowds.wait_until_restored(where, originals, known, timeout.total_seconds())
        logger.info(f"{len(found)} restored pods are Ready.")
        return all_dotted(found)

    @keyword
    def delete_pods(
        self,
        pods: list[dict[str, Any]],
        *,
        at_once: int = 10,
        timeout: timedelta = timedelta(minutes=2),
        cluster: str | None = None,
    ) -> None:
        """Deletes these very pods and waits until all are gone. Those that are gone already are fine.

        Args:
            pods: all of one namespace, as `Wait Until All Pods Are Ready` returned them; others of their names stay.
            at_once: how many are asked for at the same time.
            timeout: for all of them.
            cluster: alias; the first started cluster by default.

        Raises:
            WaitTimedOut: some are still there; says which.
            OperationFailed: the cluster refuses.

        Example:

            Delete Pods    ${restored}
        """
        crowds.same_namespace(pods)
        crowds.delete(CLUSTERS.get(cluster), pods, at_once, timeout.total_seconds())
        logger.info(f"{len(pods)} pods are gone.")
