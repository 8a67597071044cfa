"""An object as it comes out of the API server's Go structs: types checked, unknown fields dropped, empty ones left out.

Messages are those of encoding/json and sigs.k8s.io/json, as the server passes them on.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from . import quantity
from .types import FieldType, Struct, TypeRef, struct

_INTEGERS = {"int": 63, "int32": 31, "int64": 63}


class DecodeError(Exception):
    """The object cannot be decoded; the message is Go's."""


class Codec:
    """Decodes one object; `unknown` holds the paths of fields that its types do not have."""

    def __init__(self) -> None:
        self.unknown: list[str] = []

    def decode(self, value: dict[str, Any], type_: Struct) -> dict[str, Any]:
        """The object as the server would write it. Raises DecodeError."""
        return self._struct(value, type_, "", "")

    def _struct(self, value: dict[str, Any], type_: Struct, path: str, go_path: str) -> dict[str, Any]:
        for key in value:
            if key not in type_.by_name:
                self.unknown.append(f"{path}.{key}" if path else key)
        result: dict[str, Any] = {}
        for field in _present(value, type_):
            name = field.name
            item = value.get(name)
            if item is None:
                _missing(field, result)
                continue
            inner = f"{path}.{name}" if path else name
            inner_go = f"{go_path}.{name}" if go_path else name
            decoded = self._value(item, field.type, inner, inner_go, type_.short)
            if not field.omitempty or field.type.pointer or not _is_empty(decoded, field.type):
                result[name] = decoded
        return result

    def _value(self, value: Any, type_: TypeRef, path: str, go_path: str, owner: str) -> Any:
        base = type_.base
        if base == "string":
            if isinstance(value, str):
                return value
        elif base == "struct":
            if isinstance(value, dict):
                return self._struct(value, struct(type_.struct), path, go_path)
        elif base == "list":
            if isinstance(value, list):
                return self._list(value, type_, path, go_path, owner)
        elif base == "map":
            if isinstance(value, dict):
                return self._map(value, type_, path, go_path, owner)
        else:
            return _scalar(value, type_, go_path, owner)
        raise _mismatch(value, type_, go_path, owner)

    def _list(self, value: list[Any], type_: TypeRef, path: str, go_path: str, owner: str) -> list[Any]:
        element = type_.element
        assert element is not None
        return [
            _zero(element) if item is None else self._value(item, element, f"{path}[{index}]", go_path, owner)
            for index, item in enumerate(value)
        ]

    def _map(self, value: dict[str, Any], type_: TypeRef, path: str, go_path: str, owner: str) -> dict[str, Any]:
        element = type_.element
        assert element is not None
        return {
            key: _zero(element) if item is None else self._value(item, element, f"{path}.{key}", go_path, owner)
            for key, item in value.items()
        }


def _present(value: dict[str, Any], type_: Struct) -> Iterator[FieldType]:
    """The fields of a struct, with those of inlined structs in their place."""
    for field in type_.fields:
        if not field.inline:
            yield field
            continue
        inner = struct(field.type.struct)
        if not field.type.pointer or any(name in value for name in inner.by_name):
            yield from _present(value, inner)


def _missing(field: FieldType, result: dict[str, Any]) -> None:
    type_ = field.type
    if field.omitempty and (type_.pointer or type_.base not in ("struct", "Time", "MicroTime", "IntOrString")):
        return
    result[field.name] = _zero(type_)


def _zero(type_: TypeRef) -> Any:
    if type_.pointer:
        return None
    if type_.base == "struct":
        result: dict[str, Any] = {}
        for field in struct(type_.struct).fields:
            if field.inline:
                if not field.type.pointer:
                    result.update(_zero(field.type))
            else:
                _missing(field, result)
        return result
    zeros = {
        "string": "",
        "bytes": "",
        "bool": False,
        "Quantity": "0",
        "Duration": "0s",
        "IntOrString": 0,
        "float64": 0,
    }
    return 0 if type_.base in _INTEGERS else zeros.get(type_.base)


def _is_empty(value: Any, type_: TypeRef) -> bool:
    return type_.base not in ("struct", "Time", "MicroTime", "Quantity", "IntOrString", "Raw") and value in (
        "",
        0,
        False,
        [],
        {},
        None,
    )


def _scalar(value: Any, type_: TypeRef, go_path: str, owner: str) -> Any:
    base = type_.base
    if base == "bool":
        if isinstance(value, bool):
            return value
    elif base in _INTEGERS:
        if _fits(value, _INTEGERS[base]):
            return int(value)
    elif base in ("any", "Raw", "FieldsV1"):
        return value
    elif base == "float64":
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
    else:
        return _special(value, type_)
    raise _mismatch(value, type_, go_path, owner)


def _fits(value: Any, bits: int) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isinstance(value, int) and -(2**bits) <= value < 2**bits


def _special(value: Any, type_: TypeRef) -> Any:
    base = type_.base
    if base == "Quantity":
        return _quantity(value)
    if base == "IntOrString":
        if isinstance(value, str) or _fits(value, 31):
            return value
        raise _mismatch(value, TypeRef("int32", "int32"), "", "")
    if not isinstance(value, str):
        plain = {"Time": "string", "MicroTime": "string", "Duration": "string"}.get(base, base)
        raise _mismatch(value, TypeRef(plain, type_.spelled if base == "bytes" else plain), "", "")
    if base == "bytes":
        return _bytes(value)
    return _time(value, micro=base == "MicroTime") if base in ("Time", "MicroTime") else value


def _quantity(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DecodeError(quantity.PATTERN_MESSAGE)
    try:
        return quantity.canonical(str(value))
    except quantity.QuantityError as error:
        raise DecodeError(str(error)) from None


def _bytes(value: str) -> str:
    text = value.replace("\n", "").replace("\r", "")
    bad = re.search(r"[^A-Za-z0-9+/=]", text)
    try:
        if not bad:
            base64.b64decode(text, validate=True)
            return text
        position = bad.start()
    except binascii.Error:
        position = len(text) - len(text) % 4 if len(text) % 4 else len(text)
    raise DecodeError(f"illegal base64 data at input byte {position}")


def _time(value: str, *, micro: bool) -> str:
    moment = _moment(value)
    if moment is None:
        layout = "2006-01-02T15:04:05.000000Z07:00" if micro else "2006-01-02T15:04:05Z07:00"
        raise DecodeError(f'parsing time "{value}" as "{layout}": cannot parse "{value}" as "2006"')
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if micro else utc.strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(value: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        return None
    return moment if "T" in value and moment.tzinfo is not None else None


def _mismatch(value: Any, type_: TypeRef, go_path: str, owner: str) -> DecodeError:
    if isinstance(value, bool):
        found = "bool"
    elif isinstance(value, int | float):
        found = "number" if type_.base not in _INTEGERS else f"number {value}"
    else:
        found = {"str": "string", "dict": "object", "list": "array"}[type(value).__name__]
    where = f"Go struct field {owner}.{go_path}" if go_path else "Go value"
    return DecodeError(f"json: cannot unmarshal {found} into {where} of type {type_.spelled}")
