"""Keywords for what controllers do: kinds of their own, and pods that belong to somebody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api import logger
from robot.api.deco import keyword

from harness.kube import CLUSTERS

from .. import facts, lookup, owners


class OwnerKeywords:
    """Owners of pods: who has a pod removed when he goes, and who makes it anew when it is lost."""

    @keyword
    def wait_until_kind_is_served(
        self,
        kind: str,
        *,
        api_version: str,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> None:
        """Waits until the cluster serves a kind, as after its CustomResourceDefinition was applied.

        Args:
            kind: as in a manifest.
            api_version: as in a manifest, such as `example.com/v1`.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Raises:
            WaitTimedOut: it does not serve it.

        Example:

            Wait Until Kind Is Served    Deployment    api_version=apps/v1
        """
        owners.wait_until_served(CLUSTERS.get(cluster), api_version, kind, timeout.total_seconds())

    @keyword(tags=["assertion"])
    def pod_should_belong_to_nobody_but(
        self, name: str, namespace: str, owner: dict[str, Any], *, cluster: str | None = None
    ) -> bool:
        """Fails when a pod belongs to another object than `owner`. It may belong to nobody.

        A pod goes with its owner: one whose owner is not there is removed by the cluster at once.

        Args:
            name: of the pod.
            namespace: of the pod.
            owner: the object, as `Apply Manifest` or `Find Object` returned it.
            cluster: alias; the first started cluster by default.

        Returns:
            Whether it belongs to `owner`.

        Raises:
            NotAsExpected: it belongs to somebody else. The cause is `pod-changed` for a pod that was found as a
                restored one.

        Example:

            ${config}=    Find Object    ConfigMap    kube-root-ca.crt    my-tests
            ${belongs}=    Pod Should Belong To Nobody But    web    my-tests    ${config}
            Should Not Be True    ${belongs}
        """
        where = CLUSTERS.get(cluster)
        restored = lookup.is_known_as_restored(where, facts.pod(where, namespace, name))
        belongs = owners.belongs_to(where, namespace, name, owner, "pod-changed" if restored else "unknown")
        whose = f"{owner['kind']} {owner['metadata']['name']}" if belongs else "nobody"
        logger.info(f"Pod {name} belongs to {whose}.")
        return belongs

    @keyword
    def give_pod_an_owner(
        self, name: str, namespace: str, owner: dict[str, Any], *, cluster: str | None = None
    ) -> None:
        """Makes a pod belong to an object, as a controller does with a pod that it takes for its own.

        Args:
            name: of the pod.
            namespace: of the pod.
            owner: the object, as `Apply Manifest` or `Find Object` returned it; in the same namespace, or in none.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: there is no such pod, or it belongs to somebody else.
            OperationFailed: the cluster refuses.

        Example:

            ${config}=    Find Object    ConfigMap    kube-root-ca.crt    my-tests
            Give Pod An Owner    web    my-tests    ${config}
        """
        owners.adopt(CLUSTERS.get(cluster), namespace, name, owner)
        logger.info(f"Pod {name} belongs to {owner['kind']} {owner['metadata']['name']}.")

    @keyword
    def wait_until_pod_is_gone(
        self, name: str, namespace: str, *, timeout: timedelta = timedelta(minutes=1), cluster: str | None = None
    ) -> None:
        """Waits until there is no pod of that name, which somebody else removes.

        Args:
            name: of the pod.
            namespace: of the pod.
            timeout: how long to wait.
            cluster: alias; the first started cluster by default.

        Raises:
            WaitTimedOut: it is still there; says in which state.

        Example:

            Wait Until Pod Is Gone    no-such-pod    my-tests
        """
        owners.wait_until_gone(CLUSTERS.get(cluster), namespace, name, timeout.total_seconds())
