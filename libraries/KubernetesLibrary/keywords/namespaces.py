"""Keywords for namespaces."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.kube import CLUSTERS
from harness.kube.objects import PodSecurity

from .. import namespaces


class NamespaceKeywords:
    """Namespaces of a run."""

    @keyword
    def create_namespace(
        self,
        name: str,
        *,
        pod_security: PodSecurity | None = None,
        timeout: timedelta = timedelta(seconds=30),
        cluster: str | None = None,
    ) -> str:
        """Creates a namespace and waits until pods can be created in it.

        One that exists already is used, and then `Delete Namespace` and the run's clean-up leave it alone.

        Args:
            name: of the namespace.
            pod_security: the Pod Security level that pods in it must keep to; the cluster's default when not given.
            timeout: for its default ServiceAccount, and for an earlier namespace of that name to be gone.
            cluster: alias; the first started cluster by default.

        Returns:
            The name.

        Raises:
            OperationFailed: the cluster refuses it.
            WaitTimedOut: no pod can be created in it yet.

        Example:

            ${namespace}=    Create Namespace    my-tests    pod_security=privileged
        """
        created = namespaces.create(CLUSTERS.get(cluster), name, timeout.total_seconds(), pod_security)
        logger.info(f"Namespace {name} {'was created' if created else 'was there already; it is used and kept'}.")
        return name

    @keyword
    def delete_namespace(
        self, name: str, *, timeout: timedelta = timedelta(minutes=2), cluster: str | None = None
    ) -> None:
        """Deletes a namespace that this run created, with everything in it, and waits until it is gone.

        A namespace that this run did not create is left alone.

        Args:
            name: of the namespace.
            timeout: how long to wait until it is gone.
            cluster: alias; the first started cluster by default.

        Raises:
            WaitTimedOut: it is still there; says what keeps it.
            OperationFailed: the cluster refuses.

        Example:

            Create Namespace    my-tests
            Delete Namespace    my-tests
        """
        ours = namespaces.delete(CLUSTERS.get(cluster), name, timeout.total_seconds())
        logger.info(f"Namespace {name} {'is gone' if ours else 'was not created by this run; it is left alone'}.")
