"""The volumes that the kubelet mounts into a pod, from the objects that the spec names."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ... import kinds
from ...runtime.files import Mount, Volume
from ...runtime.setup import with_env
from ..storage import claim_name
from .environment import field_value, resource_value
from .missing import Missing

if TYPE_CHECKING:
    from ...cluster import Cluster

Object = dict[str, Any]
_FOLLOWING = ("configMap", "secret", "projected", "downwardAPI")


class Volumes:
    """The volumes of one pod, made once and mounted into its containers."""

    def __init__(self, cluster: Cluster, pod: Object) -> None:
        self.cluster = cluster
        self.pod = pod
        self.namespace: str = pod["metadata"]["namespace"]
        self.by_name: dict[str, Volume] = {}

    def prepare(self) -> None:
        """Makes all volumes of the pod. Raises Missing for the first that cannot be."""
        for spec in self.pod["spec"].get("volumes") or []:
            if spec["name"] not in self.by_name:
                self.by_name[spec["name"]] = self._make(spec)

    def refresh(self) -> None:
        """Brings volumes that show objects up to date with them; what shows a missing one stays as it is."""
        for spec in self.pod["spec"].get("volumes") or []:
            volume = self.by_name.get(spec["name"])
            if volume and any(kind in spec for kind in _FOLLOWING):
                try:
                    volume.files = self._make(spec).files
                except Missing:
                    continue

    def mounts(self, container: Object, env: dict[str, str]) -> tuple[Mount, ...]:
        """What shows in a container."""
        found = []
        for mount in container.get("volumeMounts") or []:
            sub = mount.get("subPath") or with_env(mount.get("subPathExpr") or "", env)
            volume = self.by_name[mount["name"]]
            if sub and volume.read_only:
                # What is mounted by a subPath does not follow its object.
                volume = Volume(dict(volume.files), read_only=True)
            found.append(Mount(mount["mountPath"].rstrip("/") or "/", volume, sub, bool(mount.get("readOnly"))))
        return tuple(found)

    def mount_failed(self, message: str) -> str:
        """The event's words when a volume's object is missing."""
        if message.startswith("MountVolume"):
            return message
        kind, _, name = message.partition(' "')
        field, key = {"configmap": ("configMap", "name"), "secret": ("secret", "secretName")}.get(kind, ("", ""))
        volumes = self.pod["spec"].get("volumes") or []
        named = (v["name"] for v in volumes if (v.get(field) or {}).get(key) == name.split('"')[0])
        return f'MountVolume.SetUp failed for volume "{next(named, volumes[0]["name"])}" : {message}'

    def _make(self, spec: Object) -> Volume:
        makers: dict[str, Callable[[Object], Volume]] = {
            "emptyDir": lambda _source: Volume(),
            "configMap": lambda source: Volume(self._config_map(source), read_only=True),
            "secret": lambda source: Volume(self._secret(source, source.get("secretName", "")), read_only=True),
            "projected": lambda source: Volume(self._projected(source), read_only=True),
            "downwardAPI": lambda source: Volume(self._downward(source), read_only=True),
            "hostPath": self._host_path,
            "persistentVolumeClaim": self._claim,
            "ephemeral": lambda _source: self._claim({"claimName": claim_name(self.pod, spec)}),
        }
        for name, maker in makers.items():
            if name in spec:
                return maker(spec[name])
        kind = next((key for key in spec if key != "name"), "nothing")
        raise Missing(f'MountVolume.SetUp failed for volume "{spec["name"]}" : volumes of {kind} are not emulated')

    def _config_map(self, source: Object) -> dict[str, bytes]:
        found = self.cluster.store.get(kinds.CONFIG_MAP, self.namespace, source.get("name", ""))
        if found is None:
            if source.get("optional"):
                return {}
            raise Missing(f'configmap "{source.get("name", "")}" not found')
        files = {key: value.encode() for key, value in (found.get("data") or {}).items()}
        files |= {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}
        return _chosen(files, source)

    def _secret(self, source: Object, name: str) -> dict[str, bytes]:
        found = self.cluster.store.get(kinds.SECRET, self.namespace, name)
        if found is None:
            if source.get("optional"):
                return {}
            raise Missing(f'secret "{name}" not found')
        return _chosen({key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}, source)

    def _projected(self, source: Object) -> dict[str, bytes]:
        files: dict[str, bytes] = {}
        for part in source.get("sources") or []:
            if "configMap" in part:
                files |= self._config_map(part["configMap"])
            elif "secret" in part:
                files |= self._secret(part["secret"], part["secret"].get("name", ""))
            elif "downwardAPI" in part:
                files |= self._downward(part["downwardAPI"])
            elif "serviceAccountToken" in part:
                account = self.pod["spec"].get("serviceAccountName", "default")
                token = self.cluster.service_account_token(self.namespace, account)
                files[part["serviceAccountToken"]["path"]] = token.encode()
        return files

    def _downward(self, source: Object) -> dict[str, bytes]:
        files = {}
        for item in source.get("items") or []:
            files[item["path"]] = self._downward_value(item).encode()
        return files

    def _downward_value(self, item: Object) -> str:
        if "fieldRef" in item:
            return field_value(self.pod, item["fieldRef"]["fieldPath"], {})
        ref = item["resourceFieldRef"]
        container = next(c for c in self.pod["spec"]["containers"] if c["name"] == ref["containerName"])
        return resource_value(container, ref)

    def _host_path(self, source: Object) -> Volume:
        node = self.pod["spec"].get("nodeName", "")
        return self.cluster.shared_volume(f"node/{node}{source.get('path', '/')}")

    def _claim(self, source: Object) -> Volume:
        claim = self.cluster.store.get(kinds.PVC, self.namespace, source["claimName"])
        if claim is None:
            raise Missing(f'persistentvolumeclaim "{source["claimName"]}" not found')
        volume = claim["spec"].get("volumeName")
        if not volume or claim.get("status", {}).get("phase") != "Bound":
            raise Missing(f'persistentvolumeclaim "{source["claimName"]}" is not bound')
        return self.cluster.shared_volume(f"pv/{volume}")


def _chosen(files: dict[str, bytes], source: Object) -> dict[str, bytes]:
    items = source.get("items")
    if not items:
        return files
    for item in items:
        if item["key"] not in files and not source.get("optional"):
            raise Missing(f"references non-existent config key: {item['key']}")
    return {item["path"]: files[item["key"]] for item in items if item["key"] in files}
