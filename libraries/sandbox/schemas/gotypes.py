"""Reads Go struct definitions out of a Go binary's run-time type metadata (a development tool: `distil` uses it).

Layout: internal/abi/type.go of Go 1.26 (`Type`, `StructType`, `PtrType`, `SliceType`, `MapType`, `Name`), 64-bit little
endian.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_KINDS = {1: "bool", 2: "int", 5: "int32", 6: "int64", 8: "uint8", 14: "float64", 24: "string", 20: "any"}
_MAP, _POINTER, _SLICE, _STRUCT = 21, 22, 23, 25
_HAS_UNCOMMON = 1
_NAMED = 4
_EXTRA_STAR = 2


class Section(NamedTuple):
    """One section of the ELF file: where it is in memory, and its bytes."""

    address: int
    data: bytes


@dataclass(frozen=True)
class Field:
    """A field of a Go struct: its Go name, its tag, whether it is embedded, and its type's address."""

    name: str
    tag: dict[str, str]
    embedded: bool
    type: int


class Binary:
    """The types in one Go binary."""

    def __init__(self, path: Path) -> None:
        raw = path.read_bytes()
        self._sections = list(_sections(raw))
        self._types = next(section for name, section in self._sections if name == ".rodata").address
        self._links = next(section for name, section in self._sections if name == ".typelink").data

    def structs(self) -> dict[str, int]:
        """Address of each named struct that a pointer type points to, by `package/path.Name`."""
        found = {}
        for (offset,) in struct.iter_unpack("<i", self._links):
            address = self._types + offset
            if self.kind(address) != _POINTER:
                continue
            target = self.element(address)
            if self.kind(target) == _STRUCT and self._flags(target) & _NAMED:
                found[self.full_name(target)] = target
        return found

    def kind(self, address: int) -> int:
        """The reflect.Kind number of a type."""
        return self._bytes(address + 23, 1)[0] & 31

    def element(self, address: int) -> int:
        """The element type of a pointer or slice."""
        return self._word(address + 48)

    def map_value(self, address: int) -> int:
        """The value type of a map."""
        return self._word(address + 56)

    def full_name(self, address: int) -> str:
        """`package/path.Name` of a named type, Go's own spelling of others."""
        name = self.spelling(address)
        if not self._flags(address) & _NAMED or not self._flags(address) & _HAS_UNCOMMON:
            return name
        size = {_STRUCT: 80, _POINTER: 56, _SLICE: 56, _MAP: 104}.get(self.kind(address), 48)
        package = self._name_at(self._types + struct.unpack("<i", self._bytes(address + size, 4))[0])[0]
        return f"{package}.{name.rpartition('.')[2]}"

    def spelling(self, address: int) -> str:
        """The type as Go prints it: `v1.Pod`, `[]v1.Container`, `map[string]string`."""
        text = self._name_at(self._types + struct.unpack("<i", self._bytes(address + 40, 4))[0])[0]
        return text[1:] if self._flags(address) & _EXTRA_STAR else text

    def fields(self, address: int) -> list[Field]:
        """The fields of a struct, in order."""
        start, count = self._word(address + 56), self._word(address + 64)
        found = []
        for index in range(count):
            name, type_, _ = struct.unpack("<QQQ", self._bytes(start + 24 * index, 24))
            text, tag, embedded = self._name_at(name)
            found.append(Field(text, dict(re.findall(r'(\w+):"([^"]*)"', tag)), embedded, type_))
        return found

    def _flags(self, address: int) -> int:
        return self._bytes(address + 20, 1)[0]

    def _name_at(self, address: int) -> tuple[str, str, bool]:
        flags = self._bytes(address, 1)[0]
        length, address = self._varint(address + 1)
        text = self._bytes(address, length).decode()
        tag = ""
        if flags & 2:
            size, start = self._varint(address + length)
            tag = self._bytes(start, size).decode()
        return text, tag, bool(flags & 8)

    def _varint(self, address: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = self._bytes(address, 1)[0]
            value |= (byte & 127) << shift
            address, shift = address + 1, shift + 7
            if byte < 128:
                return value, address

    def _word(self, address: int) -> int:
        return int(struct.unpack("<Q", self._bytes(address, 8))[0])

    def _bytes(self, address: int, size: int) -> bytes:
        for _, section in self._sections:
            offset = address - section.address
            if 0 <= offset < len(section.data):
                return section.data[offset : offset + size]
        raise ValueError(f"address {address:#x} is in no section of the binary")


def _sections(raw: bytes) -> list[tuple[str, Section]]:
    if raw[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a 64-bit little-endian ELF file")
    start = struct.unpack_from("<Q", raw, 40)[0]
    size, count, names = struct.unpack_from("<HHH", raw, 58)
    headers = [struct.unpack_from("<IIQQQQ", raw, start + size * i) for i in range(count)]
    text = headers[names][4]
    found = []
    for name, kind, _, address, offset, length in headers:
        label = raw[text + name : raw.index(b"\0", text + name)].decode()
        if address and kind == 1:
            found.append((label, Section(address, raw[offset : offset + length])))
    return found
