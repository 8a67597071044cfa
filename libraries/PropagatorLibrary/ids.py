"""Ids as the propagator writes them: bare, in quotes, or inside an object."""

from __future__ import annotations

import json
import re
from typing import Any

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_KEYS = ("id", "action_id", "checkpoint_id", "cluster_id", "data")


def parse_id(text: str) -> str | None:
    """The id in an answer's body, or None when there is none.

    Bodies are declared text/plain; the real service quotes them at least at times, and some give an object with `id`,
    `action_id`, `checkpoint_id`, `cluster_id` or `data.id`.
    """
    bare = text.strip().strip('"').strip()
    if is_id(bare):
        return bare
    try:
        return _from_json(json.loads(text))
    except (ValueError, RecursionError):
        return None


def is_id(value: object) -> bool:
    """Whether it is a UUID."""
    return isinstance(value, str) and bool(_UUID.fullmatch(value))


def _from_json(value: Any, depth: int = 0) -> str | None:
    if isinstance(value, str):
        bare = value.strip().strip('"')
        return bare if is_id(bare) else None
    if not isinstance(value, dict) or depth > 1:
        return None
    found = (_from_json(value[key], depth + 1) for key in _KEYS if key in value)
    return next((each for each in found if each), None)
