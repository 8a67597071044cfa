"""pods/log."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aiohttp import web

from ..api.status import bad_request, invalid
from ..kinds.fields import FieldError
from ..runtime import SECOND, Container
from ..runtime.logs import Line, rfc3339_nano
from .targets import container_name, dial, logged_container, pod_of

if TYPE_CHECKING:
    from ..cluster import Cluster

_LONGEST_WAIT = 3600.0


@dataclass(frozen=True)
class Options:
    """PodLogOptions, as the query gives them."""

    container: str = ""
    follow: bool = False
    previous: bool = False
    timestamps: bool = False
    since: int | None = None
    tail: int | None = None
    limit: int | None = None


def _options(request: web.Request, name: str, now: int) -> Options:
    query = request.query
    errors = []
    numbers: dict[str, int | None] = {}
    for field, least in (("tailLines", 0), ("limitBytes", 1), ("sinceSeconds", 1)):
        numbers[field] = value = _number(query.get(field))
        if value is not None and value < least:
            message = f"must be greater than {'or equal to 0' if not least else '0'}"
            errors.append(FieldError("FieldValueInvalid", field, f"Invalid value: {value}: {message}"))
    if "sinceSeconds" in query and "sinceTime" in query:
        message = "at most one of `sinceTime` or `sinceSeconds` may be specified"
        errors.append(FieldError("FieldValueForbidden", "", f"Forbidden: {message}"))
    if errors:
        raise invalid("", "PodLogOptions", name, errors)
    since = now - numbers["sinceSeconds"] * SECOND if numbers["sinceSeconds"] else _time(query.get("sinceTime"))
    flags = {key: query.get(key, "") in ("true", "1", "True") for key in ("follow", "previous", "timestamps")}
    return Options(
        query.get("container", ""), since=since, tail=numbers["tailLines"], limit=numbers["limitBytes"], **flags
    )


def _number(text: str | None) -> int | None:
    if text is None or text == "":
        return None
    try:
        return int(text)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _time(text: str | None) -> int | None:
    if not text:
        return None
    try:
        return int(datetime.fromisoformat(text).timestamp()) * SECOND
    except ValueError:
        message = f'parsing time "{text}" as "2006-01-02T15:04:05Z07:00": cannot parse "{text}" as "2006"'
        raise bad_request(message) from None


async def pod_log(request: web.Request, cluster: Cluster, namespace: str, name: str, _rest: str) -> web.StreamResponse:
    """The log of one container, as text; with `follow`, as it is written until the container ends."""
    now = cluster.runtime.now()
    pod = pod_of(cluster, namespace, name)
    host = cluster.runtime.host(pod["spec"].get("nodeName", ""))
    options = _options(request, name, now + host.ahead)
    container_of = container_name(pod, options.container)
    if not pod["spec"].get("nodeName"):
        return web.Response(text="", content_type="text/plain", charset=None)
    dial(cluster, pod)
    container = logged_container(cluster, pod, container_of, previous=options.previous)
    container.advance(now)
    lines = _chosen(container.log.lines, options)
    text = b"".join(_shown(line, options) for line in lines)
    if not options.follow or not container.running:
        pending = b"".join(_shown(line, options)[:-1] for line in container.log.pending.values())
        text += pending
        return web.Response(body=text[: options.limit], headers={"Content-Type": "text/plain"})
    return await _follow(request, cluster, container, options, text)


def _chosen(lines: list[Line], options: Options) -> list[Line]:
    if options.since is not None:
        lines = [line for line in lines if line.at >= options.since]
    if options.tail is not None:
        lines = lines[-options.tail :] if options.tail else []
    return lines


def _shown(line: Line, options: Options) -> bytes:
    stamp = f"{rfc3339_nano(line.at)} ".encode() if options.timestamps else b""
    return stamp + line.text + b"\n"


async def _follow(
    request: web.Request, cluster: Cluster, container: Container, options: Options, text: bytes
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    log, left = container.log, options.limit
    written = log.dropped + len(log.lines)
    news = asyncio.Event()
    log.watchers.add(news)
    try:
        while True:
            if left is not None:
                text, left = text[:left], left - len(text[:left])
            if text:
                await response.write(text)
            if left == 0 or not container.running:
                break
            await news_of(cluster, container, news)
            container.advance(cluster.runtime.now())
            text = b"".join(_shown(line, options) for line in log.lines[max(0, written - log.dropped) :])
            written = log.dropped + len(log.lines)
    except ConnectionResetError:
        return response
    finally:
        log.watchers.discard(news)
    await response.write_eof()
    return response


async def news_of(cluster: Cluster, container: Container, news: asyncio.Event, most: float = _LONGEST_WAIT) -> None:
    """Waits until the container writes by itself, is written for, or ends; `most` seconds."""
    due = container.machine.next_due if container.machine else None
    wait = most if due is None else min(most, max(0.0, (due - cluster.runtime.now()) / SECOND) + 0.001)
    try:
        await asyncio.wait_for(news.wait(), wait)
    except TimeoutError:
        return
    news.clear()
