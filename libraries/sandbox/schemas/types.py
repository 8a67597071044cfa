"""The Go types of the API by name: their fields in order, as `distil` wrote them down."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from ..kinds import Kind

SPECIALS = frozenset({"Time", "MicroTime", "Duration", "FieldsV1", "Quantity", "IntOrString", "Raw", "any"})


@dataclass(frozen=True)
class TypeRef:
    """A Go type: `base` is struct, list, map, bytes, string, int32 ... or one of SPECIALS.

    `spelled` is how Go's error messages name it.
    """

    base: str
    spelled: str
    pointer: bool = False
    struct: str = ""
    element: TypeRef | None = None


@dataclass(frozen=True)
class FieldType:
    """A field of a struct. `inline` fields spread their struct's fields into the parent's JSON."""

    name: str
    type: TypeRef
    number: int
    omitempty: bool
    inline: bool
    patch_strategy: str = ""
    merge_key: str = ""
    list_type: str = ""
    list_keys: tuple[str, ...] = ()
    atomic_map: bool = False


@dataclass(frozen=True)
class Struct:
    """A Go struct: its own fields in order, and by JSON name with the inlined ones."""

    name: str
    fields: tuple[FieldType, ...]
    by_name: dict[str, FieldType] = field(default_factory=dict)

    @property
    def short(self) -> str:
        """`PodSpec` of `core/v1.PodSpec`."""
        return self.name.rpartition(".")[2]


@lru_cache(1)
def _table() -> dict[str, list[list[object]]]:
    return json.loads((Path(__file__).parent / "types.json").read_text())  # type: ignore[no-any-return]


def exists(name: str) -> bool:
    """Whether there is such a struct."""
    return name in _table()


@lru_cache(None)
def struct(name: str) -> Struct:
    """The struct of this name (`core/v1.Pod`). Raises KeyError."""
    fields = tuple(_field(*row) for row in _table()[name])  # type: ignore[arg-type]
    by_name: dict[str, FieldType] = {}
    for item in fields:
        by_name.update(struct(item.type.struct).by_name if item.inline else {item.name: item})
    return Struct(name, fields, by_name)


def of_kind(kind: Kind) -> Struct | None:
    """The struct of a served kind's objects; None for custom kinds."""
    name = f"{(kind.group or 'core').split('.')[0]}/{kind.version}.{kind.kind}"
    return struct(name) if not kind.custom and exists(name) else None


def _field(name: str, type_: str, number: int, flags: str, extras: dict[str, object] | None = None) -> FieldType:
    more = extras or {}
    return FieldType(
        name=name,
        type=parse(type_),
        number=number,
        omitempty="o" in flags,
        inline="i" in flags,
        patch_strategy=str(more.get("ps", "")),
        merge_key=str(more.get("mk", "")),
        list_type=str(more.get("lt", "")),
        list_keys=tuple(more.get("lk", ())),  # type: ignore[arg-type]
        atomic_map=more.get("mt") == "atomic",
    )


@lru_cache(None)
def parse(text: str) -> TypeRef:
    """A type reference as types.json writes it."""
    if text.startswith("*"):
        inner = parse(text[1:])
        return TypeRef(inner.base, inner.spelled, True, inner.struct, inner.element)
    if text.startswith("[]"):
        inner = parse(text[2:])
        return TypeRef("list", "[]" + inner.spelled, element=inner)
    if text.startswith("map "):
        inner = parse(text[4:])
        return TypeRef("map", "map[string]" + inner.spelled, element=inner)
    if text.startswith("&"):
        return TypeRef("struct", text.rpartition("/")[2], struct=text[1:])
    base, _, spelled = text.partition("=")
    return TypeRef(base, spelled or {"bytes": "[]uint8"}.get(base, base))
