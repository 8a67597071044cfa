"""Faults of restores: the claims of a restored pod, or the identity that its StatefulSet gave it, are not kept."""

from __future__ import annotations

import copy
from typing import Any

from .. import kinds
from ..api import objects
from ..cedana.interfering import RestorePlan
from .activation import Activation
from .declaration import OBJECTS, Declarations, Group
from .working import planning

FAULTS = Declarations(Group.RESTORE, OBJECTS)
fails, tolerated = FAULTS.fails, FAULTS.tolerated
Object = dict[str, Any]
RESTORED = "A Pod Of A StatefulSet Is Restored With Its Claim And Identity"


def _claims(planned: RestorePlan) -> list[Object]:
    volumes = planned.pod["spec"].get("volumes") or []
    return [volume["persistentVolumeClaim"] for volume in volumes if "persistentVolumeClaim" in volume]


def _has_claims(planned: RestorePlan) -> bool:
    return bool(_claims(planned))


def _other_claims(planned: RestorePlan, _: Activation) -> None:
    namespace = planned.pod["metadata"]["namespace"]
    for source in _claims(planned):
        found = planned.cluster.store.get(kinds.PVC, namespace, source["claimName"])
        source["claimName"] += "-restored"
        if found and not planned.cluster.store.get(kinds.PVC, namespace, source["claimName"]):
            spec = {key: value for key, value in copy.deepcopy(found["spec"]).items() if key != "volumeName"}
            metadata = {"name": source["claimName"], "namespace": namespace}
            objects.create(planned.cluster, kinds.PVC, {"metadata": metadata, "spec": spec})


def _emptied(planned: RestorePlan, _: Activation) -> None:
    for source in _claims(planned):
        found = planned.cluster.store.get(kinds.PVC, planned.pod["metadata"]["namespace"], source["claimName"])
        if found:
            planned.cluster.shared_volume(f"pv/{found['spec'].get('volumeName')}").files.clear()


def _without_stable_name(planned: RestorePlan, _: Activation) -> None:
    for key in ("hostname", "subdomain"):
        planned.pod["spec"].pop(key, None)


fails(
    "files-lost",
    "restore-makes-claims-anew",
    "The restored pod has new claims, with empty volumes, in place of those that it had.",
    suite="stateful",
    test=RESTORED,
)(planning(_other_claims, _has_claims))
fails(
    "files-lost",
    "restore-empties-volumes",
    "The restored pod has its claims, but nothing is left in their volumes.",
    suite="stateful",
    test=RESTORED,
)(planning(_emptied, _has_claims))
fails(
    "pod-changed",
    "restore-loses-stable-name",
    "The restored pod has lost host name and subdomain, and so its stable name.",
    suite="stateful",
    test=RESTORED,
)(planning(_without_stable_name, lambda planned: bool(planned.pod["spec"].get("subdomain"))))
