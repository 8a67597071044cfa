"""Request bodies: from JSON, YAML or protobuf to an object as the server's types have it.

Source: k8s.io/apiserver pkg/endpoints/handlers (create.go, rest.go: transformDecodeError) and sigs.k8s.io/json.
"""

from __future__ import annotations

import json
from typing import Any

from ..kinds import Kind, strategy
from ..schemas import protobuf, types
from ..schemas.codec import Codec, DecodeError
from .context import Call
from .status import ApiError, bad_request, failure

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
_ACCEPTED = f"accepted media types include: {JSON}, {YAML}, {PROTOBUF}"
_SUMMARY = 30
_HEADER_TYPE = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'


class _Duplicates(dict[str, Any]):
    """An object whose JSON had a field twice."""

    twice: tuple[str, ...] = ()


def media_type(content_type: str) -> str:
    """The type without parameters; none means JSON."""
    return content_type.partition(";")[0].strip().lower() or JSON


def read(body: bytes, content_type: str, call: Call, type_: types.Struct | None = None) -> dict[str, Any]:
    """The object in a request's body, of the call's kind (or of `type_`), typed and without what the server drops.

    Raises 400 and 415.
    """
    kind = call.kind
    struct = type_ or types.of_kind(kind)
    media = media_type(content_type)
    wanted = type_.short if type_ else kind.kind
    if media == PROTOBUF:
        obj = _read_protobuf(body, struct, wanted)
    elif media in (JSON, YAML):
        obj = _read_text(body, wanted, as_yaml=media == YAML)
    else:
        message = f"the body of the request was in an unknown format - {_ACCEPTED}"
        raise failure(415, "UnsupportedMediaType", message)
    if type_ is None:
        _check_kind(obj, kind, call)
    return typed(obj, call, struct, wanted)


def typed(obj: dict[str, Any], call: Call, struct: types.Struct | None, wanted: str) -> dict[str, Any]:
    """The object through the server's types; unknown fields are refused, warned of or dropped as the call says."""
    version = call.kind.version
    if struct is None:
        result = custom(obj, call)
        problems = [f'duplicate field "{path}"' for path in _duplicates(obj, "")]
        problems += unknown_custom(result, call)
        strict(problems, call, f'{wanted} in version "{version}" cannot be handled as a {wanted}: ')
        return result
    codec = Codec()
    try:
        result = codec.decode(obj, struct)
    except DecodeError as error:
        raise bad_request(f'{wanted} in version "{version}" cannot be handled as a {wanted}: {error}') from None
    problems = [f'duplicate field "{path}"' for path in _duplicates(obj, "")]
    problems += [f'unknown field "{path}"' for path in codec.unknown]
    strict(problems, call, f'{wanted} in version "{version}" cannot be handled as a {wanted}: ')
    return result


def custom(obj: dict[str, Any], call: Call) -> dict[str, Any]:
    """A custom object: its metadata is typed, the rest is the definition's affair."""
    codec = Codec()
    try:
        metadata = codec.decode(obj.get("metadata") or {}, types.struct("meta/v1.ObjectMeta"))
    except DecodeError as error:
        raise bad_request(f"error decoding object metadata: {error}") from None
    head = {"apiVersion": call.kind.api_version, "kind": call.kind.kind, "metadata": metadata}
    return {**head, **{key: value for key, value in obj.items() if key not in head}}


def unknown_custom(obj: dict[str, Any], call: Call) -> list[str]:
    """The unknown fields of a custom object, as the strict decoder names them."""
    return [f'unknown field "{path}"' for path in strategy.of(call.kind).unknown_fields(obj)]


def strict(problems: list[str], call: Call, prefix: str) -> None:
    """Refuses or warns of unknown and duplicate fields."""
    if not problems or call.field_validation == "Ignore":
        return
    if call.field_validation == "Strict":
        raise bad_request(f"{prefix}strict decoding error: {', '.join(problems)}")
    call.warnings += problems


def load(text: bytes) -> Any:
    """JSON as the server reads it. Raises ValueError with Go's message."""
    try:
        return json.loads(text, object_pairs_hook=_pairs)
    except json.JSONDecodeError as error:
        raise ValueError(_go_message(text, error)) from None
    except (UnicodeDecodeError, RecursionError):
        raise ValueError("invalid character looking for beginning of value") from None


def load_yaml(text: bytes) -> Any:
    """YAML as sigs.k8s.io/yaml reads it. Raises ValueError."""
    import yaml

    from .yamlgo import Loader

    try:
        return yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader with Go's rules for booleans
    except yaml.MarkedYAMLError as error:
        raise ValueError(f"error converting YAML to JSON: yaml: {_yaml_place(error)}{error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ValueError("error converting YAML to JSON: yaml: " + str(error).replace("\n", " ")) from None


def _yaml_place(error: Any) -> str:
    """The line as go-yaml counts it (go.yaml.in/yaml/v2 decode.go: fail)."""
    line = error.problem_mark.line if error.problem_mark else 0
    if line and type(error).__name__ == "ScannerError":
        line += 1
    return f"line {line}: " if line else ""


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    found = _Duplicates(pairs)
    keys = [key for key, _ in pairs]
    found.twice = tuple(dict.fromkeys(key for key in keys if keys.count(key) > 1))
    return found


def _duplicates(value: Any, path: str) -> list[str]:
    if isinstance(value, list):
        return [found for index, item in enumerate(value) for found in _duplicates(item, f"{path}[{index}]")]
    if not isinstance(value, dict):
        return []
    prefix = f"{path}." if path else ""
    own = [prefix + key for key in value.twice] if isinstance(value, _Duplicates) else []
    return own + [found for key, item in value.items() for found in _duplicates(item, prefix + key)]


def _go_message(text: bytes, error: json.JSONDecodeError) -> str:
    decoded = text.decode(errors="replace")
    if error.pos >= len(decoded.rstrip()) or "Unterminated string" in error.msg:
        return "unexpected end of JSON input"
    char = decoded[error.pos]
    where = {
        "Expecting ',' delimiter": "after object key:value pair",
        "Expecting ':' delimiter": "after object key",
        "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
        "Extra data": "after top-level value",
    }.get(error.msg, "looking for beginning of value")
    return f"invalid character '{char}' {where}"


def _read_text(body: bytes, wanted: str, *, as_yaml: bool) -> dict[str, Any]:
    try:
        value = load_yaml(body) if as_yaml else load(body)
    except ValueError as error:
        raise _unrecognized(wanted, f"couldn't get version/kind; json parse error: {error}", body) from None
    if isinstance(value, dict):
        return value
    found = {list: "array", str: "string", bool: "bool"}.get(type(value), "number")
    message = f"json: cannot unmarshal {found} into Go value of type {_HEADER_TYPE}"
    raise _unrecognized(wanted, f"couldn't get version/kind; json parse error: {message}", body)


def _unrecognized(wanted: str, why: str, body: bytes) -> ApiError:
    return bad_request(f"the object provided is unrecognized (must be of type {wanted}): {why} ({_summary(body)})")


def _summary(body: bytes) -> str:
    if not body:
        return "<empty>"
    more = " ..." if len(body) > _SUMMARY else ""
    if body[:1] == b"{":
        return body[:_SUMMARY].decode(errors="replace") + more
    return body[:_SUMMARY].hex() + more


def _read_protobuf(body: bytes, struct: types.Struct | None, wanted: str) -> dict[str, Any]:
    if struct is None:
        raise failure(415, "UnsupportedMediaType", f"the body of the request was in an unknown format - {_ACCEPTED}")
    try:
        api_version, kind, raw = protobuf.unwrap(body)
        obj = protobuf.decode(raw, struct)
    except (protobuf.ProtobufError, ValueError) as error:
        raise _unrecognized(wanted, str(error), body) from None
    obj.update({key: value for key, value in (("apiVersion", api_version), ("kind", kind)) if value})
    return obj


def _check_kind(obj: dict[str, Any], kind: Kind, call: Call) -> None:
    version, name = obj.get("apiVersion"), obj.get("kind")
    for key in ("apiVersion", "kind"):
        if obj.get(key) is not None and not isinstance(obj[key], str):
            message = "couldn't get version/kind; json parse error: json: cannot unmarshal into Go struct field"
            raise bad_request(f"the object provided is unrecognized (must be of type {kind.kind}): {message} .{key}")
    version, name = version or kind.api_version, name or kind.kind
    obj["apiVersion"], obj["kind"] = version, name
    if version != kind.api_version:
        raise bad_request(
            f"the API version in the data ({version}) does not match the expected API version ({kind.api_version})"
        )
    if name == kind.kind:
        return
    registered = call.cluster.store.registry.by_kind(version, name)
    internal = (kind.group or "core").partition(".")[0]
    why = (
        f"converting ({kind.version}.{name}) to ({internal}.{kind.kind}): unknown conversion"
        if registered
        else f'no kind "{name}" is registered for version "{version}" in scheme "pkg/api/legacyscheme/scheme.go:30"'
    )
    raise bad_request(f'{name} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}')
