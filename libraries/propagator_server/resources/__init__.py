"""The API's resources, one module each. `ROUTES` lists method, path below the prefix, and handler."""

from collections.abc import Awaitable, Callable

from aiohttp import web

Route = tuple[str, str, Callable[[web.Request], Awaitable[web.StreamResponse]]]
