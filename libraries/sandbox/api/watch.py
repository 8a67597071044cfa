"""Watches: events of one kind to who asked, from a revision on.

Source: k8s.io/apiserver pkg/storage/cacher (cacher.go, cache_watcher.go), pkg/endpoints/handlers (watch.go).
"""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from ..kinds import Kind
from ..store import Change, Expired, Store
from . import lists, options, selectors, views
from .answers import FRESH, Form, dumps
from .context import Call
from .status import failure

Object = dict[str, Any]
_BOOKMARK_EVERY = 60.0
_INITIAL_END = "k8s.io/initial-events-end"
_Key = tuple[int, str, str, str]
_ENCODED_LIMIT = 512


class _Encoded:
    """Events of one store that were encoded lately, for the next watch that sees them. Revisions are the store's own,
    so that another store's events must not be among them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[_Key, bytes] = OrderedDict()

    def get(self, key: _Key) -> bytes | None:
        """The event's bytes, if they are still kept."""
        return self._kept.get(key)

    def remember(self, key: _Key, encoded: bytes) -> None:
        """Keeps the event's bytes, and forgets the oldest ones."""
        self._kept[key] = encoded
        if len(self._kept) > _ENCODED_LIMIT:
            self._kept.popitem(last=False)


class Hub:
    """Hands the store's changes to the watches of their kind."""

    def __init__(self, store: Store) -> None:
        self.encoded = _Encoded()
        self._queues: dict[Kind, set[asyncio.Queue[Change | None]]] = {}
        self._unsubscribe = store.subscribe(self._changed)

    def add(self, kind: Kind) -> asyncio.Queue[Change | None]:
        """A queue that gets every change of the kind from now on."""
        queue: asyncio.Queue[Change | None] = asyncio.Queue()
        self._queues.setdefault(kind.storage, set()).add(queue)
        return queue

    def discard(self, kind: Kind, queue: asyncio.Queue[Change | None]) -> None:
        """Ends a queue."""
        self._queues.get(kind.storage, set()).discard(queue)

    def end_all(self) -> None:
        """Ends every watch, as a server does that goes down."""
        for queues in self._queues.values():
            for queue in queues:
                queue.put_nowait(None)

    def close(self) -> None:
        """Ends every watch and listens no more."""
        self.end_all()
        self._unsubscribe()

    def _changed(self, change: Change) -> None:
        for queue in self._queues.get(change.kind, ()):
            queue.put_nowait(change)


class _Stream:
    """What one watch sees of changes, as bytes."""

    def __init__(
        self, encoded: _Encoded, kind: Kind, namespace: str, matches: selectors.Match | None, form: Form
    ) -> None:
        self._encoded = encoded
        self._kind, self._namespace, self._matches, self._form = kind, namespace, matches, form
        self._columns_sent = False

    def encode(self, change: Change) -> bytes:
        """The event that the watch gets of a change; empty when it gets none."""
        if self._namespace and change.object["metadata"].get("namespace") != self._namespace:
            return b""
        event, obj = change.type, change.object
        if self._matches is not None:
            seen = self._matches(change.old) if change.old is not None else False
            sees = event != "DELETED" and self._matches(obj)
            if not seen and not sees:
                return b""
            event = "MODIFIED" if seen and sees else "ADDED" if sees else "DELETED"
            if event == "DELETED" and change.old is not None and change.type != "DELETED":
                version = obj["metadata"]["resourceVersion"]
                obj = {**change.old, "metadata": {**change.old["metadata"], "resourceVersion": version}}
                return self.event(event, obj)
        key = (change.revision, event, self._kind.api_version, self._form.shape)
        if self._form.shape == "Table":
            return self.event(event, obj)
        encoded = self._encoded.get(key)
        if encoded is None:
            encoded = self.event(event, obj)
            self._encoded.remember(key, encoded)
        return encoded

    def event(self, event: str, obj: Object) -> bytes:
        """An event with an object in the watch's shape."""
        shown = views.outward(self._kind, obj)
        if self._form.shape == "Table":
            metadata = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            first, self._columns_sent = not self._columns_sent, True
            body = views.table(self._kind, [shown], metadata, self._form, columns=first)
        else:
            body = views.one(self._kind, shown, self._form)
        return dumps({"type": event, "object": body}) + b"\n"

    def bookmark(self, revision: int, *, initial: bool = False) -> bytes:
        """A bookmark at a revision."""
        metadata: Object = {"resourceVersion": str(revision), "creationTimestamp": None}
        if initial:
            metadata["annotations"] = {_INITIAL_END: "true"}
        obj = {"kind": self._kind.kind, "apiVersion": self._kind.api_version, "metadata": metadata}
        return dumps({"type": "BOOKMARK", "object": obj}) + b"\n"


def _starting(store: Store, query: Mapping[str, str], *, initial: bool) -> int | None:
    """The revision to go on from, or None to begin with what is there."""
    asked = lists.revision_of(query)
    if asked is not None and asked > store.revision:
        raise lists.too_large(asked, store.revision)
    return None if asked in (None, 0) or initial else asked


async def serve(call: Call, request: web.Request, hub: Hub, form: Form, *, watch_list: bool) -> web.StreamResponse:
    """Streams events until the asked time is over or the client is gone."""
    query, store, kind, namespace = request.query, call.cluster.store, call.kind, call.namespace
    options.list_options(query, watching=True, watch_list=watch_list)
    matches = selectors.matcher(kind, query.get("labelSelector", ""), query.get("fieldSelector", ""))
    seconds = options.integer(query, "timeoutSeconds") or random.randint(1800, 3600)  # noqa: S311 - no secret
    initial = options.boolean(query, "sendInitialEvents")
    start = _starting(store, query, initial=initial)
    stream = _Stream(hub.encoded, kind, namespace, matches, form)
    response = web.StreamResponse(headers={"Content-Type": "application/json", **FRESH})
    response.enable_chunked_encoding()
    queue = hub.add(kind)
    try:
        first, fatal = _first(store, kind, namespace, stream, start)
        if initial and options.boolean(query, "allowWatchBookmarks"):
            first += stream.bookmark(store.revision, initial=True)
        await response.prepare(request)
        if first:
            await response.write(first)
        if not fatal:
            bookmarks = options.boolean(query, "allowWatchBookmarks")
            await _run(response, queue, stream, store, seconds, bookmarks=bookmarks)
        await response.write_eof()
    except ConnectionError:
        pass
    finally:
        hub.discard(kind, queue)
    return response


def _first(store: Store, kind: Kind, namespace: str, stream: _Stream, start: int | None) -> tuple[bytes, bool]:
    """The events that are due at once, and whether the watch ends with them."""
    if start is None:
        current = (
            Change("ADDED", kind.storage, obj, None, _revision(obj)) for obj in store.list(kind, namespace or None)
        )
        return b"".join(stream.encode(change) for change in current), False
    try:
        changes = store.since(start)
    except Expired as error:
        status = failure(410, "Expired", str(error)).status
        return dumps({"type": "ERROR", "object": status}) + b"\n", True
    return b"".join(stream.encode(change) for change in changes if change.kind is kind.storage), False


def _revision(obj: Object) -> int:
    return int(obj["metadata"]["resourceVersion"])


async def _run(
    response: web.StreamResponse,
    queue: asyncio.Queue[Change | None],
    stream: _Stream,
    store: Store,
    seconds: float,
    *,
    bookmarks: bool,
) -> None:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while (left := end - loop.time()) > 0:
        try:
            changes = await asyncio.wait_for(_next(queue), min(left, _BOOKMARK_EVERY))
        except TimeoutError:
            if bookmarks and left > _BOOKMARK_EVERY:
                await response.write(stream.bookmark(store.revision))
            continue
        data = b"".join(stream.encode(change) for change in changes if change is not None)
        if data:
            await response.write(data)
        if None in changes:
            return


async def _next(queue: asyncio.Queue[Change | None]) -> Iterable[Change | None]:
    found = [await queue.get()]
    while not queue.empty():
        found.append(queue.get_nowait())
    return found
