"""Answers: what the client accepts, and bodies in that form."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from .status import ApiError, bad_request, failure

_REPRESENTATIONS = (
    "application/json, application/yaml, application/vnd.kubernetes.protobuf, application/json;stream=watch, "
    "application/vnd.kubernetes.protobuf;stream=watch"
)
_NAMES = {"application/json": "json", "application/*": "json", "*/*": "json", "application/yaml": "yaml"}
_SHAPES = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_COMPRESS_FROM = 128 * 1024


@dataclass(frozen=True)
class Form:
    """How to answer: json or yaml, and as what (`Table`, `PartialObjectMetadata`, ... or plain); `include` is what the
    rows of a Table have of their objects: None, Metadata or Object."""

    media: str = "json"
    shape: str = ""
    version: str = "v1"
    include: str = "Metadata"


PLAIN = Form()


def form(request: web.Request) -> Form:
    """The first form of the Accept header that can be served. Raises 406, and 400 for a wrong includeObject."""
    chosen = _accepted(request.headers.get("Accept", ""))
    include = request.query.get("includeObject", "Metadata") or "Metadata"
    if chosen.shape != "Table" or include == chosen.include:
        return chosen
    if include not in ("None", "Object"):
        raise bad_request(f"unrecognized includeObject value: {include}")
    return replace(chosen, include=include)


def _accepted(accept: str) -> Form:
    for part in (accept or "*/*").split(","):
        name, *parameters = [piece.strip() for piece in part.split(";")]
        options = dict(item.split("=", 1) for item in parameters if "=" in item)
        media = _NAMES.get(name.lower())
        if media is None:
            continue
        shape = options.get("as", "")
        if not shape:
            return Form(media)
        is_known = shape in _SHAPES and options.get("g") == "meta.k8s.io"
        if is_known and options.get("v") in ("v1", "v1beta1"):
            return Form(media, shape, options["v"])
    raise failure(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {_REPRESENTATIONS}", {})


def dumps(value: Any) -> bytes:
    """Compact JSON."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode(errors="surrogatepass")


def answer(
    body: Any, request: web.Request, *, code: int = 200, media: str = "json", warnings: list[str] | None = None
) -> web.Response:
    """A response with this body in JSON or YAML."""
    if media == "yaml":
        import yaml

        data, content_type = (
            yaml.safe_dump(body, default_flow_style=False, allow_unicode=True).encode(),
            "application/yaml",
        )
    else:
        data, content_type = dumps(body) + b"\n", "application/json"
    response = web.Response(body=data, status=code, headers={"Content-Type": content_type, **FRESH})
    for warning in dict.fromkeys(warnings or []):
        response.headers.add("Warning", f'299 - "{_quoted(warning)}"')
    if len(data) > _COMPRESS_FROM and "gzip" in request.headers.get("Accept-Encoding", ""):
        response.enable_compression(web.ContentCoding.gzip)
    return response


FRESH = {"Cache-Control": "no-cache, private"}


def _quoted(text: str) -> str:
    """As a header can carry it: without control characters (k8s.io/apimachinery pkg/util/net: NewWarningHeader)."""
    printable = "".join(char if char.isprintable() else " " for char in text)
    return printable.replace("\\", "\\\\").replace('"', '\\"')


def refusal(error: ApiError, request: web.Request) -> web.Response:
    """The response of a refused request, in YAML for who accepts only that."""
    media = "yaml" if request.headers.get("Accept", "").startswith("application/yaml") else "json"
    response = answer(error.status, request, code=error.code, media=media)
    response.headers.update(error.headers)
    return response


def text(body: str, code: int = 200) -> web.Response:
    """A plain text response, as of /readyz."""
    return web.Response(text=body, status=code, content_type="text/plain", charset="utf-8", headers=FRESH)
