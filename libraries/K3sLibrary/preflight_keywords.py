"""The keyword for the preflight."""

from __future__ import annotations

from typing import Any, Literal

from robot.api import logger
from robot.api.deco import keyword

from harness.kube import CLUSTERS

from . import preflight


class PreflightKeywords:
    """What a run needs of a cluster, looked at before anything is created."""

    @keyword(tags=["assertion"])
    def cluster_should_be_fit(
        self,
        *,
        installs_cedana: bool = True,
        namespace: str = "",
        propagator: Literal["cedana", "stock"] = "cedana",
        agent_namespace: str = "cedana-system",
        cluster: str | None = None,
    ) -> list[dict[str, Any]]:
        """Fails, before anything is created, when the cluster lacks something that every run needs; says all of it.

        Looks at the rights of the user (those of `libraries/K3sLibrary/preflight/rights.yaml`, asked one by one), the
        version of Kubernetes, nodes that take pods, room on them, storage, metrics and GPUs. What only some tests need
        is in the table in the log and in what is returned; those tests skip by themselves.

        Args:
            installs_cedana: whether the run installs Cedana, which needs more rights.
            namespace: where the user's rights count if he does not have them in all namespaces.
            propagator: `stock` also looks at what each node must have for checkpoints without Cedana: Kubernetes' and
                the runtime's versions, the kubelet's feature gate, Pod Security.
            agent_namespace: where the node agents of `stock` are, or will be.
            cluster: alias; the first started cluster by default.

        Returns:
            A list of dictionaries: what, good, seen, needed_by, importance (`needed` or `wanted`).

        Raises:
            NotAsExpected: something that is needed is missing; cause `cluster-unfit`.
            OperationFailed: the cluster does not answer.

        Example:

            ${findings}=    Cluster Should Be Fit
            Log    ${findings}[0][seen]
        """
        place = CLUSTERS.get(cluster)
        needed = ["cedana-e2e-run", *(["cedana-e2e-install"] if installs_cedana else [])]
        found = preflight.conditions(place)
        needed += ["cedana-e2e-stock"] if propagator == "stock" else []
        found += preflight.stock_findings(place, agent_namespace) if propagator == "stock" else []
        found += preflight.rights_findings(place, preflight.read_roles(), needed=needed, namespace=namespace)
        logger.info(preflight.as_html(found), html=True)
        preflight.judge(found)
        return [vars(one) for one in found]
