"""Keywords about clusters, and what the propagator knows of them."""

from __future__ import annotations

from datetime import timedelta

from robot.api import logger
from robot.api.deco import keyword

from harness.failures import NotAsExpected
from harness.ledger import LEDGER
from harness.waiting import Done, Look, Pending, wait_until

from ..errors import Refused
from ..models import Cluster, NodeRow, PodRow
from ..urls import normalise
from .base import Connected, begin


class ClusterKeywords(Connected):
    """Clusters, pods and nodes."""

    @keyword
    def register_cluster(self, name: str) -> str:
        """Registers a cluster. One that is registered already is used, and stays when the run ends.

        Args:
            name: of the cluster.

        Returns:
            The cluster's id.

        Raises:
            PropagatorError: the propagator refused or did not answer.

        Example:

            ${cluster_id}=    Register Cluster    my-cluster
        """
        client = self.connected()
        if known := client.find_cluster(name):
            logger.info(f"Cluster {name} is registered already, as {known.id}.")
            return known.id
        entry = LEDGER.intend("cluster-registration", name, place=client.base_url, cluster_name=name)
        cluster_id = begin(entry, lambda: client.register_cluster(name), "cluster_id")
        logger.info(f"Registered cluster {name} as {cluster_id}.")
        return cluster_id

    @keyword
    def get_propagator_era(self) -> str:
        """Tells which of the published APIs the propagator's is like. It never fails.

        Returns:
            `seed` (July 2025), `jan26` (December 2025 on) or `next` (2026); empty where that cannot be told.

        Example:

            ${era}=    Get Propagator Era
            Record Environment    propagator_era=${era}
        """
        found = self.connected().era()
        logger.info(f"The propagator's API is like that of the era {found or '(not known)'}.")
        return found

    @keyword(tags=["assertion"])
    def cluster_should_be_registered(self, cluster_id: str, *, timeout: timedelta = timedelta(seconds=10)) -> None:
        """Fails unless the propagator knows the cluster. A service that lists no clusters is believed.

        Args:
            cluster_id: of the cluster.
            timeout: for the list to show it, as it may lag behind a registration.

        Raises:
            WaitTimedOut: it is not among the registered ones, which are named; cause `bad-settings`.
            PropagatorError: the propagator refused or did not answer.

        Example:

            Cluster Should Be Registered    ${cluster_id}
        """
        client = self.connected()

        def look() -> Look[None]:
            try:
                known = client.list_clusters()
            except Refused as refused:
                if refused.status != 404:
                    raise
                logger.info("This propagator does not list its clusters.")
                return Done(None)
            if any(cluster.id == cluster_id for cluster in known):
                return Done(None)
            return Pending(f"it knows {', '.join(f'{one.name} ({one.id})' for one in known) or 'no cluster'}")

        wait_until(
            look,
            timeout=timeout.total_seconds(),
            expected=f"the propagator at {client.base_url} to know cluster {cluster_id}",
            look_next="CLUSTER_ID or, where it is not set, whether the installed Cedana speaks to CEDANA_URL",
            cause="bad-settings",
            pace=client.pace,
        )

    @keyword(tags=["assertion"])
    def propagator_should_be_at(self, url: str) -> None:
        """Fails unless the connection is to the service that the URL means, however it is written.

        Args:
            url: as `Connect To Propagator` takes it.

        Raises:
            NotAsExpected: it means another service; cause `bad-settings`.
            BadInput: it is no URL.

        Example:

            Propagator Should Be At    https://ci.cedana.ai/v1
        """
        client = self.connected()
        if (meant := normalise(url, "url")) != normalise(client.base_url):
            raise NotAsExpected(
                f"the propagator of this run to be the one at {meant}",
                f"it is the one at {client.base_url}",
                "CEDANA_URL, and with which URL the Cedana on the cluster was installed",
                cause="bad-settings",
            )

    @keyword
    def deregister_cluster(self, cluster_id: str) -> None:
        """Removes a cluster's registration. One that is gone already is no error.

        Args:
            cluster_id: as `Register Cluster` gave it.

        Raises:
            PropagatorError: the propagator refused or did not answer.

        Example:

            Deregister Cluster    ${cluster_id}
        """
        self.connected().deregister_cluster(cluster_id)
        if entry := LEDGER.find("cluster-registration", cluster_id=cluster_id):
            LEDGER.gone(entry)

    @keyword
    def list_clusters(self) -> list[Cluster]:
        """Lists the registered clusters.

        Returns:
            Clusters with `id`, `name`, `status`, `kind` and `last_sync`.

        Raises:
            PropagatorError: the propagator refuses the request, or does not answer.

        Example:

            ${clusters}=    List Clusters
            Log Many    @{clusters}
        """
        return self.connected().list_clusters()

    @keyword
    def list_propagator_pods(self) -> list[PodRow]:
        """Lists the pods that the propagator knows, of registered clusters only.

        Returns:
            Pods with `id`, `name`, `namespace`, `status`, `ready`, `node`, `restarts`; `id` need not be the UID.

        Raises:
            PropagatorError: the propagator refuses the request, or does not answer.

        Example:

            ${pods}=    List Propagator Pods
        """
        return self.connected().list_pods()

    @keyword
    def list_propagator_nodes(self) -> list[NodeRow]:
        """Lists the nodes that the propagator knows, of registered clusters only.

        Returns:
            Nodes with `id`, `name` and `status`.

        Raises:
            PropagatorError: the propagator refuses the request, or does not answer.

        Example:

            ${nodes}=    List Propagator Nodes
        """
        return self.connected().list_nodes()
