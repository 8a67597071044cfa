"""What the kubelet puts into a container's environment, from the objects that the spec names."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from ... import kinds
from ...runtime.setup import with_env
from ..nodes import ALLOCATABLE
from ..selectors import quantity
from .missing import Missing

if TYPE_CHECKING:
    from ...cluster import Cluster

Object = dict[str, Any]
DNS_ADDRESS = "10.96.0.10"
DOMAIN = "cluster.local"


def environment(cluster: Cluster, pod: Object, container: Object, address: dict[str, str]) -> dict[str, str]:
    """A container's environment; `address` has podIP and hostIP. Raises Missing for what is referred to in vain."""
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
        env[each["name"]] = with_env(value, env)
    return env


def hostname(pod: Object) -> str:
    """The host name inside the pod's containers."""
    return _domain_name(pod) if pod["spec"].get("setHostnameAsFQDN") and _domain_name(pod) else _short_name(pod)


def _short_name(pod: Object) -> str:
    return str(pod["spec"].get("hostname") or pod["metadata"]["name"])[:63]


def _domain_name(pod: Object) -> str:
    subdomain = pod["spec"].get("subdomain")
    return f"{_short_name(pod)}.{subdomain}.{pod['metadata']['namespace']}.svc.{DOMAIN}" if subdomain else ""


def hosts_file(pod: Object, address: str) -> bytes:
    """/etc/hosts of the pod's containers."""
    own = "\t".join(name for name in (address, _domain_name(pod), _short_name(pod)) if name)
    lines = ["# Kubernetes-managed hosts file.", "127.0.0.1\tlocalhost", "::1\tlocalhost", own]
    aliases = pod["spec"].get("hostAliases") or []
    if aliases:
        lines += ["", "# Entries added by HostAliases."]
        lines += ["\t".join((alias["ip"], *(alias.get("hostnames") or []))) for alias in aliases]
    return ("\n".join(lines) + "\n").encode()


def resolver_file(pod: Object) -> bytes:
    """/etc/resolv.conf of the pod's containers. It is shown; the emulated resolver answers as ClusterFirst does."""
    spec, namespace = pod["spec"], pod["metadata"]["namespace"]
    given = spec.get("dnsConfig") or {}
    servers, searches, options = list[str](), list[str](), list[str]()
    if spec.get("dnsPolicy", "ClusterFirst") != "None":
        servers, options = [DNS_ADDRESS], ["ndots:5"]
        searches = [f"{namespace}.svc.{DOMAIN}", f"svc.{DOMAIN}", DOMAIN]
    servers += given.get("nameservers") or []
    searches += given.get("searches") or []
    for each in given.get("options") or []:
        options.append(f"{each['name']}:{each['value']}" if each.get("value") else each["name"])
    lines = [f"search {' '.join(searches)}"] if searches else []
    lines += [f"nameserver {server}" for server in servers]
    lines += [f"options {' '.join(options)}"] if options else []
    return ("\n".join(lines) + "\n").encode()


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
        return resource_value(container, source["resourceFieldRef"])
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


def resource_value(container: Object, ref: Object) -> str:
    """What the downward API gives for a resource of a container; a limit that is not set is what the node has."""
    group, _, name = ref["resource"].partition(".")
    value = ((container.get("resources") or {}).get(group) or {}).get(name)
    if value is None:
        value = ALLOCATABLE.get(name, "0") if group == "limits" else "0"
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
