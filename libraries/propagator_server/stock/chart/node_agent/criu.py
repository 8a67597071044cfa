"""What CRIU's images tell of a checkpoint: open files, sockets, how many pages of memory there must be.

The images are protobuf messages, each after its size, behind two magic numbers (criu.org, "Images"; images/*.proto and
criu/include/magic.h of the CRIU repository have the numbers used here).
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass

COMMON_MAGIC = 0x54564319
INVENTORY_MAGIC = 0x58313116
FILES_MAGIC = 0x56303138
PAGEMAP_MAGIC = 0x56084025
PAGE = 4096
REGULAR, INET = 1, 4
ESTABLISHED, LISTENING = 1, 10
_IN_PARENT, _PRESENT = 1, 4
_V6 = 10
_ANY = "0.0.0.0"  # noqa: S104 - read, not bound

Value = int | bytes


class BrokenImageError(ValueError):
    """An image that is not whole, or not of the kind that its name says."""


@dataclass(frozen=True)
class OpenFile:
    """A regular file that a process has open: its path in the container, and its size in bytes then."""

    path: str
    size: int


@dataclass(frozen=True)
class Socket:
    """A TCP or UDP socket: addresses and ports, and its state by the kernel's number (1 established, 10 listening)."""

    address: str
    port: int
    peer: str
    peer_port: int
    state: int


def open_files(data: bytes) -> tuple[list[OpenFile], list[Socket]]:
    """The regular files and the sockets in `files.img`."""
    files, sockets = [], []
    for message in messages(data, FILES_MAGIC):
        entry = fields(message)
        kind = _number(entry, 1)
        if kind == REGULAR and 3 in entry:
            known = fields(_bytes(entry, 3))
            path = "/" + _bytes(known, 6).decode(errors="replace").lstrip("/")
            files.append(OpenFile(path, _number(known, 8)))
        elif kind == INET and 4 in entry:
            sockets.append(_socket(fields(_bytes(entry, 4))))
    return files, sockets


def pages(data: bytes) -> tuple[int, int]:
    """Of a `pagemap-*.img`: the number in the name of its pages file, and how many bytes that must hold."""
    head, *entries = messages(data, PAGEMAP_MAGIC)
    count = 0
    for message in entries:
        entry = fields(message)
        flags = _number(entry, 4) if 4 in entry else _IN_PARENT if _number(entry, 3) else _PRESENT
        if flags & _PRESENT:
            count += _number(entry, 5) or _number(entry, 2)
    return _number(fields(head), 1), count * PAGE


def messages(data: bytes, magic: int) -> Iterator[bytes]:
    """The messages of an image of a kind. Raises BrokenImageError."""
    if len(data) < 8 or struct.unpack_from("<II", data) != (COMMON_MAGIC, magic):
        raise BrokenImageError("its magic numbers are wrong")
    at = 8
    while at < len(data):
        if at + 4 > len(data):
            raise BrokenImageError("it ends within a message")
        (size,) = struct.unpack_from("<I", data, at)
        if at + 4 + size > len(data):
            raise BrokenImageError("it ends within a message")
        yield data[at + 4 : at + 4 + size]
        at += 4 + size


def fields(message: bytes) -> dict[int, list[Value]]:
    """The fields of a protobuf message by their numbers. Raises BrokenImageError."""
    found: dict[int, list[Value]] = {}
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, kind = key >> 3, key & 7
        value: Value
        if kind == 0:
            value, at = _varint(message, at)
        elif kind == 2:
            size, at = _varint(message, at)
            value, at = message[at : at + size], at + size
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
            value, at = int.from_bytes(message[at : at + size], "little"), at + size
        else:
            raise BrokenImageError(f"a field of wire type {kind}")
        if at > len(message):
            raise BrokenImageError("a field is cut off")
        found.setdefault(number, []).append(value)
    return found


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise BrokenImageError("a number is cut off")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise BrokenImageError("a number is too long")


def _socket(known: dict[int, list[Value]]) -> Socket:
    six = _number(known, 3) == _V6
    return Socket(
        address=_address(known.get(11, []), six),
        port=_number(known, 7),
        peer=_address(known.get(12, []), six),
        peer_port=_number(known, 8),
        state=_number(known, 6),
    )


def _address(words: list[Value], six: bool) -> str:
    """Words of four bytes in the network's order, each read as a number of this machine's (little-endian) order."""
    numbers: list[int] = []
    for word in words:
        if isinstance(word, int):
            numbers.append(word)
        else:  # packed
            at = 0
            while at < len(word):
                number, at = _varint(word, at)
                numbers.append(number)
    raw = b"".join(struct.pack("<I", number & 0xFFFFFFFF) for number in numbers)
    if len(raw) != (16 if six else 4):
        return "::" if six else _ANY
    return str(ipaddress.ip_address(raw))


def _number(known: dict[int, list[Value]], field: int) -> int:
    value = known.get(field, [0])[-1]
    return value if isinstance(value, int) else 0


def _bytes(known: dict[int, list[Value]], field: int) -> bytes:
    value = known.get(field, [b""])[-1]
    return value if isinstance(value, bytes) else b""
