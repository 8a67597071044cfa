"""Services, Endpoints, EndpointSlices, Ingresses, NetworkPolicies.

Source: Kubernetes pkg/apis/core/v1 (defaults.go), pkg/apis/core/validation, pkg/printers/internalversion.
"""

from __future__ import annotations

from typing import Any

from . import ENDPOINT_SLICE, ENDPOINTS, INGRESS, INGRESS_CLASS, NETWORK_POLICY, SERVICE, fields
from .fields import FieldError
from .strategy import AGE, NAME, Column, Object, Strategy, age, default, dig, register, selector_text

_TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
_PROTOCOLS = ("SCTP", "TCP", "UDP")


@register(SERVICE)
class ServiceStrategy(Strategy):
    """Services."""

    has_status = True
    selectable = ("metadata.name", "metadata.namespace", "spec.clusterIP", "spec.type")
    columns = (
        NAME,
        Column("Type", "@io.k8s.api.core.v1.ServiceSpec.type"),
        Column("Cluster-IP", "@io.k8s.api.core.v1.ServiceSpec.clusterIP"),
        Column("External-IP", "@io.k8s.api.core.v1.ServiceSpec.externalIPs"),
        Column("Port(s)", "@io.k8s.api.core.v1.ServiceSpec.ports"),
        AGE,
        Column("Selector", "@io.k8s.api.core.v1.ServiceSpec.selector", priority=1),
    )

    def name_problems(self, name: str) -> list[str]:
        return fields.service_label_problems(name)

    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        default(spec, sessionAffinity="None", type="ClusterIP")
        if spec["sessionAffinity"] == "ClientIP" and not spec.get("sessionAffinityConfig"):
            spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": 10800}}
        for port in spec.get("ports") or []:
            default(port, protocol="TCP")
            if port.get("targetPort") in (None, 0, ""):
                port["targetPort"] = port.get("port", 0)
        if spec["type"] in ("NodePort", "LoadBalancer"):
            default(spec, externalTrafficPolicy="Cluster")
        if spec["type"] == "LoadBalancer":
            default(spec, allocateLoadBalancerNodePorts=True)
        if spec["type"] != "ExternalName":
            default(spec, internalTrafficPolicy="Cluster")

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {"loadBalancer": {}}

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old["spec"]

    def validate(self, obj: Object) -> list[FieldError]:
        spec = obj["spec"]
        errors: list[FieldError] = []
        ports = spec.get("ports") or []
        kind = spec.get("type")
        if not ports and kind != "ExternalName" and spec.get("clusterIP") != "None":
            errors.append(fields.required("spec.ports"))
        if kind not in _TYPES:
            errors.append(fields.unsupported("spec.type", kind, _TYPES))
        if kind == "ExternalName" and not spec.get("externalName"):
            errors.append(fields.required("spec.externalName"))
        errors += fields.labels("spec.selector", spec.get("selector"))
        if spec.get("sessionAffinity") not in ("ClientIP", "None"):
            errors.append(fields.unsupported("spec.sessionAffinity", spec["sessionAffinity"], ("ClientIP", "None")))
        names: set[str] = set()
        for index, port in enumerate(ports):
            errors += _port(port, f"spec.ports[{index}]", names, needs_name=len(ports) > 1)
        return errors + _same_ports(ports)

    def row(self, obj: Object) -> list[Any]:
        spec = obj["spec"]
        ports = [_port_text(port) for port in spec.get("ports") or []]
        return [
            obj["metadata"]["name"],
            spec.get("type", ""),
            spec.get("clusterIP") or "<none>",
            _external(obj),
            ",".join(ports) or "<none>",
            age(obj),
            selector_text({"matchLabels": spec.get("selector") or {}}),
        ]


def _port(port: Object, here: str, names: set[str], *, needs_name: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    name = port.get("name") or ""
    if needs_name and not name:
        errors.append(fields.required(f"{here}.name"))
    elif name:
        errors += [fields.invalid(f"{here}.name", name, why) for why in fields.label_problems(name)]
        if name in names:
            errors.append(fields.duplicate(f"{here}.name", name))
        names.add(name)
    for key in ("port", "targetPort"):
        number = port.get(key, 0)
        if isinstance(number, int) and not 0 < number < 65536:
            errors.append(fields.invalid(f"{here}.{key}", number, "must be between 1 and 65535, inclusive"))
    if port.get("protocol") not in _PROTOCOLS:
        errors.append(fields.unsupported(f"{here}.protocol", port.get("protocol"), _PROTOCOLS))
    return errors


def _same_ports(ports: list[Object]) -> list[FieldError]:
    errors, seen = [], set()
    for index, port in enumerate(ports):
        key = (port.get("protocol"), port.get("port"))
        if key in seen:
            shown = (
                f'core.ServicePort{{Name:"", Protocol:"{key[0]}", AppProtocol:(*string)(nil), Port:{key[1]}, '
                'TargetPort:intstr.IntOrString{Type:0, IntVal:0, StrVal:""}, NodePort:0}'
            )
            errors.append(FieldError("FieldValueDuplicate", f"spec.ports[{index}]", f"Duplicate value: {shown}"))
        seen.add(key)
    return errors


def _port_text(port: Object) -> str:
    node = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port')}{node}/{port.get('protocol')}"


def _external(obj: Object) -> str:
    spec = obj["spec"]
    own = spec.get("externalIPs") or []
    if spec.get("type") == "ExternalName":
        return str(spec.get("externalName"))
    if spec.get("type") == "LoadBalancer":
        ingress = dig(obj, "status.loadBalancer.ingress") or []
        own = [item.get("ip") or item.get("hostname") for item in ingress] + own
        return ",".join(own) or "<pending>"
    return ",".join(own) or "<none>"


@register(ENDPOINTS)
class EndpointsStrategy(Strategy):
    """Endpoints."""

    creates_on_update = True
    columns = (NAME, Column("Endpoints", "@io.k8s.api.core.v1.Endpoints.subsets"), AGE)

    def default(self, obj: Object) -> None:
        for subset in obj.get("subsets") or []:
            for port in subset.get("ports") or []:
                default(port, protocol="TCP")

    def row(self, obj: Object) -> list[Any]:
        found = [
            f"{address['ip']}:{port['port']}"
            for subset in obj.get("subsets") or []
            for port in subset.get("ports") or []
            for address in subset.get("addresses") or []
        ]
        more = f" + {len(found) - 3} more..." if len(found) > 3 else ""
        return [obj["metadata"]["name"], ",".join(found[:3]) + more or "<none>", age(obj)]


@register(ENDPOINT_SLICE)
class EndpointSliceStrategy(Strategy):
    """EndpointSlices."""

    columns = (
        NAME,
        Column("AddressType", "@io.k8s.api.discovery.v1.EndpointSlice.addressType"),
        Column("Ports", "@io.k8s.api.discovery.v1.EndpointSlice.ports"),
        Column("Endpoints", "@io.k8s.api.discovery.v1.EndpointSlice.endpoints"),
        AGE,
    )

    def default(self, obj: Object) -> None:
        for port in obj.get("ports") or []:
            default(port, protocol="TCP")
            port.setdefault("name", "")

    def row(self, obj: Object) -> list[Any]:
        ports = [str(port.get("port", "*")) for port in obj.get("ports") or []]
        found = [address for endpoint in obj.get("endpoints") or [] for address in endpoint.get("addresses") or []]
        return [
            obj["metadata"]["name"], obj.get("addressType", ""), _limited(ports, "<unset>"), _limited(found, "<unset>"),
            age(obj),
        ]  # fmt: skip


def _limited(items: list[str], nothing: str) -> str:
    more = f" + {len(items) - 3} more..." if len(items) > 3 else ""
    return ",".join(items[:3]) + more or nothing


@register(INGRESS)
class IngressStrategy(Strategy):
    """Ingresses."""

    has_status = True
    columns = (
        NAME,
        Column("Class", "The name of the IngressClass resource that should be used for additional configuration"),
        Column("Hosts", "Hosts that incoming requests are matched against before the ingress rule"),
        Column("Address", "Address is a list containing ingress points for the load-balancer"),
        Column("Ports", "Ports of TLS configurations that open"),
        AGE,
    )

    def prepare_create(self, obj: Object) -> None:
        obj["status"] = {"loadBalancer": {}}

    def prepare_update(self, obj: Object, old: Object) -> None:
        obj["status"] = old.get("status", {})

    def prepare_status(self, obj: Object, old: Object) -> None:
        obj["spec"] = old.get("spec", {})

    def row(self, obj: Object) -> list[Any]:
        spec = obj.get("spec") or {}
        hosts = [rule["host"] for rule in spec.get("rules") or [] if rule.get("host")]
        addresses = [item.get("ip") or item.get("hostname") for item in dig(obj, "status.loadBalancer.ingress") or []]
        return [
            obj["metadata"]["name"], spec.get("ingressClassName") or "<none>", ",".join(hosts) or "*",
            ",".join(addresses), "80, 443" if spec.get("tls") else "80", age(obj),
        ]  # fmt: skip


@register(INGRESS_CLASS)
class IngressClassStrategy(Strategy):
    """IngressClasses."""

    columns = (
        NAME,
        Column("Controller", "Controller that is responsible for handling this class"),
        Column("Parameters", "A reference to a resource with additional parameters"),
        AGE,
    )

    def row(self, obj: Object) -> list[Any]:
        spec = obj.get("spec") or {}
        parameters = spec.get("parameters") or {}
        shown = f"{parameters.get('kind')}/{parameters.get('name')}" if parameters else "<none>"
        return [obj["metadata"]["name"], spec.get("controller", ""), shown, age(obj)]


@register(NETWORK_POLICY)
class NetworkPolicyStrategy(Strategy):
    """NetworkPolicies."""

    columns = (NAME, Column("Pod-Selector", "@io.k8s.api.networking.v1.NetworkPolicySpec.podSelector"), AGE)

    def default(self, obj: Object) -> None:
        spec = obj.setdefault("spec", {})
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]

    def warnings(self, obj: Object) -> list[str]:  # noqa: ARG002
        return ["the sandbox keeps NetworkPolicies but does not enforce them"]

    def row(self, obj: Object) -> list[Any]:
        return [obj["metadata"]["name"], selector_text(dig(obj, "spec.podSelector")), age(obj)]
