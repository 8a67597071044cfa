"""Namespaces, manifests, pods, logs, commands in containers and Services of a Kubernetes cluster."""

from __future__ import annotations

from robot.api.deco import library

from harness import VERSION

from .keywords.claims import ClaimKeywords
from .keywords.crowds import CrowdKeywords
from .keywords.files import FileKeywords
from .keywords.following import FollowingKeywords
from .keywords.insight import InsightKeywords
from .keywords.leases import LeaseKeywords
from .keywords.manifests import ManifestKeywords
from .keywords.measuring import MeasuringKeywords
from .keywords.namespaces import NamespaceKeywords
from .keywords.nodes import NodeKeywords
from .keywords.objects import ObjectKeywords
from .keywords.owners import OwnerKeywords
from .keywords.pods import PodKeywords
from .keywords.remembered import RememberedPodKeywords
from .keywords.restored import RestoredPodKeywords
from .keywords.services import ServiceKeywords


@library(scope="GLOBAL", version=VERSION, doc_format="MARKDOWN")
class KubernetesLibrary(
    NamespaceKeywords,
    ManifestKeywords,
    PodKeywords,
    RestoredPodKeywords,
    CrowdKeywords,
    RememberedPodKeywords,
    InsightKeywords,
    NodeKeywords,
    FileKeywords,
    ClaimKeywords,
    OwnerKeywords,
    ServiceKeywords,
    FollowingKeywords,
    MeasuringKeywords,
    ObjectKeywords,
    LeaseKeywords,
):
    """What a test does in a Kubernetes cluster: namespaces, manifests, pods, logs, commands in containers, Services.

    A cluster is started or connected with `Start Cluster` of K3sLibrary. Each keyword takes the *alias* of a cluster
    as `cluster=`, and uses the first cluster that was started when it is left out.

    Objects are returned as the Kubernetes API has them, with its own field names, and with dotted access:
    `${pod.metadata.name}`, `${pod.status.phase}`. A name that has dots or slashes needs brackets:
    `${pod.metadata.labels}[app.kubernetes.io/name]`.

    Waits watch the cluster, so they end as soon as the change is there. Each has a timeout; its failure tells what
    was waited for, what was last seen and for how long, and what to look at next.

    What these keywords create is written to the run's ledger before it is created, carries the label
    `e2e.cedana.ai/run`, and is removed when the run ends. Nothing else is ever deleted.
    """
