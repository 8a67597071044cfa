"""OpenAPI v3: the documents that `kubectl explain` and client-side validation read. The v2 document is not emulated.

Source: k8s.io/kube-openapi pkg/handler3.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from aiohttp import web

from ..kinds import Kind
from . import answers

if TYPE_CHECKING:
    from ..store import Store

Object = dict[str, Any]
_VERBS = {"get": "get", "list": "list", "create": "post", "update": "put", "patch": "patch", "delete": "delete"}
_META = "io.k8s.apimachinery.pkg.apis.meta.v1."
_ORIGINS = {
    "apiextensions.k8s.io": "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions",
    "apiregistration.k8s.io": "io.k8s.kube-aggregator.pkg.apis.apiregistration",
}


class OpenApi:
    """The documents, one a group version, made when they are asked for."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def answer(self, request: web.Request, parts: list[str]) -> web.StreamResponse:
        """Answers below /openapi."""
        if parts == ["v3"]:
            return answers.answer(self._index(), request)
        if parts[:1] != ["v3"]:
            return answers.text("404 page not found\n", 404)
        path = "/".join(parts[1:])
        if path not in self._paths():
            return answers.text("404 page not found\n", 404)
        body = self._document(path)
        return answers.answer(body, request)

    def _paths(self) -> dict[str, list[Kind]]:
        found: dict[str, list[Kind]] = {}
        for kind in self._store.registry.all():
            found.setdefault(_path(kind), []).append(kind)
        return found

    def _index(self) -> Object:
        paths = {}
        for path, kinds in self._paths().items():
            tag = hashlib.sha256("".join(f"{kind.kind}{id(kind)}" for kind in kinds).encode()).hexdigest().upper()
            paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash={tag}"}
        return {"paths": paths}

    def _document(self, path: str) -> Object:
        from ..schemas.documentation import definitions

        known = definitions()
        wanted: Object = {}
        paths: Object = {}
        for kind in self._paths()[path]:
            name = _definition(kind)
            schema = known.get(name) or self._custom_schema(kind)
            if schema is None:
                continue
            listed = {"type": "object", "properties": {"items": {"type": "array", "items": _ref(name)}}}
            wanted[name] = {**schema, "x-kubernetes-group-version-kind": [_gvk(kind)]}
            wanted[f"{name}List"] = {**listed, "x-kubernetes-group-version-kind": [_gvk(kind, "List")]}
            paths.update(_operations(kind, name))
            _collect(schema, known, wanted)
        _collect(known[_META + "DeleteOptions"], known, wanted)
        wanted[_META + "DeleteOptions"] = known[_META + "DeleteOptions"]
        info = {"title": "Kubernetes (emulated)", "version": "v1.33.13+emulated"}
        return {"openapi": "3.0.0", "info": info, "paths": paths, "components": {"schemas": wanted}}

    def _custom_schema(self, kind: Kind) -> Object | None:
        from ..kinds import CRD

        definition = self._store.get(CRD, None, kind.resource)
        for version in (definition or {}).get("spec", {}).get("versions") or []:
            if version["name"] == kind.version:
                schema = (version.get("schema") or {}).get("openAPIV3Schema") or {"type": "object"}
                text = {"type": "string"}
                head = {"apiVersion": text, "kind": text, "metadata": _ref(_META + "ObjectMeta")}
                return {**schema, "properties": {**(schema.get("properties") or {}), **head}}
        return None


def _path(kind: Kind) -> str:
    return f"apis/{kind.group}/{kind.version}" if kind.group else f"api/{kind.version}"


def _definition(kind: Kind) -> str:
    if kind.custom:
        return ".".join(reversed(kind.group.split("."))) + f".{kind.version}.{kind.kind}"
    package = _ORIGINS.get(kind.group) or "io.k8s.api." + (kind.group or "core").partition(".")[0]
    return f"{package}.{kind.version}.{kind.kind}"


def _ref(name: str) -> Object:
    return {"allOf": [{"$ref": f"#/components/schemas/{name}"}], "default": {}}


def _gvk(kind: Kind, suffix: str = "") -> Object:
    return {"group": kind.group, "version": kind.version, "kind": kind.kind + suffix}


def _operations(kind: Kind, name: str) -> Object:
    base = f"/{_path(kind)}/" + ("namespaces/{namespace}/" if kind.namespaced else "") + kind.plural
    body = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}
    collection: Object = {}
    single: Object = {}
    for verb in kind.verbs:
        method = _VERBS.get(verb)
        if method is None:
            continue
        action = {"list": "list", "create": "post", "update": "put"}.get(verb, verb)
        operation: Object = {
            "operationId": f"{action}{kind.kind}",
            "x-kubernetes-action": action,
            "x-kubernetes-group-version-kind": _gvk(kind),
            "parameters": _parameters(verb),
            "responses": {"200": {"description": "OK", **body}},
        }
        if verb in ("create", "update"):
            operation["requestBody"] = body
        if verb in ("list", "create"):
            collection["get" if verb == "list" else "post"] = operation
        else:
            single[method] = operation
    return {path: item for path, item in ((base, collection), (base + "/{name}", single)) if item}


def _parameters(verb: str) -> list[Object]:
    names = {
        "create": ("dryRun", "fieldManager", "fieldValidation"),
        "update": ("dryRun", "fieldManager", "fieldValidation"),
        "patch": ("dryRun", "fieldManager", "fieldValidation", "force"),
    }.get(verb, ())
    return [{"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}} for name in names]


def _collect(value: Any, known: Object, wanted: Object) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, known, wanted)
    elif isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str):
            name = reference.rpartition("/")[2]
            if name not in wanted and name in known:
                wanted[name] = known[name]
                _collect(known[name], known, wanted)
        for item in value.values():
            _collect(item, known, wanted)
