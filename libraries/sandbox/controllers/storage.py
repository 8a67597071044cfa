"""Claims and volumes: a local-path-like provisioner, binding when the first consumer is scheduled, reclaiming."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from .base import Controller, key_of
from .scheduling import Reason
from .selectors import matches, matches_node, quantity
from .workload import owner_reference

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
PROVISIONER = "rancher.io/local-path"
_WAIT = "WaitForFirstConsumer"


class Unbindable(Exception):
    """The pod cannot be scheduled because of its claims, whatever the node; the message is the scheduler's."""


class Storage(Controller):
    """Binds claims to volumes; makes volumes for claims of a class of the local-path provisioner."""

    def kinds(self) -> tuple[Kind, ...]:
        """Claims, volumes, and the pods that keep claims from going."""
        return (kinds.PVC, kinds.PV, kinds.POD)

    def changed(self, change: Change) -> None:
        """Claims by their key; a volume's change concerns its claim and the claims that still wait."""
        if change.kind is kinds.POD:
            if change.type == "ADDED":
                self._make_ephemeral(change.object)
            if change.type == "DELETED":
                for volume in change.object["spec"].get("volumes") or []:
                    if name := claim_name(change.object, volume):
                        self.enqueue((change.object["metadata"]["namespace"], name))
            return
        if change.kind is kinds.PVC:
            self.enqueue(key_of(change.object))
            if change.type == "DELETED" and change.object["spec"].get("volumeName"):
                self.enqueue(("", change.object["spec"]["volumeName"]))
            return
        self.enqueue(key_of(change.object))
        for claim in self.store.list(kinds.PVC):
            if not claim["spec"].get("volumeName"):
                self.enqueue(key_of(claim))

    def _make_ephemeral(self, pod: Object) -> None:
        """Makes the claims of a pod's ephemeral volumes; they go with the pod."""
        for volume in pod["spec"].get("volumes") or []:
            if "ephemeral" in volume:
                template = volume["ephemeral"]["volumeClaimTemplate"]
                metadata = {**(template.get("metadata") or {}), "name": claim_name(pod, volume)}
                metadata |= {"namespace": pod["metadata"]["namespace"], "ownerReferences": [owner_reference(pod)]}
                objects.create(self.cluster, kinds.PVC, {"metadata": metadata, "spec": template["spec"]})

    def reconcile(self, key: Hashable) -> None:
        """A claim (its key has a namespace) or a volume."""
        assert isinstance(key, tuple)
        namespace, name = key
        if not namespace:
            self._volume(name)
            return
        claim = self.store.get(kinds.PVC, namespace, name)
        if claim is None:
            return
        if claim["metadata"].get("deletionTimestamp"):
            self._release_claim(claim)
        elif not claim["spec"].get("volumeName"):
            if not self._bind_static(claim):
                self._bind_immediate(claim)
        elif claim.get("status", {}).get("phase") != "Bound":
            self._complete(claim)

    def claims_of(self, pod: Object) -> list[Object]:
        """The claims of a pod's volumes. Raises Unbindable."""
        found = []
        for volume in pod["spec"].get("volumes") or []:
            name = claim_name(pod, volume)
            if not name:
                continue
            claim = self.store.get(kinds.PVC, pod["metadata"]["namespace"], name)
            if claim is None:
                raise Unbindable(f'persistentvolumeclaim "{name}" not found')
            if claim["metadata"].get("deletionTimestamp"):
                raise Unbindable(f'persistentvolumeclaim "{name}" is being deleted')
            if not claim["spec"].get("volumeName") and self._mode(claim) != _WAIT:
                raise Unbindable("pod has unbound immediate PersistentVolumeClaims")
            found.append(claim)
        return found

    def reason_against(self, claims: list[Object], node: Object) -> Reason | None:
        """Why a node cannot mount the claims' volumes, or None."""
        for claim in claims:
            volume = self.store.get(kinds.PV, None, claim["spec"].get("volumeName") or "")
            required = ((volume or {}).get("spec", {}).get("nodeAffinity") or {}).get("required")
            if required and not any(matches_node(term, node) for term in required["nodeSelectorTerms"]):
                return Reason("node(s) had volume node affinity conflict")
        return None

    def bind(self, claim: Object, node: str) -> None:
        """Makes a volume on the node for a claim that waited for its first consumer."""
        if not claim["spec"].get("volumeName"):
            self._provision(claim, node)

    def _class(self, claim: Object) -> Object | None:
        name = claim["spec"].get("storageClassName")
        return self.store.get(kinds.STORAGE_CLASS, None, name) if name else None

    def _mode(self, claim: Object) -> str:
        found = self._class(claim)
        provisioned = found is not None and found.get("provisioner") == PROVISIONER
        return str(found.get("volumeBindingMode", "Immediate")) if found and provisioned else "Immediate"

    def _bind_static(self, claim: Object) -> bool:
        for volume in self.store.list(kinds.PV):
            if _suits(volume, claim):
                self._join(claim, volume)
                return True
        return False

    def _bind_immediate(self, claim: Object) -> None:
        found = self._class(claim)
        if found is None or found.get("provisioner") != PROVISIONER:
            if not claim["spec"].get("storageClassName"):
                message = "no persistent volumes available for this claim and no storage class is set"
                self.cluster.events.event(claim, "FailedBinding", message, component="persistentvolume-controller")
            return
        if found.get("volumeBindingMode") == _WAIT:
            self.cluster.events.event(
                claim,
                "WaitForFirstConsumer",
                "waiting for first consumer to be created before binding",
                component="persistentvolume-controller",
            )
            return
        nodes = self.store.list(kinds.NODE)
        if nodes:
            self._provision(claim, nodes[0]["metadata"]["name"])

    def _provision(self, claim: Object, node: str) -> None:
        found = self._class(claim)
        name = f"pvc-{claim['metadata']['uid']}"
        namespace, claim_name = key_of(claim)
        path = f"/var/lib/rancher/k3s/storage/{name}_{namespace}_{claim_name}"
        terms = [{"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node]}]}]
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {
                "name": name,
                "annotations": {
                    "pv.kubernetes.io/provisioned-by": PROVISIONER,
                    "local.path.provisioner/selected-node": node,
                },
            },
            "spec": {
                "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
                "hostPath": {"path": path, "type": "DirectoryOrCreate"},
                "accessModes": claim["spec"]["accessModes"],
                "persistentVolumeReclaimPolicy": (found or {}).get("reclaimPolicy", "Delete"),
                "storageClassName": claim["spec"].get("storageClassName", ""),
                "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
                "nodeAffinity": {"required": {"nodeSelectorTerms": terms}},
                "claimRef": _ref(claim),
            },
        }
        made = self.store.get(kinds.PV, None, name) or objects.create(self.cluster, kinds.PV, volume)

        def selected(stored: Object) -> None:
            annotations = stored["metadata"].setdefault("annotations", {})
            annotations["volume.kubernetes.io/selected-node"] = node
            annotations["volume.kubernetes.io/storage-provisioner"] = PROVISIONER

        self.store.change(kinds.PVC, namespace, claim_name, selected)
        message = f"Successfully provisioned volume {name}"
        self.cluster.events.event(claim, "ProvisioningSucceeded", message, component=PROVISIONER)
        self._join(claim, made)

    def _join(self, claim: Object, volume: Object) -> None:
        def taken(stored: Object) -> None:
            stored["spec"]["claimRef"] = {**(stored["spec"].get("claimRef") or {}), **_ref(claim)}
            stored["status"] = {**(stored.get("status") or {}), "phase": "Bound"}
            stored["metadata"].setdefault("finalizers", ["kubernetes.io/pv-protection"])

        def named(stored: Object) -> None:
            stored["spec"]["volumeName"] = volume["metadata"]["name"]
            stored["metadata"].setdefault("annotations", {})["pv.kubernetes.io/bind-completed"] = "yes"

        self.store.change(kinds.PV, None, volume["metadata"]["name"], taken)
        bound = self.store.change(kinds.PVC, *key_of(claim), named)
        if bound:
            self._complete(bound)

    def _complete(self, claim: Object) -> None:
        volume = self.store.get(kinds.PV, None, claim["spec"]["volumeName"])
        if volume is None:
            return

        def bound(stored: Object) -> None:
            spec = volume["spec"]
            stored["status"] = {
                **(stored.get("status") or {}),
                "phase": "Bound",
                "accessModes": spec["accessModes"],
                "capacity": spec["capacity"],
            }

        self.store.change(kinds.PVC, *key_of(claim), bound)

    def _release_claim(self, claim: Object) -> None:
        namespace, name = key_of(claim)
        users = (
            pod
            for pod in self.store.list(kinds.POD, namespace)
            for volume in pod["spec"].get("volumes") or []
            if claim_name(pod, volume) == name
        )
        if any(True for _ in users):
            return

        def released(stored: Object) -> None:
            rest = [f for f in stored["metadata"].get("finalizers") or [] if f != "kubernetes.io/pvc-protection"]
            stored["metadata"]["finalizers"] = rest

        self.store.change(kinds.PVC, namespace, name, released)

    def _volume(self, name: str) -> None:
        volume = self.store.get(kinds.PV, None, name)
        if volume is None:
            return
        ref = volume["spec"].get("claimRef")
        claim = self.store.get(kinds.PVC, ref["namespace"], ref["name"]) if ref else None
        held = bool(claim and claim["metadata"]["uid"] == (ref or {}).get("uid", claim["metadata"]["uid"]))
        if volume["metadata"].get("deletionTimestamp") and not held:
            self._unprotect(name)
            return
        phase = "Bound" if held and volume.get("status", {}).get("phase") == "Bound" else "Available"
        if ref and ref.get("uid") and not held:
            phase = "Released"

        def set_phase(stored: Object) -> None:
            stored["status"] = {**(stored.get("status") or {}), "phase": phase}

        self.store.change(kinds.PV, None, name, set_phase)
        if phase == "Released" and volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self.cluster.forget_volume(f"pv/{name}")
            objects.delete(self.cluster, kinds.PV, None, name)
            self._unprotect(name)

    def _unprotect(self, name: str) -> None:
        def unprotected(stored: Object) -> None:
            rest = [f for f in stored["metadata"].get("finalizers") or [] if f != "kubernetes.io/pv-protection"]
            stored["metadata"]["finalizers"] = rest

        self.store.change(kinds.PV, None, name, unprotected)


def claim_name(pod: Object, volume: Object) -> str:
    """The claim behind a pod's volume, or nothing."""
    if "ephemeral" in volume:
        return f"{pod['metadata']['name']}-{volume['name']}"
    return str((volume.get("persistentVolumeClaim") or {}).get("claimName") or "")


def _ref(claim: Object) -> Object:
    metadata = claim["metadata"]
    return {
        "kind": "PersistentVolumeClaim",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
        "apiVersion": "v1",
        "resourceVersion": metadata["resourceVersion"],
    }


def _suits(volume: Object, claim: Object) -> bool:
    spec, wanted = volume["spec"], claim["spec"]
    ref = spec.get("claimRef")
    if volume["metadata"].get("deletionTimestamp"):
        return False
    if ref:
        return bool(
            (ref.get("namespace"), ref.get("name")) == key_of(claim)
            and ref.get("uid", "") in ("", claim["metadata"]["uid"])
        )
    if (spec.get("storageClassName") or "") != (wanted.get("storageClassName") or ""):
        return False
    if not set(wanted["accessModes"]) <= set(spec.get("accessModes") or []):
        return False
    if "selector" in wanted and not matches(wanted["selector"], volume["metadata"].get("labels")):
        return False
    return quantity(spec["capacity"]["storage"]) >= quantity(wanted["resources"]["requests"]["storage"])
