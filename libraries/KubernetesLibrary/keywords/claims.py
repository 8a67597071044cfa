"""Keywords for storage, and for the workloads that have some."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api import logger
from robot.api.deco import keyword
from robot.utils import DotDict

from harness.kube import CLUSTERS

from .. import claims, facts, lookup, scaling
from .answers import all_dotted


class ClaimKeywords:
    """Claims to storage, and scaling of what makes pods with claims."""

    @keyword
    def get_default_storage_class(self, *, cluster: str | None = None) -> str:
        """Finds the StorageClass that claims get which name none.

        Args:
            cluster: alias; the first started cluster by default.

        Returns:
            Its name; empty where the cluster has none.

        Raises:
            OperationFailed: the cluster refuses.

        Example:

            ${class}=    Get Default Storage Class
            Should Not Be Empty    ${class}
        """
        found = claims.default_class(CLUSTERS.get(cluster))
        logger.info(f"The default StorageClass is {found or 'not there'}.")
        return found

    @keyword
    def get_claims_of_pod(self, name: str, namespace: str, *, cluster: str | None = None) -> list[DotDict]:
        """Gets the PersistentVolumeClaims that a pod uses.

        Args:
            name: of the pod.
            namespace: of the pod.
            cluster: alias; the first started cluster by default.

        Returns:
            The claims, with the API's field names, in the order of the pod's volumes.

        Raises:
            NotAsExpected: there is no such pod.

        Example:

            ${claims}=    Get Claims Of Pod    web    my-tests
            Should Be Empty    ${claims}
        """
        found = claims.of_pod(CLUSTERS.get(cluster), namespace, name)
        logger.info(f"Pod {name} uses {', '.join(one['metadata']['name'] for one in found) or 'no claim'}.")
        return all_dotted(found)

    @keyword(tags=["assertion"])
    def pod_should_have_claims(
        self, name: str, namespace: str, expected: list[dict[str, Any]], *, cluster: str | None = None
    ) -> None:
        """Fails unless a pod uses the very claims that are given, each with the volume that it had.

        A claim that was deleted and made again has another UID, and its volume is empty.

        Args:
            name: of the pod.
            namespace: of the pod.
            expected: the claims, as `Get Claims Of Pod` returned them.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: it uses others. The cause is `files-lost` for a pod that was found as a restored one.

        Example:

            ${claims}=    Get Claims Of Pod    web    my-tests
            Pod Should Have Claims    web    my-tests    ${claims}
        """
        where = CLUSTERS.get(cluster)
        restored = lookup.is_known_as_restored(where, facts.pod(where, namespace, name))
        claims.should_be(where, namespace, name, list(expected), "files-lost" if restored else "unknown")

    @keyword
    def scale_stateful_set(
        self,
        name: str,
        namespace: str,
        replicas: int,
        *,
        timeout: timedelta = timedelta(minutes=2),
        cluster: str | None = None,
    ) -> None:
        """Changes how many pods a StatefulSet has, and waits until it has so many. It makes no pod anew beyond that.

        Args:
            name: of the StatefulSet.
            namespace: where it is.
            replicas: how many pods it is to have; `0` for none, whose claims stay.
            timeout: until it has so many.
            cluster: alias; the first started cluster by default.

        Raises:
            OperationFailed: the cluster refuses.
            WaitTimedOut: it has more, or fewer; says how many.

        Example:

            Apply Manifest    ${CURDIR}/stateful.yaml    my-tests
            Scale Stateful Set    test-stateful    my-tests    0
        """
        scaling.scale(CLUSTERS.get(cluster), namespace, name, replicas, timeout.total_seconds())
        logger.info(f"StatefulSet {name} has {replicas} pods.")
