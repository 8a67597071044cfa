"""Oddities of the real service that clients met in the field, each switchable at the start and while it runs.

Where an oddity belongs to a time, its value is None until it is set: then the era decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

LONGEST = 300.0
"""Seconds; the longest that anything may lag."""
Value = bool | float | str | None


class QuirkError(ValueError):
    """No such quirk, or not a value of it; the text says what is allowed."""


def _flag(value: Any) -> bool:
    words = {"true": True, "on": True, "false": False, "off": False}
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError("true or false")


def _flag_or_era(value: Any) -> bool | None:
    try:
        return None if value in (None, "era") else _flag(value)
    except ValueError:
        raise ValueError("true, false or era") from None


def _seconds(value: Any) -> float:
    try:
        seconds = -1.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        seconds = -1.0
    if not 0 <= seconds <= LONGEST:
        raise ValueError(f"seconds from 0 to {LONGEST:.0f}")
    return seconds


def _one_of(*words: str) -> Callable[[Any], str]:
    def parse(value: Any) -> str:
        if value not in words:
            raise ValueError(" or ".join(words))
        return str(value)

    return parse


def _quirk(default: Any, parse: Callable[[Any], Value], bare: Value, what: str) -> Any:
    """A field: its default, how a value is read, what its name alone means, and what it does."""
    return field(default=default, metadata={"parse": parse, "bare": bare, "what": what})


@dataclass(frozen=True)
class Quirks:
    """The oddities that are on. In texts their names have hyphens."""

    quoted_ids: bool = _quirk(True, _flag, True, "an id's text is in double quotes")
    status_404: str = _quirk(
        "never",
        _one_of("never", "restores", "always"),
        "always",
        "the status of an operation is not found, so that clients must look it up in the actions",
    )
    not_found_status: bool = _quirk(
        False, _flag, True, "an unknown operation has the status not_found with 200 instead of 404"
    )
    several_rows: bool = _quirk(True, _flag, True, "an action has a row for each of its checkpoints, not only one")
    late_checkpoint_ids: bool = _quirk(
        False, _flag, True, "an action's rows have no checkpoint_id (null) before its end"
    )
    late_registration: float = _quirk(
        0.0, _seconds, 2.0, "pods and clusters are known only so many seconds after they came"
    )
    soft_deletes: bool | None = _quirk(
        None, _flag_or_era, True, "clusters and pods that are gone are listed with the status deleted"
    )
    paging: bool | None = _quirk(None, _flag_or_era, True, "checkpoints, pods and policies are listed in pages")
    lagging_lists: float = _quirk(0.0, _seconds, 2.0, "lists show what was so many seconds ago")
    async_upload: float = _quirk(
        0.0, _seconds, 2.0, "a checkpoint is ready once it is taken, restorable so many seconds after its upload"
    )
    reason_required: bool | None = _quirk(None, _flag_or_era, True, "a restore without a reason is refused")
    silent_failures: bool = _quirk(
        False, _flag, True, "a checkpoint that failed is never reported, as by the helpers of July 2025"
    )
    prefix: str = _quirk(
        "both",
        _one_of("both", "v1", "v2"),
        "v2",
        "under which prefix the API is served; with v2, GET /v1/user and GET /v1/cluster stay",
    )

    def changed(self, values: Mapping[str, Any]) -> Quirks:
        """These with some of them set; `values` by hyphenated name, as texts or JSON. Raises QuirkError."""
        known = {shown_name(each.name): each for each in fields(self)}
        found: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise QuirkError(f"no quirk {name!r}; there are {', '.join(known)}")
            try:
                found[known[name].name] = known[name].metadata["parse"](value)
            except ValueError as allowed:
                raise QuirkError(f"quirk {name}: {value!r} is not {allowed}") from None
        return replace(self, **found)

    def shown(self) -> dict[str, Value]:
        """Every quirk's value by its hyphenated name."""
        return {shown_name(each.name): getattr(self, each.name) for each in fields(self)}


def shown_name(name: str) -> str:
    """A field's name as texts have it."""
    return name.replace("_", "-")


def described() -> dict[str, str]:
    """What each quirk does."""
    return {shown_name(each.name): each.metadata["what"] for each in fields(Quirks)}


def parsed(texts: list[str]) -> Quirks:
    """The quirks of `NAME` and `NAME=value` texts. Raises QuirkError."""
    bare = {shown_name(each.name): each.metadata["bare"] for each in fields(Quirks)}
    values: dict[str, Any] = {}
    for text in texts:
        name, given, value = text.partition("=")
        values[name] = value if given else bare.get(name)
    return Quirks().changed(values)
