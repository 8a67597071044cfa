"""Lists: selection, paging over one revision, and the list's metadata.

Source: k8s.io/apiserver pkg/storage (continue.go), pkg/storage/etcd3 (store.go: GetList, errors.go).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..kinds import Kind
from ..store import Expired, Store
from . import options, selectors, views
from .status import ApiError, bad_request, failure

Object = dict[str, Any]
_TOO_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without "
    "the continue parameter, or use the continue token in this response to retrieve the remainder of the results. "
    "Continuing with the provided token results in an inconsistent list - objects that were created, modified, or "
    "deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True)
class Page:
    """A list's objects (as the asked version shows them) and metadata."""

    items: list[Object]
    metadata: Object


def revision_of(query: Mapping[str, str], where: str = "resourceVersion") -> int | None:
    """The asked resourceVersion, or None. Raises the 500 that the server answers to nonsense."""
    text = query.get("resourceVersion", "")
    if not text:
        return None
    if not text.isdigit():
        raise failure(500, "", f'{where}: Invalid value: "{text}": strconv.ParseUint: parsing "{text}": invalid syntax')
    return int(text)


def too_large(asked: int, current: int) -> ApiError:
    """504 of a version that is yet to come."""
    cause = {"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}
    message = f"Timeout: Too large resource version: {asked}, current: {current}"
    return failure(504, "Timeout", message, {"causes": [cause], "retryAfterSeconds": 1}, {"Retry-After": "1"})


def page(store: Store, kind: Kind, namespace: str, query: Mapping[str, str]) -> Page:
    """The asked part of a list. Raises ApiError."""
    matches = selectors.matcher(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    limit = options.integer(query, "limit") or 0
    options.integer(query, "timeoutSeconds")
    token = query.get("continue", "")
    start, revision = _continued(token) if token else ("", _revision(store, query))
    objects = _at(store, kind, namespace, revision, token)
    shown = str(revision or store.revision)
    if start:
        objects = [obj for obj in objects if _key(obj, namespace) >= start]
    selected = objects if matches is None else [obj for obj in objects if matches(obj)]
    metadata: Object = {"resourceVersion": shown}
    if 0 < limit < len(selected):
        metadata["continue"] = _token(_key(selected[limit - 1], namespace) + "\0", int(shown))
        if matches is None:
            metadata["remainingItemCount"] = len(selected) - limit
        selected = selected[:limit]
    return Page([views.outward(kind, obj) for obj in selected], metadata)


def _revision(store: Store, query: Mapping[str, str]) -> int | None:
    asked = revision_of(query)
    if asked is None or asked == 0:
        return None
    if query.get("resourceVersionMatch") == "Exact":
        if asked > store.revision:
            raise failure(500, "", "etcdserver: mvcc: required revision is a future revision")
        return asked
    if asked > store.revision:
        raise too_large(asked, store.revision)
    return None


def _at(store: Store, kind: Kind, namespace: str, revision: int | None, token: str) -> list[Object]:
    """The objects as they were at a revision: the changes since then undone."""
    objects = store.list(kind, namespace or None)
    if revision is None or revision == store.revision:
        return objects
    try:
        changes = store.since(revision)
    except Expired:
        raise failure(
            410, "Expired", _TOO_OLD if token else "The resourceVersion for the provided list is too old."
        ) from None
    state = {_key(obj, ""): obj for obj in objects}
    for change in reversed(changes):
        if change.kind is not kind.storage or namespace not in ("", change.object["metadata"].get("namespace")):
            continue
        key = _key(change.object, "")
        if change.old is None:
            state.pop(key, None)
        else:
            state[key] = change.old
    return [state[key] for key in sorted(state)]


def _key(obj: Object, namespace: str) -> str:
    metadata = obj["metadata"]
    return (
        metadata["name"]
        if namespace or not metadata.get("namespace")
        else f"{metadata['namespace']}/{metadata['name']}"
    )


def _token(start: str, revision: int) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": revision, "start": start}, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _continued(token: str) -> tuple[str, int]:
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise bad_request(
            "invalid continue token: continue key is not valid: illegal base64 data at input byte 0"
        ) from None
    try:
        value = json.loads(raw)
        return str(value["start"]), int(value["rv"])
    except (ValueError, KeyError, TypeError):
        first = raw.decode(errors="replace")[:1]
        why = f"invalid character '{first}' looking for beginning of value"
        raise bad_request(f"invalid continue token: continue key is not valid: {why}") from None
