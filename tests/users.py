"""Users of a cluster with no more rights than a test gives them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from kubernetes import client

from harness.kube import Cluster

Obj = dict[str, Any]
PLACE = "default"


@dataclass(frozen=True)
class ServiceAccount:
    """A ServiceAccount, and a kubeconfig with a token of its."""

    admin: Cluster
    name: str
    cluster: Cluster

    @staticmethod
    @contextmanager
    def made(admin: Cluster, name: str, folder: Path) -> Iterator[ServiceAccount]:
        """A new one without any rights; its kubeconfig is in `folder`."""
        admin.core.create_namespaced_service_account(PLACE, {"metadata": {"name": name}})
        request = {"spec": {"expirationSeconds": 3600}}
        token = admin.core.create_namespaced_service_account_token(name, PLACE, request).status.token
        config = yaml.safe_load(admin.kubeconfig.read_text())
        config["users"][0]["user"] = {"token": token}
        path = folder / "kubeconfig"
        path.touch(0o600)
        path.write_text(yaml.safe_dump(config))
        try:
            yield ServiceAccount(admin, name, Cluster(name, path))
        finally:
            admin.core.delete_namespaced_service_account(name, PLACE)

    @contextmanager
    def having(self, roles: Sequence[Obj]) -> Iterator[None]:
        """Has the rights of these ClusterRoles meanwhile; they are made under names of their own."""
        names = [f"{self.name}-{role['metadata']['name']}" for role in roles]
        try:
            for name, role in zip(names, roles, strict=True):
                self._rbac.create_cluster_role({"metadata": {"name": name}, "rules": role["rules"]})
                self._rbac.create_cluster_role_binding(self._binding(name, "ClusterRole"))
            yield
        finally:
            for name in names:
                self._rbac.delete_cluster_role_binding(name)
                self._rbac.delete_cluster_role(name)

    @contextmanager
    def having_in(self, namespace: str, rules: Sequence[Obj]) -> Iterator[None]:
        """Has these rights meanwhile, in that namespace alone."""
        self._rbac.create_namespaced_role(namespace, {"metadata": {"name": self.name}, "rules": rules})
        self._rbac.create_namespaced_role_binding(namespace, self._binding(self.name, "Role"))
        try:
            yield
        finally:
            self._rbac.delete_namespaced_role_binding(self.name, namespace)
            self._rbac.delete_namespaced_role(self.name, namespace)

    @property
    def _rbac(self) -> Any:
        return client.RbacAuthorizationV1Api(self.admin.api_client)

    def _binding(self, name: str, kind: str) -> Obj:
        subject = {"kind": "ServiceAccount", "name": self.name, "namespace": PLACE}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}
        return {"metadata": {"name": name}, "subjects": [subject], "roleRef": role}
