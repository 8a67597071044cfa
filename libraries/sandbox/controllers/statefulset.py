"""StatefulSets: numbered pods, one after the other, with a claim each."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from ..api.status import ApiError
from ..store import clone
from .base import Controller, key_of
from .claims import concerned, pods_of
from .workload import (
    change_status,
    has_ended,
    is_active,
    is_available,
    is_ready,
    make_pod,
    owner_reference,
    revision_of,
)

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
HASH = "controller-revision-hash"


class StatefulSets(Controller):
    """One StatefulSet a key."""

    def kinds(self) -> tuple[Kind, ...]:
        """StatefulSets and pods."""
        return (kinds.STATEFUL_SET, kinds.POD)

    def changed(self, change: Change) -> None:
        """A pod's change concerns its StatefulSet, or those that may adopt it."""
        if change.kind is kinds.STATEFUL_SET:
            self.enqueue(key_of(change.object))
            return
        for key in concerned(self.cluster, kinds.STATEFUL_SET, change):
            self.enqueue(key)

    def reconcile(self, key: Hashable) -> None:
        """The next pod up, or down, or over; and the status."""
        assert isinstance(key, tuple)
        wanted = self.store.get(kinds.STATEFUL_SET, *key)
        if wanted is None:
            return
        revision = revision_of(self.cluster, wanted)["metadata"]["name"]
        pods = self._pods(wanted)
        if not wanted["metadata"].get("deletionTimestamp"):
            self._own_claims(wanted)
            self._scale(wanted, pods, revision)
            self._roll(wanted, pods, revision)
        pods = self._pods(wanted)
        self._report(wanted, list(pods.values()), revision)

    def _pods(self, wanted: Object) -> dict[int, Object]:
        """Its pods by their numbers. A pod of another name is never adopted (isMemberOf in Kubernetes' controller)."""
        name = wanted["metadata"]["name"]

        def is_member(pod: Object) -> bool:
            return bool(re.fullmatch(rf"{re.escape(name)}-\d+", pod["metadata"]["name"]))

        return {_ordinal(pod): pod for pod in pods_of(self.cluster, wanted, is_member)}

    def _scale(self, wanted: Object, pods: dict[int, Object], revision: str) -> None:
        first = (wanted["spec"].get("ordinals") or {}).get("start", 0)
        ordered = wanted["spec"].get("podManagementPolicy") != "Parallel"
        numbers = range(first, first + wanted["spec"].get("replicas", 1))
        for number in numbers:
            pod = pods.get(number)
            if pod is not None and has_ended(pod):
                if not pod["metadata"].get("deletionTimestamp"):
                    objects.delete(self.cluster, kinds.POD, *key_of(pod))
            elif pod is None:
                self._create(wanted, number, revision)
            if ordered and (pod is None or not is_active(pod) or not is_ready(pod)):
                return
        for number in sorted((n for n in pods if n not in numbers), reverse=True):
            if is_active(pods[number]):
                if _retention(wanted, "whenScaled") == "Delete":
                    self._own(_claims_of(wanted, number), owner_reference(pods[number]), wanted)
                self._delete(wanted, pods[number])
            if ordered:
                return

    def _own_claims(self, wanted: Object) -> None:
        """With the policy to delete them with the set, its claims are the set's."""
        if _retention(wanted, "whenDeleted") == "Delete":
            first = (wanted["spec"].get("ordinals") or {}).get("start", 0)
            for number in range(first, first + wanted["spec"].get("replicas", 1)):
                self._own(_claims_of(wanted, number), owner_reference(wanted), wanted)

    def _own(self, names: list[str], owner: Object, wanted: Object) -> None:
        def owned(claim: Object) -> None:
            claim["metadata"]["ownerReferences"] = [{**owner, "controller": False}]

        for name in names:
            self.store.change(kinds.PVC, wanted["metadata"]["namespace"], name, owned)

    def _create(self, wanted: Object, number: int, revision: str) -> None:
        name = f"{wanted['metadata']['name']}-{number}"
        template = clone(wanted["spec"]["template"])
        spec = template["spec"]
        spec["hostname"], spec["subdomain"] = name, wanted["spec"].get("serviceName", "")
        if not spec["subdomain"]:
            del spec["subdomain"]
        for claim in wanted["spec"].get("volumeClaimTemplates") or []:
            claim_name = f"{claim['metadata']['name']}-{name}"
            self._claim(wanted, claim, claim_name)
            source = {"persistentVolumeClaim": {"claimName": claim_name}}
            others = [v for v in spec.get("volumes") or [] if v["name"] != claim["metadata"]["name"]]
            spec["volumes"] = [*others, {"name": claim["metadata"]["name"], **source}]
        labels = {
            "apps.kubernetes.io/pod-index": str(number),
            HASH: revision,
            "statefulset.kubernetes.io/pod-name": name,
        }
        set_name = wanted["metadata"]["name"]
        try:
            make_pod(self.cluster, wanted, template, name=name, labels=labels)
        except ApiError as error:
            message = f"create Pod {name} in StatefulSet {set_name} failed error: {error}"
            self._event(wanted, "FailedCreate", message, warning=True)
            self.enqueue_after(key_of(wanted), 1.0)
            return
        self._event(wanted, "SuccessfulCreate", f"create Pod {name} in StatefulSet {set_name} successful")

    def _claim(self, wanted: Object, template: Object, name: str) -> None:
        namespace = wanted["metadata"]["namespace"]
        if self.store.get(kinds.PVC, namespace, name):
            return
        labels = wanted["spec"]["selector"].get("matchLabels") or {}
        metadata = {**clone(template["metadata"]), "name": name, "namespace": namespace}
        metadata["labels"] = {**(metadata.get("labels") or {}), **labels}
        metadata.pop("creationTimestamp", None)
        body = {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": metadata,
            "spec": clone(template["spec"]),
        }
        objects.create(self.cluster, kinds.PVC, body)
        pod = name.removeprefix(f"{template['metadata']['name']}-")
        message = f"create Claim {name} Pod {pod} in StatefulSet {wanted['metadata']['name']} success"
        self._event(wanted, "SuccessfulCreate", message)

    def _delete(self, wanted: Object, pod: Object) -> None:
        objects.delete(self.cluster, kinds.POD, *key_of(pod))
        message = f"delete Pod {pod['metadata']['name']} in StatefulSet {wanted['metadata']['name']} successful"
        self._event(wanted, "SuccessfulDelete", message)

    def _event(self, wanted: Object, reason: str, message: str, *, warning: bool = False) -> None:
        self.cluster.events.event(wanted, reason, message, component="statefulset-controller", warning=warning)

    def _roll(self, wanted: Object, pods: dict[int, Object], revision: str) -> None:
        strategy = wanted["spec"].get("updateStrategy") or {}
        if strategy.get("type") == "OnDelete":
            return
        partition = (strategy.get("rollingUpdate") or {}).get("partition", 0)
        for number in sorted((n for n in pods if n >= partition), reverse=True):
            pod = pods[number]
            if (pod["metadata"].get("labels") or {}).get(HASH) != revision:
                if is_active(pod):
                    self._delete(wanted, pod)
                return
            if not is_active(pod) or not is_ready(pod):
                return

    def _report(self, wanted: Object, pods: list[Object], revision: str) -> None:
        live = [pod for pod in pods if is_active(pod)]
        min_ready = wanted["spec"].get("minReadySeconds", 0)
        updated = sum((p["metadata"].get("labels") or {}).get(HASH) == revision for p in live)
        old_status = wanted.get("status") or {}
        replicas = wanted["spec"].get("replicas", 1)
        ready = sum(map(is_ready, live))
        rolled = updated == len(live) == replicas and ready == replicas
        current = revision if rolled or not old_status.get("currentRevision") else old_status["currentRevision"]
        on_current = sum((p["metadata"].get("labels") or {}).get(HASH) == current for p in live)
        status = {
            "observedGeneration": wanted["metadata"].get("generation", 1),
            "replicas": len(live),
            **({"readyReplicas": ready} if ready else {}),
            **({"currentReplicas": on_current} if on_current else {}),
            **({"updatedReplicas": updated} if updated else {}),
            "currentRevision": current,
            "updateRevision": revision,
            "collisionCount": 0,
            "availableReplicas": sum(is_available(p, min_ready) for p in live),
        }
        change_status(self.cluster, kinds.STATEFUL_SET, wanted, status)


def _retention(wanted: Object, when: str) -> str:
    return str((wanted["spec"].get("persistentVolumeClaimRetentionPolicy") or {}).get(when, "Retain"))


def _claims_of(wanted: Object, number: int) -> list[str]:
    templates = wanted["spec"].get("volumeClaimTemplates") or []
    return [f"{each['metadata']['name']}-{wanted['metadata']['name']}-{number}" for each in templates]


def _ordinal(pod: Object) -> int:
    number = pod["metadata"]["name"].rsplit("-", 1)[-1]
    return int(number) if number.isdigit() else -1
