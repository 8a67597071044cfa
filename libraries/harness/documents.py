"""YAML, loaded safely, by libyaml where it is there: that takes a fourteenth of the time.

What is wrong with a text is told by PyYAML's own parser, whose words say more.
"""

from __future__ import annotations

from typing import IO, Any

import yaml

try:
    from yaml import CSafeLoader as Loader
except ImportError:  # a PyYAML that was built without libyaml
    from yaml import SafeLoader as Loader  # type: ignore[assignment]


def load(stream: IO[str]) -> Any:
    """The document of a YAML stream that can be read twice.

    Raises:
        yaml.YAMLError: it is no YAML, or has several documents.
    """
    try:
        return yaml.load(stream, Loader)
    except yaml.YAMLError:
        stream.seek(0)
        return yaml.safe_load(stream)


def load_all(text: str) -> list[Any]:
    """The documents of a YAML text.

    Raises:
        yaml.YAMLError: it is no YAML.
    """
    try:
        return list(yaml.load_all(text, Loader))
    except yaml.YAMLError:
        return list(yaml.safe_load_all(text))
