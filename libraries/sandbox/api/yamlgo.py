"""YAML with the rules that the API server's reader has (go.yaml.in/yaml/v2): `y` and `on` are booleans, times text."""

from __future__ import annotations

import re
from typing import Any

import yaml

_BASE: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(_BASE):  # type: ignore[misc]
    """A safe loader; keys are text."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML's own convention
        char: [(tag, regexp) for tag, regexp in found if tag not in (_TIME, _BOOL)]
        for char, found in _BASE.yaml_implicit_resolvers.items()
        for _TIME, _BOOL in [("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:bool")]
    }


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool",
    re.compile(r"^(?:y|Y|yes|Yes|YES|n|N|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$"),
    list("yYnNtTfFoO"),
)


def _boolean(loader: Any, node: Any) -> bool:
    return str(loader.construct_scalar(node)).lower() in ("y", "yes", "true", "on")


def _mapping(loader: Any, node: Any) -> dict[str, Any]:
    return {_key(key): value for key, value in loader.construct_mapping(node, deep=True).items()}


def _key(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


Loader.add_constructor("tag:yaml.org,2002:bool", _boolean)
Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
