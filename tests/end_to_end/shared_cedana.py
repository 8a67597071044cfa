"""A Cedana that is on a cluster before a run comes, and stays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.kube import Cluster
from harness.ledger import LEDGER
from harness.rundir import DirectoryRemover
from HelmLibrary.charts import chart_of
from HelmLibrary.engines import EngineChoice, find_engine
from HelmLibrary.operations import Helm
from HelmLibrary.releases import Order, Values
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.transport import open_session

from .sandboxes import Facts

NAMESPACE = "cedana-system"


@contextmanager
def installed(sandbox: Facts) -> Iterator[dict[str, str]]:
    """Registers the sandbox's cluster and installs Cedana there; gives the settings of runs that share them."""
    url, token = sandbox["propagator_url"], sandbox["token"]
    cluster_id = PropagatorClient(open_session(url, token), url).register_cluster("shared")
    values = {"config": {"url": url, "authToken": token, "clusterId": cluster_id}}
    order = Order(chart_of(sandbox["chart"], None, None), Values(None, values), wait=True, timeout=240)
    helm = Helm(find_engine(EngineChoice.WHEEL), Cluster("shared", Path(sandbox["kubeconfig"])), NAMESPACE)
    helm.install("cedana", order, create_namespace=True)
    _forget()
    yield {"CLUSTER_ID": cluster_id, "NAMESPACE": "default"}


def _forget() -> None:
    """All of it ends with the sandbox, but for the files that Helm needed."""
    for entry in LEDGER.owed():
        if entry.kind == "directory":
            DirectoryRemover().remove(entry, 5)
        LEDGER.gone(entry)
