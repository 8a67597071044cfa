"""Patches of the four media types, from body to typed object."""

from __future__ import annotations

from typing import Any

from ..kinds import Kind, fields
from ..schemas import types
from ..schemas.codec import Codec, DecodeError
from . import bodies
from .context import Call
from .patches import json_patch, merge_patch
from .status import bad_request, failure, invalid
from .strategic import strategic_merge

Object = dict[str, Any]
JSON_PATCH, MERGE = "application/json-patch+json", "application/merge-patch+json"
STRATEGIC, APPLY = "application/strategic-merge-patch+json", "application/apply-patch+yaml"


def check_media(media: str, kind: Kind) -> None:
    """Refuses other media types."""
    allowed = (JSON_PATCH, MERGE, APPLY) if kind.custom else (JSON_PATCH, MERGE, STRATEGIC, APPLY)
    if media == STRATEGIC and kind.custom:
        message = (
            f"the body of the request was in an unknown format - accepted media types include: {', '.join(allowed)}"
        )
        raise failure(415, "UnsupportedMediaType", message)
    if media not in allowed:
        raise failure(415, "UnsupportedMediaType", "415: Unsupported Media Type", {})


def patched(call: Call, current: Object, body: bytes, media: str) -> Object:
    """The current object with the patch applied, typed. Raises 400 and 422."""
    try:
        patch = bodies.load(body)
    except ValueError as error:
        prefix = "" if media == STRATEGIC else "error decoding patch: "
        raise bad_request(f"{prefix}{error}") from None
    if media == JSON_PATCH:
        result = json_patch(current, patch)
    elif not isinstance(patch, dict):
        raise bad_request(
            "error decoding patch: json: cannot unmarshal array into Go value of type map[string]interface {}"
        )
    elif media == MERGE:
        result = merge_patch(current, patch)
    else:
        struct = types.of_kind(call.kind)
        assert struct is not None
        result = strategic_merge(current, patch, struct)
    if not isinstance(result, dict):
        raise bad_request("error decoding patch: the patched object is no object")
    return _typed(call, result)


def _typed(call: Call, result: Object) -> Object:
    struct = types.of_kind(call.kind)
    codec = Codec()
    if struct is None:
        typed = bodies.custom(result, call)
        problems = bodies.unknown_custom(typed, call)
    else:
        try:
            typed = codec.decode(result, struct)
        except DecodeError as error:
            raise _unfit(result, str(error)) from None
        problems = [f'unknown field "{path}"' for path in codec.unknown]
    if problems and call.field_validation == "Strict":
        raise _unfit(result, "strict decoding error: " + ", ".join(problems))
    if call.field_validation == "Warn":
        call.warnings += problems
    return typed


def _unfit(result: Object, why: str) -> Exception:
    from .answers import dumps

    return invalid("", "", "", [fields.invalid("patch", dumps(result).decode(), why)])


def configuration(call: Call, body: bytes, manager: str) -> Object:
    """The configuration of a server-side apply. Raises 400 and 422."""
    if not manager:
        error = fields.required("fieldManager", "is required for apply patch")
        raise invalid("meta.k8s.io", "PatchOptions", "", [error])
    try:
        value = bodies.load_yaml(body)
    except ValueError as error:
        raise bad_request(f"error decoding YAML: {error}") from None
    if not isinstance(value, dict):
        raise bad_request("error decoding YAML: the configuration is no object")
    if not value.get("apiVersion") or not value.get("kind"):
        missing = "kind" if value.get("apiVersion") else "apiVersion"
        raise bad_request(f"invalid object type: /, Kind={value.get('kind') or ''}: {missing} must be set")
    if (value["apiVersion"], value["kind"]) != (call.kind.api_version, call.kind.kind):
        group = value["apiVersion"].partition("/")
        raise bad_request(f"invalid object type: {value['apiVersion']}, Kind={value['kind']}, group {group[0]}")
    metadata = value.setdefault("metadata", {})
    if metadata.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    metadata.setdefault("name", call.name)
    if call.kind.namespaced:
        metadata.setdefault("namespace", call.namespace)
    return _unknown_dropped(call, value)


def _unknown_dropped(call: Call, value: Object) -> Object:
    """Fields that the schema does not have are refused, as the typed converter of the server refuses them."""
    struct = types.of_kind(call.kind)
    if struct is None:
        return value
    codec = Codec()
    try:
        codec.decode(value, struct)
    except DecodeError as error:
        raise bad_request(f"failed to create typed patch object: {error}") from None
    if codec.unknown:
        where = f"{call.namespace}/{call.name}; {call.kind.group}/{call.kind.version}, Kind={call.kind.kind}"
        found = [f".{path}: field not declared in schema" for path in codec.unknown]
        lines = found[0] if len(found) == 1 else "errors:\n  " + "\n  ".join(found)
        raise failure(500, "", f"failed to create typed patch object ({where}): {lines}")
    return value
