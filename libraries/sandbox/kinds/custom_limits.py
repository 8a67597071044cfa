"""What a custom kind's schema says about single values: choices, bounds, lengths, patterns.

Source: k8s.io/kube-openapi pkg/validation (errors/schema.go, validate) and k8s.io/apiextensions-apiserver
pkg/apiserver/validation (validation.go: ValidateCustomResource).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from . import fields
from .fields import FieldError

Object = dict[str, Any]
_UNCHECKED = ("x-kubernetes-validations", "allOf", "anyOf", "oneOf", "not", "format")
_FORMATS_WITHOUT_CHECK = ("int32", "int64", "float", "double")


def limits(value: Any, schema: Object, path: str) -> list[FieldError]:
    """What is wrong with a value of the right type."""
    errors = []
    choices = schema.get("enum")
    if choices is not None and value not in choices:
        allowed = [choice if isinstance(choice, str) else json.dumps(choice) for choice in choices]
        errors.append(fields.unsupported(path, value, allowed))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return errors + [fields.invalid(path, value, f"{path} in body {why}") for why in _number(value, schema)]
    if isinstance(value, str):
        return errors + _string(value, schema, path)
    if isinstance(value, list):
        return errors + _size(len(value), schema, path, "Items")
    if isinstance(value, dict):
        return errors + _size(len(value), schema, path, "Properties")
    return errors


def _number(value: float, schema: Object) -> Iterator[str]:
    for key, words in (("minimum", "greater"), ("maximum", "less")):
        bound = schema.get(key)
        if bound is None:
            continue
        exclusive = bool(schema.get(f"exclusive{key.capitalize()}"))
        beyond = value < bound if key == "minimum" else value > bound
        if beyond or (exclusive and value == bound):
            yield f"should be {words} than {'' if exclusive else 'or equal to '}{bound}"
    factor = schema.get("multipleOf")
    if factor and value % factor:
        yield f"should be a multiple of {factor}"


def _string(value: str, schema: Object, path: str) -> list[FieldError]:
    errors = []
    least, most, pattern = schema.get("minLength"), schema.get("maxLength"), schema.get("pattern")
    if most is not None and len(value) > most:
        errors.append(FieldError("FieldValueTooLong", path, f"Too long: may not be more than {most} bytes"))
    if least is not None and len(value) < least:
        errors.append(fields.invalid(path, value, f"{path} in body should be at least {least} chars long"))
    if pattern and not _matches(pattern, value):
        errors.append(fields.invalid(path, value, f"{path} in body should match '{pattern}'"))
    return errors


def _matches(pattern: str, value: str) -> bool:
    """Whether Go's regular expression is found; one that only Go understands is taken for found."""
    try:
        return re.search(pattern.replace(r"\z", r"\Z"), value, re.ASCII) is not None
    except re.error:
        return True


def _size(count: int, schema: Object, path: str, what: str) -> list[FieldError]:
    least, most = schema.get(f"min{what}"), schema.get(f"max{what}")
    if most is not None and count > most:
        detail = f"Too many: {count}: must have at most {most} items"
        return [FieldError("FieldValueTooMany", path, detail)]
    if least is not None and count < least:
        return [fields.invalid(path, count, f"{path} in body should have at least {least} {what.lower()}")]
    return []


def unchecked(schema: Any) -> set[str]:
    """What a schema asks for, anywhere in it, that is not checked."""
    if isinstance(schema, list):
        return {name for item in schema for name in unchecked(item)}
    if not isinstance(schema, dict):
        return set()
    own = {key for key in _UNCHECKED if schema.get(key)}
    if schema.get("x-kubernetes-int-or-string"):
        own -= {"anyOf", "allOf"}
    if schema.get("format") in _FORMATS_WITHOUT_CHECK:
        own.discard("format")
    parts = [*(schema.get("properties") or {}).values(), schema.get("items"), schema.get("additionalProperties")]
    return own | {name for part in parts for name in unchecked(part)}
