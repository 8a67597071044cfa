"""Answers: ids as text, lists plain or in pages."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aiohttp import web

from .bodies import query_bool, query_int
from .refusals import RefusedError
from .service import service_of

PAGE, LARGEST_PAGE, LAST_OFFSET = 50, 500, 10**9
Row = dict[str, Any]


def id_text(request: web.Request, value: str) -> web.Response:
    """An id, declared as text/plain and yet in quotes, as clients of the real service found it."""
    return web.Response(
        text=f'"{value}"' if service_of(request).quirks.quoted_ids else value, content_type="text/plain"
    )


def chosen(row: Mapping[str, Any], fields: Sequence[str]) -> Row:
    """The row with only the fields that the era has."""
    return {field: row[field] for field in fields}


def page(
    request: web.Request,
    name: str,
    rows: Sequence[Row],
    *,
    sort: Mapping[str, Callable[[Row], Any]],
    default: str,
    largest: int = LARGEST_PAGE,
    also: Mapping[str, Any] | None = None,
) -> web.Response:
    """`{name: rows, total_count}` by the query's limit, offset, sort and ascending, and what else belongs to it."""
    key = request.query.get("sort", default)
    if key not in sort:
        raise RefusedError(400, f"Invalid query parameters: sort is {key!r}, not one of {', '.join(sort)}")
    limit = query_int(request, "limit", PAGE, 1, largest)
    offset = query_int(request, "offset", 0, 0, LAST_OFFSET)
    ordered = sorted(rows, key=sort[key], reverse=not query_bool(request, "ascending"))
    return web.json_response({name: ordered[offset : offset + limit], "total_count": len(rows), **(also or {})})


def by_field(*fields: str) -> dict[str, Callable[[Row], Any]]:
    """Sort keys for fields whose values may be null."""
    return {field: lambda row, field=field: str(row[field] or "") for field in fields}  # type: ignore[misc]


def count(number: int) -> web.Response:
    return web.json_response({"total_count": number})
