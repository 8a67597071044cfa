"""PersistentVolumes, PersistentVolumeClaims, StorageClasses and their kin.

Source: Kubernetes pkg/apis/core/v1 and pkg/apis/storage/v1 (defaults.go), pkg/apis/core/validation, pkg/printers.
"""

from __future__ import annotations

from typing import Any

from ..schemas import quantity
from . import PV, PVC, STORAGE_CLASS, VOLUME_ATTACHMENT, fields
from .fields import FieldError
from .strategy import AGE, NAME, Column, Object, Strategy, age, default, dig, now, register

MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
_CLASS_COLUMN = "@io.k8s.api.core.v1.PersistentVolumeClaimSpec.volumeAttributesClassName"


def modes_text(modes: list[str] | None) -> str:
    """Access modes, short."""
    return ",".join(short for long, short in MODES.items() if long in (modes or []))


class _StatusStrategy(Strategy):
    has_status = True

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old.get("spec", {})


@register(PVC)
class ClaimStrategy(_StatusStrategy):
    """PersistentVolumeClaims."""

    columns = (
        NAME,
        Column("Status", "@io.k8s.api.core.v1.PersistentVolumeClaimStatus.phase"),
        Column("Volume", "@io.k8s.api.core.v1.PersistentVolumeClaimSpec.volumeName"),
        Column("Capacity", "@io.k8s.api.core.v1.PersistentVolumeClaimStatus.capacity"),
        Column("Access Modes", "@io.k8s.api.core.v1.PersistentVolumeClaimStatus.accessModes"),
        Column("StorageClass", "StorageClass of the pvc"),
        Column("VolumeAttributesClass", _CLASS_COLUMN),
        AGE,
        Column("VolumeMode", "@io.k8s.api.core.v1.PersistentVolumeClaimSpec.volumeMode", priority=1),
    )

    def default(self, obj: Object) -> None:
        default(obj.setdefault("spec", {}), volumeMode="Filesystem")

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {"phase": "Pending"}

    def validate(self, obj: Object) -> list[FieldError]:
        spec = obj["spec"]
        errors: list[FieldError] = []
        if not spec.get("accessModes"):
            errors.append(fields.required("spec.accessModes", "at least 1 access mode is required"))
        for mode in spec.get("accessModes") or []:
            if mode not in MODES:
                errors.append(fields.unsupported("spec.accessModes", mode, sorted(MODES)))
        size = dig(spec, "resources.requests.storage")
        if size is None:
            errors.append(fields.required("spec.resources[storage]"))
        elif quantity.parse(size) <= 0:
            errors.append(fields.invalid("spec.resources[storage]", size, "must be greater than zero"))
        return errors

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        new, before = dict(obj["spec"]), dict(old["spec"])
        new.pop("volumeName", None)
        if before.pop("volumeName", None) and obj["spec"].get("volumeName") != old["spec"]["volumeName"]:
            return [fields.forbidden("spec", "spec is immutable after creation except resources.requests and "
                                     "volumeAttributesClassName for bound claims")]  # fmt: skip
        sizes = [quantity.parse(dig(spec, "resources.requests.storage") or "0") for spec in (new, before)]
        if sizes[0] < sizes[1]:
            return [fields.forbidden("spec.resources.requests.storage", "field can not be less than previous value")]
        for spec in (new, before):
            spec.pop("resources", None)
        if new != before:
            return [fields.forbidden("spec", "spec is immutable after creation except resources.requests and "
                                     "volumeAttributesClassName for bound claims")]  # fmt: skip
        return []

    def row(self, obj: Object) -> list[Any]:
        spec, status = obj["spec"], obj.get("status") or {}
        phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
        bound = spec.get("volumeName") or ""
        return [
            obj["metadata"]["name"], phase, bound, dig(status, "capacity.storage") or "" if bound else "",
            modes_text(status.get("accessModes")) if bound else "", spec.get("storageClassName") or "",
            spec.get("volumeAttributesClassName") or "<unset>", age(obj), spec.get("volumeMode", "<unset>"),
        ]  # fmt: skip


@register(PV)
class VolumeStrategy(_StatusStrategy):
    """PersistentVolumes."""

    columns = (
        NAME,
        Column("Capacity", "@io.k8s.api.core.v1.PersistentVolumeSpec.capacity"),
        Column("Access Modes", "@io.k8s.api.core.v1.PersistentVolumeSpec.accessModes"),
        Column("Reclaim Policy", "@io.k8s.api.core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy"),
        Column("Status", "@io.k8s.api.core.v1.PersistentVolumeStatus.phase"),
        Column("Claim", "@io.k8s.api.core.v1.PersistentVolumeSpec.claimRef"),
        Column("StorageClass", "StorageClass of the pv"),
        Column("VolumeAttributesClass", "@io.k8s.api.core.v1.PersistentVolumeSpec.volumeAttributesClassName"),
        Column("Reason", "@io.k8s.api.core.v1.PersistentVolumeStatus.reason"),
        AGE,
        Column("VolumeMode", "@io.k8s.api.core.v1.PersistentVolumeSpec.volumeMode", priority=1),
    )

    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        default(spec, persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
        if spec.get("hostPath") is not None:
            spec["hostPath"].setdefault("type", "")

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {"phase": "Pending", "lastPhaseTransitionTime": now()}

    def validate(self, obj: Object) -> list[FieldError]:
        spec = obj["spec"]
        errors: list[FieldError] = []
        if not spec.get("accessModes"):
            errors.append(fields.required("spec.accessModes"))
        if not spec.get("capacity"):
            errors.append(fields.required("spec.capacity"))
        policy = spec.get("persistentVolumeReclaimPolicy")
        if policy not in ("Delete", "Recycle", "Retain"):
            allowed = ("Delete", "Recycle", "Retain")
            errors.append(fields.unsupported("spec.persistentVolumeReclaimPolicy", policy, allowed))
        return errors

    def row(self, obj: Object) -> list[Any]:
        spec, status = obj["spec"], obj.get("status") or {}
        claim = spec.get("claimRef") or {}
        phase = "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", "")
        return [
            obj["metadata"]["name"], dig(spec, "capacity.storage") or "", modes_text(spec.get("accessModes")),
            spec.get("persistentVolumeReclaimPolicy", ""), phase,
            f"{claim.get('namespace', '')}/{claim.get('name', '')}" if claim else "",
            spec.get("storageClassName") or "",
            spec.get("volumeAttributesClassName") or "<unset>", status.get("reason", ""), age(obj),
            spec.get("volumeMode", "<unset>"),
        ]  # fmt: skip


@register(STORAGE_CLASS)
class StorageClassStrategy(Strategy):
    """StorageClasses."""

    columns = (
        NAME,
        Column("Provisioner", "@io.k8s.api.storage.v1.StorageClass.provisioner"),
        Column("ReclaimPolicy", "@io.k8s.api.storage.v1.StorageClass.reclaimPolicy"),
        Column("VolumeBindingMode", "@io.k8s.api.storage.v1.StorageClass.volumeBindingMode"),
        Column("AllowVolumeExpansion", "@io.k8s.api.storage.v1.StorageClass.allowVolumeExpansion"),
        AGE,
    )

    def default(self, obj: Object) -> None:
        default(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")

    def validate(self, obj: Object) -> list[FieldError]:
        return [] if obj.get("provisioner") else [fields.required("provisioner")]

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        errors = []
        for key in ("parameters", "provisioner", "reclaimPolicy"):
            if obj.get(key) != old.get(key):
                errors.append(fields.forbidden(key, f"updates to {key} are forbidden."))
        return errors

    def row(self, obj: Object) -> list[Any]:
        marked = (obj["metadata"].get("annotations") or {}).get("storageclass.kubernetes.io/is-default-class") == "true"
        return [
            obj["metadata"]["name"] + (" (default)" if marked else ""), obj.get("provisioner", ""),
            obj.get("reclaimPolicy", "Delete"), obj.get("volumeBindingMode", "Immediate"),
            bool(obj.get("allowVolumeExpansion")), age(obj),
        ]  # fmt: skip


@register(VOLUME_ATTACHMENT)
class VolumeAttachmentStrategy(_StatusStrategy):
    """VolumeAttachments."""
