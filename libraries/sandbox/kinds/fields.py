"""What is wrong with a field, in the words of the API server.

Source: k8s.io/apimachinery pkg/util/validation/field (errors.go) and pkg/util/validation (validation.go).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
SERVICE_LABEL = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
CONFIG_KEY = re.compile(r"[-._a-zA-Z0-9]+")
_EDGES = "must start and end with an alphanumeric character"
LABEL_MESSAGE = (
    f"a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and {_EDGES} "
    "(e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
SUBDOMAIN_MESSAGE = (
    f"a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and {_EDGES} "
    "(e.g. 'example.com', regex used for validation is "
    "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
SERVICE_LABEL_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, "
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is "
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
)
LABEL_VALUE_MESSAGE = (
    f"a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and {_EDGES} "
    "(e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
QUALIFIED_MESSAGE = (
    f"name part must consist of alphanumeric characters, '-', '_' or '.', and {_EDGES} "
    "(e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
CONFIG_KEY_MESSAGE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or "
    "'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
IMMUTABLE = "field is immutable"


@dataclass(frozen=True)
class FieldError:
    """One cause of an Invalid answer."""

    reason: str
    field: str
    message: str


def required(field: str, detail: str = "") -> FieldError:
    """A field that must be there is not."""
    return FieldError("FieldValueRequired", field, "Required value" + (f": {detail}" if detail else ""))


def invalid(field: str, value: Any, detail: str) -> FieldError:
    """A field has a value that cannot be."""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {shown(value)}: {detail}")


def unsupported(field: str, value: Any, allowed: Iterable[str]) -> FieldError:
    """A field has none of the values that it may have."""
    words = ", ".join(f'"{word}"' for word in allowed)
    return FieldError("FieldValueNotSupported", field, f"Unsupported value: {shown(value)}: supported values: {words}")


def forbidden(field: str, detail: str) -> FieldError:
    """A field may not be there, or not be changed."""
    return FieldError("FieldValueForbidden", field, f"Forbidden: {detail}")


def duplicate(field: str, value: Any) -> FieldError:
    """A value is there twice."""
    return FieldError("FieldValueDuplicate", field, f"Duplicate value: {shown(value)}")


def not_found(field: str, value: Any) -> FieldError:
    """A field names what is not there."""
    return FieldError("FieldValueNotFound", field, f"Not found: {shown(value)}")


def shown(value: Any) -> str:
    """A value as Go prints it into such a message."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def string_map(value: dict[str, str] | None) -> str:
    """A map as Go's %#v prints it: `map[string]string{"app":"d"}`."""
    if value is None:
        return "map[string]string(nil)"
    return "map[string]string{" + ", ".join(f"{shown(k)}:{shown(value[k])}" for k in sorted(value)) + "}"


def go_invalid(field: str, value: str, detail: str) -> FieldError:
    """As `invalid`, with a value that is spelled in Go already."""
    return FieldError("FieldValueInvalid", field, f"Invalid value: {value}: {detail}")


def at_least(field: str, value: Any, least: int) -> list[FieldError]:
    """Numbers that may not be smaller."""
    if value is not None and value < least:
        return [invalid(field, value, f"must be greater than or equal to {least}")]
    return []


def _length(value: str, limit: int) -> list[str]:
    return [f"must be no more than {limit} characters"] if len(value) > limit else []


def label_problems(value: str) -> list[str]:
    """Why a text is no RFC 1123 label."""
    return _length(value, 63) + ([] if LABEL.fullmatch(value) else [LABEL_MESSAGE])


def subdomain_problems(value: str) -> list[str]:
    """Why a text is no RFC 1123 subdomain."""
    return _length(value, 253) + ([] if SUBDOMAIN.fullmatch(value) else [SUBDOMAIN_MESSAGE])


def service_label_problems(value: str) -> list[str]:
    """Why a text is no RFC 1035 label."""
    return _length(value, 63) + ([] if SERVICE_LABEL.fullmatch(value) else [SERVICE_LABEL_MESSAGE])


def path_segment_problems(value: str) -> list[str]:
    """Why a text cannot be a name that is only a part of a path (RBAC objects)."""
    if value in (".", ".."):
        return [f"may not be '{value}'"]
    return [f"may not contain '{char}'" for char in "/%" if char in value]


def config_key_problems(value: str) -> list[str]:
    """Why a text is no key of a ConfigMap or Secret."""
    return _length(value, 253) + ([] if CONFIG_KEY.fullmatch(value) else [CONFIG_KEY_MESSAGE])


def qualified_problems(value: str) -> list[str]:
    """Why a text is no label or annotation key."""
    prefix, slash, name = value.rpartition("/")
    problems = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += ["prefix part " + problem for problem in subdomain_problems(prefix)]
    if not name:
        problems.append("name part must be non-empty")
    elif len(name) > 63:
        problems.append("name part must be no more than 63 characters")
    return problems + ([] if QUALIFIED.fullmatch(name) else [QUALIFIED_MESSAGE])


def label_value_problems(value: str) -> list[str]:
    """Why a text is no label value."""
    return _length(value, 63) + ([] if not value or QUALIFIED.fullmatch(value) else [LABEL_VALUE_MESSAGE])


def labels(field: str, value: dict[str, str] | None) -> list[FieldError]:
    """What is wrong with a map of labels."""
    errors = []
    for key, text in sorted((value or {}).items()):
        errors += [invalid(field, key, problem) for problem in qualified_problems(key)]
        errors += [invalid(field, text, problem) for problem in label_value_problems(text)]
    return errors
