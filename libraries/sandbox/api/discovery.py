"""Discovery: groups, versions, resources, health, version.

Source: k8s.io/apiserver pkg/endpoints/discovery (legacy and aggregated).
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..kinds import Kind
from ..kinds.kind import ALL_VERBS
from . import answers
from .status import method_not_allowed

if TYPE_CHECKING:
    from ..store import Store

Object = dict[str, Any]
_HEALTH = ("healthz", "livez", "readyz")
_AGGREGATED = "application/json;g=apidiscovery.k8s.io;v={};as=APIGroupDiscoveryList"
_SUBRESOURCES = {
    "attach": ("PodAttachOptions", "", "v1", ("create", "get")),
    "binding": ("Binding", "", "v1", ("create",)),
    "ephemeralcontainers": ("Pod", "", "v1", ("get", "patch", "update")),
    "eviction": ("Eviction", "policy", "v1", ("create",)),
    "exec": ("PodExecOptions", "", "v1", ("create", "get")),
    "finalize": ("Namespace", "", "v1", ("update",)),
    "log": ("Pod", "", "v1", ("get",)),
    "portforward": ("PodPortForwardOptions", "", "v1", ("create", "get")),
    "proxy": ("", "", "v1", ("create", "delete", "get", "patch", "update")),
    "resize": ("Pod", "", "v1", ("get", "patch", "update")),
    "scale": ("Scale", "autoscaling", "v1", ("get", "patch", "update")),
    "status": ("", "", "", ("get", "patch", "update")),
    "token": ("TokenRequest", "authentication.k8s.io", "v1", ("create",)),
}


class Discovery:
    """What the server says of itself."""

    def __init__(self, store: Store, version: dict[str, str]) -> None:
        self._store = store
        self._version = version

    def serves(self, group: str, version: str) -> bool:
        """Whether there is such a group in that version."""
        return any(kind.group == group and kind.version == version for kind in self._store.registry.all())

    def answer(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        """Answers what is no resource."""
        known = self._known(request, parts)
        if known is None:
            return answers.text("404 page not found\n", 404)
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        if isinstance(known, web.Response):
            return known
        if isinstance(known, str):
            return answers.text(known)
        return answers.answer(known, request)

    def _known(self, request: web.Request, parts: list[str]) -> Any:
        if not parts:
            return {"paths": ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]}
        if parts[0] in _HEALTH:
            return _health(request, parts)
        if parts == ["version"]:
            return self._version
        return self._groups_at(request, parts) if parts[0] in ("api", "apis") else None

    def _groups_at(self, request: web.Request, parts: list[str]) -> Any:
        legacy = parts[0] == "api"
        if len(parts) == 1:
            plain = self._core_versions(request) if legacy else self._group_list()
            return self._aggregated(request, legacy=legacy) or plain
        group, version = ("", parts[1]) if legacy else (parts[1], parts[-1])
        if len(parts) == (2 if legacy else 3):
            return self._resources(group, version) if self.serves(group, version) else None
        return self._group(group) if len(parts) == 2 else None

    def _core_versions(self, request: web.Request) -> Object:
        address = [{"clientCIDR": "0.0.0.0/0", "serverAddress": request.host}]
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": address}

    def _groups(self) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for kind in self._store.registry.all():
            versions = groups.setdefault(kind.group, [])
            if kind.version not in versions:
                versions.append(kind.version)
        return groups

    def _group_list(self) -> Object:
        groups = [self._group(name) for name in self._groups() if name]
        shown = [{k: v for k, v in group.items() if k not in ("kind", "apiVersion")} for group in groups if group]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": shown}

    def _group(self, name: str) -> Object | None:
        versions = self._groups().get(name)
        if not versions or not name:
            return None
        shown = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
        return {"kind": "APIGroup", "apiVersion": "v1", "name": name, "versions": shown, "preferredVersion": shown[0]}

    def _kinds(self, group: str, version: str) -> list[Kind]:
        found = [kind for kind in self._store.registry.all() if (kind.group, kind.version) == (group, version)]
        return sorted(found, key=lambda kind: kind.plural)

    def _resources(self, group: str, version: str) -> Object:
        resources = []
        for kind in self._kinds(group, version):
            resources.append(_resource(kind))
            resources += [_subresource(kind, name) for name in kind.subresources]
        name = f"{group}/{version}" if group else version
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}

    def _aggregated(self, request: web.Request, *, legacy: bool) -> web.Response | None:
        wanted = request.headers.get("Accept", "").replace(" ", "")
        version = next((v for v in ("v2", "v2beta1") if _asks_aggregated(wanted, v)), None)
        if version is None:
            return None
        groups = {name: versions for name, versions in self._groups().items() if (name == "") == legacy}
        items = [self._aggregated_group(name, versions) for name, versions in groups.items()]
        body = {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": f"apidiscovery.k8s.io/{version}",
            "metadata": {},
            "items": items,
        }
        data = answers.dumps(body)
        tag = '"' + hashlib.sha256(data).hexdigest().upper()[:64] + '"'
        if request.headers.get("If-None-Match") == tag:
            return web.Response(status=304, headers={"ETag": tag})
        headers = {"Content-Type": _AGGREGATED.format(version), "ETag": tag, "Vary": "Accept"}
        return web.Response(body=data, headers=headers)

    def _aggregated_group(self, name: str, versions: list[str]) -> Object:
        shown = [
            {"version": v, "resources": [_aggregated_kind(k) for k in self._kinds(name, v)], "freshness": "Current"}
            for v in versions
        ]
        return {
            "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
            "versions": shown,
        }


def _health(request: web.Request, parts: list[str]) -> str | None:
    if len(parts) > 1:
        return "ok" if parts[1:] == ["ping"] else None
    return f"[+]ping ok\n{parts[0]} check passed\n" if "verbose" in request.query else "ok"


def _asks_aggregated(accept: str, version: str) -> bool:
    first = f"g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList"
    return first in accept or f"as=APIGroupDiscoveryList;v={version};g=apidiscovery.k8s.io" in accept


def _resource(kind: Kind) -> Object:
    found: Object = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        found["shortNames"] = list(kind.short_names)
    if kind.categories:
        found["categories"] = list(kind.categories)
    if set(kind.verbs) == set(ALL_VERBS):
        text = f"{kind.group}/{kind.version}/{kind.kind}"
        found["storageVersionHash"] = _hash(text)
    return found


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()[:8]).decode()


def _subresource(kind: Kind, name: str) -> Object:
    shown, group, version, verbs = _SUBRESOURCES[name]
    if name == "proxy":
        shown = kind.kind + "ProxyOptions"
    found: Object = {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
    if group:
        found.update(group=group, version=version)
    return {**found, "kind": shown or kind.kind, "verbs": list(verbs)}


def _aggregated_kind(kind: Kind) -> Object:
    found: Object = {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    if kind.short_names:
        found["shortNames"] = list(kind.short_names)
    if kind.categories:
        found["categories"] = list(kind.categories)
    subresources = [_aggregated_subresource(kind, name) for name in kind.subresources]
    return {**found, "subresources": subresources} if subresources else found


def _aggregated_subresource(kind: Kind, name: str) -> Object:
    shown, group, version, verbs = _SUBRESOURCES[name]
    if name == "proxy":
        shown = kind.kind + "ProxyOptions"
    of = {"group": group, "version": version} if shown else {"group": kind.group, "version": kind.version}
    return {"subresource": name, "responseKind": {**of, "kind": shown or kind.kind}, "verbs": list(verbs)}
