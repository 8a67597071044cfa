"""Services: cluster addresses and node ports.

Source: Kubernetes pkg/registry/core/service (storage/alloc.go, strategy.go). Ranges: 10.96.0.0/16 and 30000-32767.
"""

from __future__ import annotations

import ipaddress
import random
from typing import TYPE_CHECKING, Any

from ..kinds import SERVICE, fields
from ..kinds.fields import FieldError
from .context import Call
from .status import invalid_object

if TYPE_CHECKING:
    from ..store import Store

Object = dict[str, Any]
RANGE = ipaddress.ip_network("10.96.0.0/16")
PORTS = range(30000, 32768)
_EXPOSED = ("NodePort", "LoadBalancer")


def allocate(call: Call, obj: Object, old: Object | None) -> None:
    """Gives a Service its addresses and ports, keeps those that it had. Raises 422."""
    spec = obj["spec"]
    store = call.cluster.store
    if spec.get("type") == "ExternalName":
        for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"):
            spec.pop(key, None)
        return
    before = (old or {}).get("spec") or {}
    _address(call, obj, before, store)
    spec["clusterIPs"] = [spec["clusterIP"]]
    spec.setdefault("ipFamilies", before.get("ipFamilies") or ["IPv4"])
    spec.setdefault("ipFamilyPolicy", before.get("ipFamilyPolicy") or "SingleStack")
    if spec.get("type") in _EXPOSED:
        _node_ports(call, obj, before, store)
    else:
        for port in spec.get("ports") or []:
            port.pop("nodePort", None)


def _address(call: Call, obj: Object, before: Object, store: Store) -> None:
    spec = obj["spec"]
    asked = spec.get("clusterIP") or (spec.get("clusterIPs") or [""])[0]
    if not asked and before.get("clusterIP"):
        asked = before["clusterIP"]
    if asked and before.get("clusterIP") not in (None, "", asked) and before.get("type") != "ExternalName":
        _refuse(call, obj, fields.go_invalid("spec.clusterIPs[0]", f'[]string{{"{asked}"}}', "may not change once set"))
    taken = {
        item["spec"].get("clusterIP")
        for item in store.list(SERVICE)
        if item["metadata"].get("uid") != obj["metadata"].get("uid")
    }
    if asked and asked != "None":
        _check_address(call, obj, asked, taken - {before.get("clusterIP")})
    while not asked or (asked in taken and asked != "None" and asked != before.get("clusterIP")):
        asked = str(RANGE[random.randrange(256, RANGE.num_addresses - 1)])  # noqa: S311 - no secret
    spec["clusterIP"] = asked


def _check_address(call: Call, obj: Object, asked: str, taken: set[Any]) -> None:
    shown = f'[]string{{"{asked}"}}'
    try:
        inside = ipaddress.ip_address(asked) in RANGE
    except ValueError:
        why = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
        _refuse(call, obj, fields.invalid("spec.clusterIPs[0]", asked, why))
        return
    why = ""
    if not inside:
        why = f"failed to allocate IP {asked}: the provided IP ({asked}) is not in the valid range. "
        why += f"The range of valid IPs is {RANGE}"
    elif asked in taken:
        why = f"failed to allocate IP {asked}: provided IP is already allocated"
    if why:
        _refuse(call, obj, fields.go_invalid("spec.clusterIPs", shown, why))


def _node_ports(call: Call, obj: Object, before: Object, store: Store) -> None:
    taken = {
        (port.get("nodePort"), port.get("protocol"))
        for item in store.list(SERVICE)
        if item["metadata"].get("uid") != obj["metadata"].get("uid")
        for port in item["spec"].get("ports") or []
    }
    had = {(port.get("port"), port.get("protocol")): port.get("nodePort") for port in before.get("ports") or []}
    for index, port in enumerate(obj["spec"].get("ports") or []):
        asked = port.get("nodePort") or had.get((port.get("port"), port.get("protocol")))
        if asked and asked not in PORTS:
            why = "provided port is not in the valid range. The range of valid ports is 30000-32767"
            _refuse(call, obj, fields.invalid(f"spec.ports[{index}].nodePort", asked, why))
        if asked and (asked, port.get("protocol")) in taken:
            why = "provided port is already allocated"
            _refuse(call, obj, fields.invalid(f"spec.ports[{index}].nodePort", asked, why))
        while not asked or (asked, port.get("protocol")) in taken:
            asked = random.choice(PORTS)  # noqa: S311 - no secret
        port["nodePort"] = asked
        taken.add((asked, port.get("protocol")))


def _refuse(call: Call, obj: Object, error: FieldError) -> None:
    raise invalid_object(call.kind, obj["metadata"].get("name") or "", [error])
