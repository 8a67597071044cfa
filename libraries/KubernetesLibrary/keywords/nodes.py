"""Keywords that change nodes for the time of a test, and undo that."""

from __future__ import annotations

from robot.api import logger
from robot.api.deco import keyword

from harness.kube import CLUSTERS
from harness.ledger import LEDGER

from .. import facts, node_changes
from ..node_changes import Change


class NodeKeywords:
    """Nodes: chosen, labelled, tainted, cordoned, and left as they were."""

    @keyword
    def list_nodes_for_workloads(self, *, cluster: str | None = None) -> list[str]:
        """Lists the nodes that take any pod: Ready, not cordoned, and without a taint that keeps pods off.

        Args:
            cluster: alias; the first started cluster by default.

        Returns:
            Their names, sorted.

        Raises:
            OperationFailed: the cluster refuses.

        Example:

            ${nodes}=    List Nodes For Workloads
            Should Not Be Empty    ${nodes}
        """
        found = facts.nodes_for_workloads(CLUSTERS.get(cluster))
        logger.info(f"Nodes that take workloads: {', '.join(found) or 'none'}.")
        return found

    @keyword
    def label_node(self, node: str, label: str, value: str, *, cluster: str | None = None) -> None:
        """Gives a node a label until `Undo Node Changes`, or until the run ends.

        Args:
            node: its name.
            label: its key, which the node must not have yet.
            value: its value.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: no such node, or it has that label.
            OperationFailed: the cluster refuses.

        Example:

            Label Node    ${nodes}[0]    e2e.cedana.ai/disk    fast
        """
        self._change(node, Change("label", label, value), cluster)

    @keyword
    def taint_node(
        self, node: str, taint: str, value: str, *, effect: str = "NoSchedule", cluster: str | None = None
    ) -> None:
        """Gives a node a taint until `Undo Node Changes`, or until the run ends.

        Args:
            node: its name.
            taint: its key, which the node must not have yet with that effect.
            value: its value.
            effect: `NoSchedule` or `PreferNoSchedule`. `NoExecute` is refused: it drives away pods of others.
            cluster: alias; the first started cluster by default.

        Raises:
            BadInput: another effect.
            NotAsExpected: no such node, or it has that taint.
            OperationFailed: the cluster refuses.

        Example:

            Taint Node    ${nodes}[0]    e2e.cedana.ai/reserved    tests
        """
        self._change(node, Change("taint", taint, value, effect), cluster)

    @keyword
    def cordon_node(self, node: str, *, cluster: str | None = None) -> None:
        """Keeps new pods off a node until `Undo Node Changes`, or until the run ends. What runs there goes on.

        Args:
            node: its name. One that is cordoned already is refused.
            cluster: alias; the first started cluster by default.

        Raises:
            NotAsExpected: no such node, or it is cordoned.
            OperationFailed: the cluster refuses.

        Example:

            Cordon Node    ${nodes}[0]
        """
        self._change(node, Change("cordon", value=LEDGER.run_id), cluster)

    @keyword
    def offer_resource_on_node(self, node: str, resource: str, amount: int = 1, *, cluster: str | None = None) -> None:
        """Lets a node offer an extended resource until `Undo Node Changes`, or until the run ends.

        Pods can ask for it, and there is no more than that: it makes a node that is too small without filling it up.

        Args:
            node: its name.
            resource: its name, with a domain; the node must not offer it yet.
            amount: how much of it.
            cluster: alias; the first started cluster by default.

        Raises:
            BadInput: the name has no domain.
            NotAsExpected: no such node, or it offers that resource.
            OperationFailed: the cluster refuses.

        Example:

            Offer Resource On Node    ${nodes}[0]    e2e.cedana.ai/slots    1
        """
        self._change(node, Change("resource", resource, str(amount)), cluster)

    @keyword
    def undo_node_changes(self, node: str, *, cluster: str | None = None) -> None:
        """Undoes what this run has changed of a node: labels, taints, a cordon, offered resources. Fine where nothing.

        Args:
            node: its name.
            cluster: alias; the first started cluster by default.

        Raises:
            OperationFailed: the cluster refuses; it is tried again when the run ends.

        Example:

            Undo Node Changes    ${nodes}[0]
        """
        undone = node_changes.undo(CLUSTERS.get(cluster), node)
        logger.info(f"Undone of node {node}: {', '.join(undone) or 'nothing'}.")

    @staticmethod
    def _change(node: str, change: Change, cluster: str | None) -> None:
        node_changes.make(CLUSTERS.get(cluster), node, change)
        logger.info(f"Node {node}: {change}.")
