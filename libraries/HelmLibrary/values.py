"""Chart values: judged, made plain for Helm, and masked for people."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.failures import BadInput
from harness.secrets import MASK, SECRETS

from .releases import Values

Reveal = Callable[[Any], str | None]
"""The text of a value that is a wrapped secret; None for any other value."""

_TELLING = re.compile(r"(token|secret|password|passwd|credential|private_?key|access_?key)", re.IGNORECASE)


def values_of(own: Mapping[str, Any] | None, file: Path | None, reveal: Reveal) -> Values:
    """The values for an engine, with wrapped secrets in the open; each of those is masked in logs from now on.

    Raises:
        BadInput: the file is missing, empty, no YAML or no map, or a value is of a type that YAML does not have.
    """
    if file is not None:
        _check_file(file)
    return Values(file, {key: _plain(value, f"values.{key}", reveal) for key, value in (own or {}).items()})


def masked(values: Any, name: str = "") -> Any:
    """A copy for people: known secrets masked, and every text under a name that sounds like one."""
    if isinstance(values, dict):
        return {key: masked(value, str(key)) for key, value in values.items()}
    if isinstance(values, list):
        return [masked(value, name) for value in values]
    if isinstance(values, str):
        return MASK if values and _TELLING.search(name) else SECRETS.redact(values)
    return values


def _check_file(file: Path) -> None:
    if not file.is_file():
        raise BadInput("values_file", file, "a YAML file that exists")
    try:
        content = yaml.safe_load(file.read_text())
    except (yaml.YAMLError, UnicodeDecodeError):
        # The parser's words quote the file, which may hold a token.
        raise BadInput("values_file", file, "a YAML file; this one cannot be parsed") from None
    if content is None:
        raise BadInput("values_file", file, "a YAML file with values in it; this one is empty")
    if not isinstance(content, dict):
        raise BadInput("values_file", file, f"a YAML map of values; this one holds a {type(content).__name__}")


def _plain(value: Any, name: str, reveal: Reveal) -> Any:
    secret = reveal(value)
    if secret is not None:
        SECRETS.add(secret)
        return secret
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner, f"{name}.{key}", reveal) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, f"{name}[{index}]", reveal) for index, inner in enumerate(value)]
    raise BadInput(name, type(value).__name__, "text, a number, true or false, nothing, a list or a map")
