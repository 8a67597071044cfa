"""JSON patch (RFC 6902) and JSON merge patch (RFC 7396)."""

from __future__ import annotations

import copy
from typing import Any

from .status import bad_request, failure, unprocessable_patch

MAX_OPERATIONS = 10_000


class _CannotApply(Exception):
    pass


def json_patch(document: Any, operations: Any) -> Any:
    """The patched copy. Raises 400 for what is no patch, 422 for one that does not fit."""
    if not isinstance(operations, list) or not all(isinstance(operation, dict) for operation in operations):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp"
        )
    if len(operations) > MAX_OPERATIONS:
        message = f"The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {len(operations)}"
        raise failure(413, "RequestEntityTooLarge", message)
    document = copy.deepcopy(document)
    try:
        for operation in operations:
            document = _apply(document, operation)
    except (_CannotApply, KeyError, IndexError, ValueError, TypeError):
        raise unprocessable_patch() from None
    return document


def _apply(document: Any, operation: dict[str, Any]) -> Any:
    kind, path = operation.get("op"), operation["path"]
    if kind == "add":
        return _add(document, path, copy.deepcopy(operation["value"]))
    if kind == "remove":
        return _remove(document, path)
    if kind == "replace":
        _look(document, path)
        return _replace(document, path, copy.deepcopy(operation["value"]))
    if kind in ("move", "copy"):
        value = copy.deepcopy(_look(document, operation["from"]))
        if kind == "move":
            document = _remove(document, operation["from"])
        return _add(document, path, value)
    if kind == "test":
        if _look_or_none(document, path) != operation.get("value"):
            raise _CannotApply
        return document
    raise _CannotApply


def _tokens(path: str) -> list[str]:
    if path == "":
        return []
    if not path.startswith("/"):
        raise _CannotApply
    return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]


def _step(value: Any, token: str) -> Any:
    if isinstance(value, list):
        return value[_index(token, len(value) - 1)]
    if not isinstance(value, dict):
        raise _CannotApply
    return value[token]


def _index(token: str, last: int) -> int:
    number = int(token)
    if number < 0:
        number += last + 1
    if not 0 <= number <= last:
        raise _CannotApply
    return number


def _look(document: Any, path: str) -> Any:
    for token in _tokens(path):
        document = _step(document, token)
    return document


def _look_or_none(document: Any, path: str) -> Any:
    try:
        return _look(document, path)
    except KeyError:
        return None


def _parent(document: Any, path: str) -> tuple[Any, str]:
    tokens = _tokens(path)
    for token in tokens[:-1]:
        document = _step(document, token)
    return document, tokens[-1]


def _add(document: Any, path: str, value: Any) -> Any:
    if not _tokens(path):
        return value
    parent, token = _parent(document, path)
    if isinstance(parent, list):
        parent.insert(len(parent) if token == "-" else _index(token, len(parent)), value)  # noqa: S105 - RFC 6901
    elif isinstance(parent, dict):
        parent[token] = value
    else:
        raise _CannotApply
    return document


def _replace(document: Any, path: str, value: Any) -> Any:
    if not _tokens(path):
        return value
    parent, token = _parent(document, path)
    parent[_index(token, len(parent) - 1) if isinstance(parent, list) else token] = value
    return document


def _remove(document: Any, path: str) -> Any:
    parent, token = _parent(document, path)
    del parent[_index(token, len(parent) - 1) if isinstance(parent, list) else token]
    return document


def merge_patch(document: Any, patch: Any) -> Any:
    """The merged copy."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(document) if isinstance(document, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge_patch(result.get(key), value)
    return result
