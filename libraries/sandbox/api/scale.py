"""The scale subresource. Source: Kubernetes pkg/registry/apps/*/storage (ScaleREST)."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from ..kinds import Kind, fields
from ..kinds.strategy import dig, selector_text
from ..schemas import types
from ..store import clone
from . import answers, bodies, patching, verbs
from .context import Call
from .patches import json_patch, merge_patch
from .status import bad_request, invalid, stale
from .updates import replace_object

Object = dict[str, Any]
SCALE = Kind("autoscaling", "v1", "Scale", "scales", "scale")


def of(obj: Object) -> Object:
    """The Scale of an object."""
    metadata = {k: obj["metadata"][k] for k in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")}
    status: Object = {"replicas": dig(obj, "status.replicas") or 0}
    selector = dig(obj, "spec.selector")
    is_map = selector is not None and not {"matchLabels", "matchExpressions"} & set(selector)
    text = selector_text({"matchLabels": selector} if is_map else selector)
    if text != "<none>":
        status["selector"] = text
    replicas = dig(obj, "spec.replicas") or 0
    spec = {"replicas": replicas} if replicas else {}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


async def serve(call: Call, request: web.Request) -> web.StreamResponse:
    """GET, PUT and PATCH of a scale."""
    old = verbs.existing(call)
    if request.method == "GET":
        return answers.answer(of(old), request)
    verbs.prepare(call, request, "UpdateOptions" if request.method == "PUT" else "PatchOptions")
    body, content_type = await request.read(), request.headers.get("Content-Type", "")
    if request.method == "PUT":
        scale = bodies.read(body, content_type, call, types.struct("autoscaling/v1.Scale"))
    else:
        scale = _patched(of(old), body, bodies.media_type(content_type), call)
    version = dig(scale, "metadata.resourceVersion")
    if version and version != old["metadata"]["resourceVersion"]:
        raise stale(call.kind, call.name)
    replicas = dig(scale, "spec.replicas") or 0
    if replicas < 0:
        error = fields.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise invalid("autoscaling", "Scale", call.name, [error])
    obj = clone(old)
    obj["spec"]["replicas"] = replicas
    stored = replace_object(call, obj, old)
    return answers.answer(of(stored), request, warnings=call.warnings)


def _patched(scale: Object, body: bytes, media: str, call: Call) -> Object:
    patching.check_media(media, call.kind)
    try:
        patch = bodies.load(body) if media != patching.APPLY else bodies.load_yaml(body)
    except ValueError as error:
        raise bad_request(f"error decoding patch: {error}") from None
    result: Object = json_patch(scale, patch) if media == patching.JSON_PATCH else merge_patch(scale, patch)
    return bodies.typed(result, call, types.struct("autoscaling/v1.Scale"), "Scale")
