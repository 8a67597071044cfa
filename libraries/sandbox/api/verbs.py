"""The verbs of a resource over HTTP: decode, do, answer."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from ..kinds import NAMESPACE, strategy
from ..schemas import types
from . import answers, bodies, deletes, lists, managed, options, patching, selectors, status, views
from .context import Call
from .creates import create_object
from .updates import replace_object, update_object

Object = dict[str, Any]


def prepare(call: Call, request: web.Request, options_kind: str) -> None:
    """Reads the options of a write into the call. Raises 422."""
    query = request.query
    applies = bodies.media_type(request.headers.get("Content-Type", "")) == patching.APPLY
    dry_runs = query.getall("dryRun", [])
    call.dry_run, call.field_validation = options.write_options(query, dry_runs, options_kind, applies=applies)
    agent = request.headers.get("User-Agent", "")
    call.manager = query.get("fieldManager", "") or agent.partition("/")[0][:128] or "unknown"


async def get(call: Call, request: web.Request) -> web.StreamResponse:
    """One object."""
    form = answers.form(request)
    lists.revision_of(request.query)
    obj = existing(call)
    body = views.one(call.kind, views.outward(call.kind, obj), form)
    return answers.answer(body, request, media=form.media, warnings=call.warnings)


def existing(call: Call) -> Object:
    """The call's object. Raises 404."""
    obj = call.cluster.store.get(call.kind, call.namespace, call.name)
    if obj is None:
        raise status.not_found(call.kind, call.name)
    return obj


async def list_(call: Call, request: web.Request) -> web.StreamResponse:
    """A list, or a page of it."""
    form = answers.form(request)
    options.list_options(request.query, watching=False, watch_list=False)
    page = lists.page(call.cluster.store, call.kind, call.namespace, request.query)
    body = views.many(call.kind, page.items, page.metadata, form)
    return answers.answer(body, request, media=form.media, warnings=call.warnings)


async def create(call: Call, request: web.Request) -> web.StreamResponse:
    """A new object."""
    form = answers.form(request)
    prepare(call, request, "CreateOptions")
    obj = bodies.read(await request.read(), request.headers.get("Content-Type", ""), call)
    obj = views.inward(call.kind, obj)
    stored = create_object(call, obj)
    return _written(call, stored, request, form, 201)


def _written(call: Call, stored: Object, request: web.Request, form: answers.Form, code: int) -> web.Response:
    body = views.one(call.kind, views.outward(call.kind, stored), form)
    return answers.answer(body, request, code=code, media=form.media, warnings=call.warnings)


async def update(call: Call, request: web.Request) -> web.StreamResponse:
    """PUT."""
    form = answers.form(request)
    prepare(call, request, "UpdateOptions")
    obj = bodies.read(await request.read(), request.headers.get("Content-Type", ""), call)
    stored, created = update_object(call, views.inward(call.kind, obj))
    return _written(call, stored, request, form, 201 if created else 200)


async def patch(call: Call, request: web.Request) -> web.StreamResponse:
    """The four kinds of patch."""
    form = answers.form(request)
    media = bodies.media_type(request.headers.get("Content-Type", ""))
    patching.check_media(media, call.kind)
    prepare(call, request, "PatchOptions")
    body = await request.read()
    if media == patching.APPLY:
        stored, created = _apply(call, request, body)
        return _written(call, stored, request, form, 201 if created else 200)
    old = existing(call)
    shown = views.outward(call.kind, old)
    patched = patching.patched(call, shown, body, media)
    stored = replace_object(call, views.inward(call.kind, patched), old)
    return _written(call, stored, request, form, 200)


def _apply(call: Call, request: web.Request, body: bytes) -> tuple[Object, bool]:
    configuration = patching.configuration(call, body, request.query.get("fieldManager", ""))
    old = call.cluster.store.get(call.kind, call.namespace, call.name)
    if old is None:
        if call.subresource:
            raise status.not_found(call.kind, call.name)
        typed = bodies.typed(configuration, call, types.of_kind(call.kind), call.kind.kind)
        return create_object(call, typed, applied=configuration), True
    force = options.boolean(request.query, "force")
    merged, others = managed.apply(call, old, configuration, force=force)
    merged["metadata"].pop("managedFields", None)
    typed = bodies.typed(merged, call, types.of_kind(call.kind), call.kind.kind)
    return replace_object(call, typed, old, applied=(configuration, others)), False


async def _delete_options(call: Call, request: web.Request) -> deletes.DeleteOptions:
    query = request.query
    call.dry_run, _ = options.write_options(query, query.getall("dryRun", []), "DeleteOptions")
    raw = await request.read()
    body: Object = {}
    if raw:
        body = bodies.read(raw, request.headers.get("Content-Type", ""), call, types.struct("meta/v1.DeleteOptions"))
        if body.get("dryRun"):
            call.dry_run, _ = options.write_options({}, body["dryRun"], "DeleteOptions")
    else:
        grace = options.integer(query, "gracePeriodSeconds")
        body = {"gracePeriodSeconds": grace} if grace is not None else {}
        if query.get("propagationPolicy"):
            body["propagationPolicy"] = query["propagationPolicy"]
        if query.get("orphanDependents"):
            body["orphanDependents"] = options.boolean(query, "orphanDependents")
    return deletes.options_of(body)


async def delete(call: Call, request: web.Request) -> web.StreamResponse:
    """DELETE of one object: a Status when it is gone, else the object that waits."""
    form = answers.form(request)
    deleted = deletes.delete_object(call, await _delete_options(call, request))
    if deleted.gone and not _answers_object(call):
        details = status.of_resource(call.kind, call.name, uid=deleted.object["metadata"]["uid"])
        return answers.answer(status.success(details), request, media=form.media)
    return _written(call, deleted.object, request, form, 200)


def _answers_object(call: Call) -> bool:
    """Some kinds return the object even when it is gone (ReturnDeletedObject of their storage)."""
    return call.kind.plural in ("pods", "services", "serviceaccounts", "persistentvolumes", "persistentvolumeclaims",
                                "resourcequotas", "podtemplates") and not call.kind.group  # fmt: skip


async def delete_collection(call: Call, request: web.Request) -> web.StreamResponse:
    """DELETE of all that is selected; answers the list."""
    form = answers.form(request)
    wanted = await _delete_options(call, request)
    query = request.query
    matches = selectors.matcher(call.kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    store = call.cluster.store
    items = []
    for obj in store.list(call.kind, call.namespace or None):
        if matches is not None and not matches(obj):
            continue
        one = Call(**{**vars(call), "name": obj["metadata"]["name"], "namespace": obj["metadata"].get("namespace", "")})
        items.append(views.outward(call.kind, deletes.delete_object(one, wanted).object))
    body = views.many(call.kind, items, {"resourceVersion": str(store.revision)}, answers.Form(form.media))
    return answers.answer(body, request, media=form.media)


async def put_status(call: Call, request: web.Request) -> web.StreamResponse:
    """PUT of the status subresource."""
    return await update(call, request)


async def finalize(call: Call, request: web.Request) -> web.StreamResponse:
    """PUT of a namespace's finalize subresource: the finalizers of its spec."""
    if call.kind is not NAMESPACE:
        raise status.no_such_resource()
    prepare(call, request, "UpdateOptions")
    obj = bodies.read(await request.read(), request.headers.get("Content-Type", ""), call)
    old = existing(call)

    def change(namespace: Object) -> None:
        namespace["spec"] = obj.get("spec") or {}

    call.cluster.store.change(NAMESPACE, None, call.name, change)
    await asyncio.sleep(0)
    found = call.cluster.store.get(NAMESPACE, None, call.name) or {**old, "spec": obj.get("spec") or {}}
    return answers.answer(views.one(call.kind, found, answers.PLAIN), request)


def has_status(call: Call) -> bool:
    """Whether the kind has a status subresource."""
    return strategy.of(call.kind).has_status or "status" in call.kind.subresources
