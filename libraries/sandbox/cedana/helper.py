"""How Cedana's helper is set: what it tells CRIU about TCP connections.

The real helper dumps with `tcp-established`, so that an established connection is no obstacle; with both off a dump
fails as it does on stock runtimes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

_WORDS = {"true": True, "on": True, "false": False, "off": False}


@dataclass(frozen=True)
class Helper:
    """CRIU's options, as the helper sets them."""

    tcp_established: bool = True
    tcp_close: bool = False

    @property
    def bears_connections(self) -> bool:
        """Whether an established connection at the time of a dump does no harm."""
        return self.tcp_established or self.tcp_close

    def changed(self, values: Mapping[str, Any]) -> Helper:
        """This one with some options set, by their names with hyphens. Raises ValueError."""
        known = {each.name.replace("_", "-"): each.name for each in fields(self)}
        found: dict[str, bool] = {}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"the helper has no option {name!r}; there are {', '.join(known)}")
            flag = value if isinstance(value, bool) else _WORDS.get(str(value).lower())
            if flag is None:
                raise ValueError(f"the helper's {name}: {value!r} is not true or false")
            found[known[name]] = flag
        return replace(self, **found)

    def overridden(self, criu_opts: Mapping[str, Any]) -> Helper:
        """This one with what a request's `criu_opts` say of it (CRIU's own names, or theirs in camel case)."""
        names = {"tcp_established": "tcp_established", "tcpEstablished": "tcp_established"}
        names |= {"tcp_close": "tcp_close", "tcpClose": "tcp_close"}
        known = {names[name]: bool(value) for name, value in criu_opts.items() if name in names and value is not None}
        return replace(self, **known)

    def shown(self) -> dict[str, bool]:
        """As `changed` takes it."""
        return {each.name.replace("_", "-"): getattr(self, each.name) for each in fields(self)}
