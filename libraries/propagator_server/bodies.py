"""Reading requests: JSON bodies field by field, ids and numbers in queries. What is wrong is refused with its name."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any

from aiohttp import web

from .refusals import RefusedError

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


async def json_object(request: web.Request) -> dict[str, Any]:
    """The body as a JSON object, else 400. Unknown fields are left in: clients send those of other eras too."""
    try:
        body = json.loads(await request.text(), parse_constant=_no_number)
        json.dumps(body, ensure_ascii=False).encode()  # half a surrogate pair can be written, but never answered
    except (ValueError, LookupError, RecursionError) as broken:
        raise RefusedError(400, f"Invalid request parameters: the body is not JSON ({broken!r:.200})") from None
    if not isinstance(body, dict):
        raise RefusedError(400, f"Invalid request parameters: the body is a JSON {type(body).__name__}, not an object")
    return body


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def text(body: Mapping[str, Any], field: str, *, required: bool = False) -> str | None:
    """A field that is a string; null and empty count as absent."""
    value = body.get(field)
    if value is not None and not isinstance(value, str):
        raise RefusedError(400, f"Invalid request parameters: {field} is {value!r}, not a string")
    if required and not value:
        raise RefusedError(400, f"Invalid request parameters: {field} is missing")
    return value or None


def choice(body: Mapping[str, Any], field: str, allowed: Collection[str], *, required: bool = False) -> str | None:
    """A field that is one of the allowed words."""
    value = text(body, field, required=required)
    if value is not None and value not in allowed:
        words = ", ".join(allowed)
        raise RefusedError(400, f"Invalid request parameters: {field} is {value!r}, not one of {words}")
    return value


def table(body: Mapping[str, Any], field: str, types: Mapping[str, type]) -> dict[str, Any]:
    """A field that is null or an object; its known keys have the given types or are null."""
    value = body.get(field)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RefusedError(400, f"Invalid request parameters: {field} is {value!r}, not an object")
    for key, kind in types.items():
        found = value.get(key)
        if found is not None and (not isinstance(found, kind) or (kind is int and isinstance(found, bool))):
            raise RefusedError(400, f"Invalid request parameters: {field}.{key} is {found!r}, not {kind.__name__}")
    return value


def whole_number(body: Mapping[str, Any], field: str) -> int:
    """A field that must be a whole number above 0."""
    value = body.get(field)
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise RefusedError(400, f"Invalid request parameters: {field} is {value!r}, not a whole number above 0")
    return value


def ids(body: Mapping[str, Any], field: str) -> tuple[str, ...]:
    """A field that must be a list of UUIDs."""
    value = body.get(field)
    if not isinstance(value, list) or not all(isinstance(each, str) and is_uuid(each) for each in value):
        raise RefusedError(400, f"Invalid request parameters: {field} is {value!r}, not a list of UUIDs")
    return tuple(value)


def is_uuid(value: str) -> bool:
    """Whether it is a UUID in lower case, as the API gives them out."""
    return bool(_UUID.fullmatch(value))


def path_uuid(request: web.Request, *, status: int) -> str:
    """The `{id}` of the path; anything but a UUID is refused with the status given."""
    value = request.match_info["id"]
    if not is_uuid(value):
        raise RefusedError(status, f"Invalid UUID provided: {value!r}")
    return value


def query_int(request: web.Request, name: str, default: int, least: int, most: int) -> int:
    """A whole number in the query, within bounds."""
    value = request.query.get(name, str(default))
    if not value.isascii() or not value.isdecimal() or not least <= int(value[:12]) <= most:
        raise RefusedError(400, f"Invalid query parameters: {name} is {value!r}, not a number from {least} to {most}")
    return int(value)


def query_bool(request: web.Request, name: str) -> bool:
    """`true` or `false` in the query; false when it is not there."""
    value = request.query.get(name, "false")
    if value not in ("true", "false"):
        raise RefusedError(400, f"Invalid query parameters: {name} is {value!r}, not true or false")
    return value == "true"


def query_ids(request: web.Request, name: str) -> list[str]:
    """UUIDs in the query: repeated (2025) or comma-separated (2026)."""
    values = [part for value in request.query.getall(name, []) for part in value.split(",") if part]
    for value in values:
        if not is_uuid(value):
            raise RefusedError(400, f"Invalid query parameters: {name} has {value!r}, which is no UUID")
    return values
