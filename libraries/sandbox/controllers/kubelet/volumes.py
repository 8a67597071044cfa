"""What the kubelet puts into a pod: volumes and the environment, from the objects that the spec names."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from ... import kinds
from ...runtime.files import Mount, Volume
from ..selectors import quantity

if TYPE_CHECKING:
    from ...cluster import Cluster

Object = dict[str, Any]


class Missing(Exception):
    """An object that a volume or the environment needs is not there; the message is the kubelet's."""


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

    def mounts(self, container: Object, env: dict[str, str]) -> tuple[Mount, ...]:
        """What shows in a container."""
        found = []
        for mount in container.get("volumeMounts") or []:
            sub = mount.get("subPath") or _with_env(mount.get("subPathExpr") or "", env)
            volume = self.by_name[mount["name"]]
            found.append(Mount(mount["mountPath"].rstrip("/") or "/", volume, sub, bool(mount.get("readOnly"))))
        return tuple(found)

    def _make(self, spec: Object) -> Volume:
        makers = {
            "emptyDir": lambda _source: Volume(),
            "configMap": lambda source: Volume(self._config_map(source), read_only=True),
            "secret": lambda source: Volume(self._secret(source, source.get("secretName", "")), read_only=True),
            "projected": lambda source: Volume(self._projected(source), read_only=True),
            "downwardAPI": lambda source: Volume(self._downward(source), read_only=True),
            "hostPath": self._host_path,
            "persistentVolumeClaim": self._claim,
        }
        for name, maker in makers.items():
            if name in spec:
                return maker(spec[name])  # type: ignore[no-untyped-call]
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
            value = field_value(self.pod, item["fieldRef"]["fieldPath"], {}) if "fieldRef" in item else ""
            files[item["path"]] = value.encode()
        return files

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


def environment(cluster: Cluster, pod: Object, container: Object, address: dict[str, str]) -> dict[str, str]:
    """A container's environment; `address` has podIP and hostIP. Raises Missing for what a key or name refers to in vain."""
    namespace = pod["metadata"]["namespace"]
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOSTNAME": hostname(pod)}
    if pod["spec"].get("enableServiceLinks", True):
        env |= service_links(cluster, namespace)
    else:
        env |= service_links(cluster, "")
    for source in container.get("envFrom") or []:
        values = _all_values(cluster, namespace, source)
        env |= {source.get("prefix", "") + key: value for key, value in values.items()}
    for each in container.get("env") or []:
        value = each.get("value", "")
        if "valueFrom" in each:
            found = _from(cluster, pod, container, each["valueFrom"], address)
            if found is None:
                continue
            value = found
        env[each["name"]] = _with_env(value, env)
    return env


def hostname(pod: Object) -> str:
    """The host name inside the pod's containers."""
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]


def service_links(cluster: Cluster, namespace: str) -> dict[str, str]:
    """The variables that name the Services of the namespace (and always `kubernetes`)."""
    env: dict[str, str] = {}
    kubernetes = cluster.store.get(kinds.SERVICE, "default", "kubernetes")
    own = cluster.store.list(kinds.SERVICE, namespace) if namespace else []
    for service in [*own, *([kubernetes] if kubernetes else [])]:
        address = service["spec"].get("clusterIP")
        ports = service["spec"].get("ports") or []
        if not address or address == "None" or not ports:
            continue
        name = service["metadata"]["name"].upper().replace("-", "_")
        env[f"{name}_SERVICE_HOST"] = address
        env[f"{name}_SERVICE_PORT"] = str(ports[0]["port"])
        for port in ports:
            if port.get("name"):
                env[f"{name}_SERVICE_PORT_{port['name'].upper().replace('-', '_')}"] = str(port["port"])
            protocol = port.get("protocol", "TCP")
            env[f"{name}_PORT_{port['port']}_{protocol}"] = f"{protocol.lower()}://{address}:{port['port']}"
    return env


def _all_values(cluster: Cluster, namespace: str, source: Object) -> dict[str, str]:
    kind, ref, what = (
        (kinds.CONFIG_MAP, source["configMapRef"], "configmap")
        if "configMapRef" in source
        else (kinds.SECRET, source["secretRef"], "secret")
    )
    found = cluster.store.get(kind, namespace, ref.get("name", ""))
    if found is None:
        if ref.get("optional"):
            return {}
        raise Missing(f'{what} "{ref.get("name", "")}" not found')
    data = found.get("data") or {}
    return data if what == "configmap" else {k: base64.b64decode(v).decode(errors="replace") for k, v in data.items()}


def _from(cluster: Cluster, pod: Object, container: Object, source: Object, address: dict[str, str]) -> str | None:
    if "fieldRef" in source:
        return field_value(pod, source["fieldRef"]["fieldPath"], address)
    if "resourceFieldRef" in source:
        return _resource(container, source["resourceFieldRef"])
    ref_name, what, kind = (
        ("configMapKeyRef", "configmap", kinds.CONFIG_MAP)
        if "configMapKeyRef" in source
        else ("secretKeyRef", "secret", kinds.SECRET)
    )
    ref = source[ref_name]
    namespace = pod["metadata"]["namespace"]
    found = cluster.store.get(kind, namespace, ref.get("name", ""))
    data = (found or {}).get("data") or {}
    if found is None or ref["key"] not in data:
        if ref.get("optional"):
            return None
        where = f"{'ConfigMap' if what == 'configmap' else 'Secret'} {namespace}/{ref.get('name', '')}"
        raise Missing(
            f'{what} "{ref.get("name", "")}" not found'
            if found is None
            else f"couldn't find key {ref['key']} in {where}"
        )
    return str(data[ref["key"]]) if what == "configmap" else base64.b64decode(data[ref["key"]]).decode(errors="replace")


def _resource(container: Object, ref: Object) -> str:
    group, _, name = ref["resource"].partition(".")
    value = ((container.get("resources") or {}).get(group) or {}).get(name, "0")
    number = quantity(value) / quantity(ref.get("divisor") or "1")
    return str(-int(-number // 1))


def field_value(pod: Object, path: str, address: dict[str, str]) -> str:
    """What the downward API gives for a field path."""
    metadata, spec = pod["metadata"], pod["spec"]
    for prefix, values in (
        ("metadata.labels", metadata.get("labels")),
        ("metadata.annotations", metadata.get("annotations")),
    ):
        if path == prefix:
            return "\n".join(f'{key}="{value}"' for key, value in sorted((values or {}).items()))
        if path.startswith(f"{prefix}['"):
            return str((values or {}).get(path[len(prefix) + 2 : -2], ""))
    known = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", ""),
        "status.podIP": address.get("podIP", ""),
        "status.podIPs": address.get("podIP", ""),
        "status.hostIP": address.get("hostIP", ""),
        "status.hostIPs": address.get("hostIP", ""),
    }
    return str(known.get(path, ""))


def _with_env(text: str, env: dict[str, str]) -> str:
    for name, value in env.items():
        if "$(" not in text:
            break
        text = text.replace(f"$({name})", value)
    return text
