"""Images as CRIU writes them, as far as somebody reads them: magic numbers, and messages behind their sizes."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from propagator_server.stock.chart.node_agent.criu import (
    COMMON_MAGIC,
    FILES_MAGIC,
    INET,
    INVENTORY_MAGIC,
    LISTENING,
    PAGE,
    PAGEMAP_MAGIC,
)

_IPV4, _STREAM, _TCP = 2, 1, 6
_OTHERS = {"pstree": 0x50273030, "core-1": 0x55053847, "mm-1": 0x57492820, "fdinfo-2": 0x56213732, "cgroup": 0x59383330}
_PRESENT = 4


def images(memory: bytes, ports: Iterable[int]) -> dict[str, bytes]:
    """The files below `checkpoint/` of a process with that memory which listens on those ports."""
    pages = memory + bytes(-len(memory) % PAGE)
    return {
        "inventory.img": _image(INVENTORY_MAGIC, [_fields((1, 2))]),
        "files.img": _image(FILES_MAGIC, [_listener(number, port) for number, port in enumerate(sorted(ports), 1)]),
        "pagemap-1.img": _image(
            PAGEMAP_MAGIC, [_fields((1, 1)), _fields((1, 0x400000), (2, len(pages) // PAGE), (4, _PRESENT))]
        ),
        "pages-1.img": pages,
        **{f"{name}.img": _image(magic, []) for name, magic in _OTHERS.items()},
    }


def _listener(number: int, port: int) -> bytes:
    """A file entry of a TCP socket that listens on all addresses."""
    socket = _fields(
        (1, number), (2, 1000 + number), (3, _IPV4), (4, _STREAM), (5, _TCP), (6, LISTENING), (7, port), (8, 0),
        (9, 2), (10, 511), (11, 0), (12, 0),
    )  # fmt: skip
    return _fields((1, INET), (2, number)) + bytes([4 << 3 | 2]) + _varint(len(socket)) + socket


def _image(magic: int, messages: Iterable[bytes]) -> bytes:
    head = struct.pack("<II", COMMON_MAGIC, magic)
    return head + b"".join(struct.pack("<I", len(message)) + message for message in messages)


def _fields(*pairs: tuple[int, int]) -> bytes:
    return b"".join(_varint(number << 3) + _varint(value) for number, value in pairs)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
