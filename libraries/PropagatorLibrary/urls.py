"""One form for every way in which people write the propagator's URL."""

from __future__ import annotations

import ipaddress
from urllib.parse import SplitResult, urlsplit

from harness.failures import BadInput

ALLOWED = "a URL such as https://ci.cedana.ai or ci.cedana.ai/v1, without user, password, query or fragment"


def normalise(url: str, name: str = "CEDANA_URL") -> str:
    """The base URL: scheme and host, and a path prefix if there is one, without trailing slash and `/v1`.

    `ci.cedana.ai/v1`, `https://ci.cedana.ai` and `https://ci.cedana.ai/` mean the same service; without a scheme it is
    https. This is what Cedana's own test helpers do, made idempotent.

    Raises:
        BadInput: it is no URL.
    """
    text = url.strip()
    whole = text if "://" in text else f"https://{text}"
    parts = _split(whole)
    if parts is None or not _usable(parts):
        raise BadInput(name, _without_password(text), ALLOWED)
    path = parts.path
    while path.endswith(("/", "/v1")):
        path = path.removesuffix("/").removesuffix("/v1")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def is_local(url: str) -> bool:
    """Whether it is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _split(whole: str) -> SplitResult | None:
    try:
        parts = urlsplit(whole)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _usable(parts: SplitResult) -> bool:
    odd = any(ord(char) < 33 or ord(char) == 127 or char in '<>"{}|\\^`' for char in parts.geturl())
    extra = parts.query or parts.fragment or "@" in parts.netloc or parts.geturl().endswith(("?", "#"))
    return parts.scheme in ("http", "https") and bool(parts.hostname) and not odd and not extra


def _without_password(text: str) -> str:
    """The text for a message; what stands before an @ may be a password."""
    return f"...@{text.rpartition('@')[2]}" if "@" in text else text
