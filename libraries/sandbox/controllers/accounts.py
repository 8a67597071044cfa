"""What every namespace gets: the service account `default` and the ConfigMap with the cluster's certificate."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from .. import kinds
from .base import Controller

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
ROOT_CA = "kube-root-ca.crt"
_DESCRIPTION = (
    "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the "
    "internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes "
    "clusters."
)


class Accounts(Controller):
    """One namespace a key."""

    def kinds(self) -> tuple[Kind, ...]:
        """Namespaces, and what is made in them (it is made again when it is deleted)."""
        return (kinds.NAMESPACE, kinds.SERVICE_ACCOUNT, kinds.CONFIG_MAP)

    def changed(self, change: Change) -> None:
        """A new namespace, or one of the two objects gone."""
        metadata = change.object["metadata"]
        if change.kind is kinds.NAMESPACE:
            if change.type == "ADDED":
                self.reconcile(metadata["name"])
        elif change.type == "DELETED" and metadata["name"] in ("default", ROOT_CA):
            self.enqueue(metadata["namespace"])

    def reconcile(self, key: Hashable) -> None:
        """Makes what is missing in an active namespace."""
        name = str(key)
        namespace = self.store.get(kinds.NAMESPACE, None, name)
        if namespace is None or namespace["metadata"].get("deletionTimestamp"):
            return
        metadata: Object = {"name": "default", "namespace": name}
        if self.store.get(kinds.SERVICE_ACCOUNT, name, "default") is None:
            self.store.create(
                kinds.SERVICE_ACCOUNT, {"kind": "ServiceAccount", "apiVersion": "v1", "metadata": metadata}
            )
        if self.store.get(kinds.CONFIG_MAP, name, ROOT_CA) is None:
            annotations = {"kubernetes.io/description": _DESCRIPTION}
            certificate = {
                "kind": "ConfigMap",
                "apiVersion": "v1",
                "metadata": {**metadata, "name": ROOT_CA, "annotations": annotations},
                "data": {"ca.crt": self.cluster.certificate},
            }
            self.store.create(kinds.CONFIG_MAP, certificate)
