"""Kubernetes' protobuf bodies as plain objects.

Source: k8s.io/apimachinery pkg/runtime/serializer/protobuf (the envelope) and the generated.proto of the special types.
"""

from __future__ import annotations

import base64
import json
import struct as binary
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from .types import FieldType, Struct, TypeRef, struct

MAGIC = b"k8s\x00"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5

Wire = int | bytes


class ProtobufError(ValueError):
    """The body is not what its content type says."""


def unwrap(body: bytes) -> tuple[str, str, bytes]:
    """apiVersion, kind and message of a body. Raises ProtobufError."""
    if body[:4] != MAGIC:
        raise ProtobufError("provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]")
    api_version = kind = ""
    raw = b""
    for number, value in _entries(body[4:]):
        if number == 1 and isinstance(value, bytes):
            meta = {inner: text.decode() for inner, text in _entries(value) if isinstance(text, bytes)}
            api_version, kind = meta.get(1, ""), meta.get(2, "")
        elif number == 2 and isinstance(value, bytes):
            raw = value
    return api_version, kind, raw


def decode(message: bytes, type_: Struct) -> dict[str, Any]:
    """A message of this type as a plain object. Fields of unknown numbers are left out. Raises ProtobufError."""
    fields = {field.number: field for field in type_.fields if field.number}
    result: dict[str, Any] = {}
    for number, value in _entries(message):
        field = fields.get(number)
        if field is not None:
            _put(result, field, value)
    return result


def _put(result: dict[str, Any], field: FieldType, value: Wire) -> None:
    type_ = field.type
    if field.inline:
        result.update(_value(value, type_))
    elif type_.base == "map" and type_.element is not None:
        key, item = _map_entry(_expect_bytes(value), type_.element)
        result.setdefault(field.name, {})[key] = item
    elif type_.base == "list" and type_.element is not None:
        result.setdefault(field.name, []).extend(_repeated(value, type_.element))
    else:
        result[field.name] = _value(value, type_)


def _repeated(value: Wire, element: TypeRef) -> list[Any]:
    if isinstance(value, bytes) and element.base in ("int32", "int64", "bool"):
        return [_value(item, element) for item in _packed(value)]
    return [_value(value, element)]


def _packed(data: bytes) -> Iterator[int]:
    position = 0
    while position < len(data):
        value, position = _varint(data, position)
        yield value


def _map_entry(entry: bytes, element: TypeRef) -> tuple[str, Any]:
    values = dict(_entries(entry))
    key = _expect_bytes(values.get(1, b"")).decode()
    if element.base == "list" and element.element is not None:
        items = [_value(item, element.element) for number, item in _entries(_expect_bytes(values.get(2, b"")))]
        return key, items
    default: Wire = 0 if element.base in ("int32", "int64", "bool") else b""
    return key, _value(values.get(2, default), element)


def _value(value: Wire, type_: TypeRef) -> Any:
    base = type_.base
    if base in ("int32", "int64", "int", "bool"):
        number = int(value)
        return bool(number) if base == "bool" else number - 2**64 if number >= 2**63 else number
    data = _expect_bytes(value)
    if base == "struct":
        return decode(data, struct(type_.struct))
    if base in _PLAIN:
        return _PLAIN[base](data)
    return _special(data, base)


_PLAIN: dict[str, Callable[[bytes], Any]] = {
    "string": bytes.decode,
    "bytes": lambda data: base64.b64encode(data).decode(),
    "float64": lambda data: binary.unpack("<d", data)[0],
}


def _special(data: bytes, base: str) -> Any:
    values: dict[int, Wire] = dict(_entries(data))
    first = values.get(1, 0)
    if base == "Quantity":
        return _expect_bytes(values.get(1, b"0")).decode()
    if base == "IntOrString":
        return _expect_bytes(values.get(3, b"")).decode() if first else _value(values.get(2, 0), TypeRef("int32", ""))
    if base in ("Time", "MicroTime"):
        return _time(values, micro=base == "MicroTime")
    if base == "Duration":
        return f"{int(first) / 1e9:g}s"
    raw = _expect_bytes(values.get(1, b""))
    return json.loads(raw) if raw else None


def _time(values: dict[int, Wire], *, micro: bool) -> str | None:
    if not values:
        return None
    moment = _EPOCH + timedelta(seconds=int(values.get(1, 0)), microseconds=int(values.get(2, 0)) // 1000)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if micro else "%Y-%m-%dT%H:%M:%SZ")


def _entries(data: bytes) -> Iterator[tuple[int, Wire]]:
    position = 0
    while position < len(data):
        tag, position = _varint(data, position)
        wire = tag & 7
        if wire == _VARINT:
            number, position = _varint(data, position)
            yield tag >> 3, number
            continue
        if wire == _BYTES:
            length, position = _varint(data, position)
        elif wire in (_FIXED64, _FIXED32):
            length = 8 if wire == _FIXED64 else 4
        else:
            raise ProtobufError(f"proto: illegal wireType {wire}")
        if position + length > len(data):
            raise ProtobufError("unexpected EOF")
        yield tag >> 3, data[position : position + length]
        position += length


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(data) and shift < 70:
        byte = data[position]
        value |= (byte & 127) << shift
        position, shift = position + 1, shift + 7
        if byte < 128:
            return value, position
    raise ProtobufError("unexpected EOF")


def _expect_bytes(value: Wire) -> bytes:
    if isinstance(value, bytes):
        return value
    raise ProtobufError("proto: wrong wireType")
