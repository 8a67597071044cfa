"""As much of SPDY/3.1 as kubectl's port-forward speaks inside its websocket tunnel.

Frames and header blocks: the draft "SPDY Protocol, version 3.1", sections 2.2 and 2.6; flow control is not used by the
peer (moby/spdystream).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

SYN_STREAM, SYN_REPLY, PING = 1, 2, 6
FIN = 1
_VERSION = 0x8003
_NAMES = """
options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow
authorization cache-control connection content-base content-encoding content-language content-length content-location
content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match
if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range
referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get
status
"""
_MORE_NAMES = ("200 OK", "version", "HTTP/1.1", "url", "public", "set-cookie", "keep-alive", "origin")
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative "
    "Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 "
    "Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec "
    "00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,"
    "application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset="
    "iso-8859-1,utf-,*,enq=0."
)
DICTIONARY = b"".join(struct.pack(">I", len(n)) + n.encode() for n in (*_NAMES.split(), *_MORE_NAMES)) + _TAIL.encode()
"""The dictionary with which header blocks are compressed (section 2.6.10.1)."""


@dataclass(frozen=True)
class Frame:
    """A frame that came in. `kind` is 0 for data; headers only in SYN_STREAM."""

    kind: int
    stream: int
    flags: int
    data: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Connection:
    """The server's side of a SPDY connection: bytes in, frames out, and the other way round."""

    def __init__(self) -> None:
        self._buffer = b""
        self._inflate = zlib.decompressobj(zdict=DICTIONARY)
        self._deflate = zlib.compressobj(zdict=DICTIONARY)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are complete with these bytes."""
        self._buffer += data
        while len(self._buffer) >= 8:
            head, tail = struct.unpack(">II", self._buffer[:8])
            length = tail & 0xFFFFFF
            if len(self._buffer) < 8 + length:
                return
            payload, self._buffer = self._buffer[8 : 8 + length], self._buffer[8 + length :]
            yield self._frame(head, tail >> 24, payload)

    def _frame(self, head: int, flags: int, payload: bytes) -> Frame:
        if not head >> 31:
            return Frame(0, head, flags, payload)
        kind = head & 0xFFFF
        stream = struct.unpack(">I", payload[:4])[0] if len(payload) >= 4 else 0
        headers = self._headers(payload[10:]) if kind == SYN_STREAM else {}
        return Frame(kind, stream, flags, payload, headers)

    def _headers(self, block: bytes) -> dict[str, str]:
        plain = self._inflate.decompress(block)
        (count,), at, found = struct.unpack(">I", plain[:4]), 4, list[str]()
        for _ in range(count * 2):
            (length,) = struct.unpack(">I", plain[at : at + 4])
            found.append(plain[at + 4 : at + 4 + length].decode())
            at += 4 + length
        return {name.lower(): value for name, value in zip(found[::2], found[1::2], strict=True)}

    def reply(self, stream: int) -> bytes:
        """Accepts a stream."""
        block = self._deflate.compress(struct.pack(">I", 0)) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        return _control(SYN_REPLY, 0, struct.pack(">I", stream) + block)

    @staticmethod
    def data(stream: int, data: bytes, *, last: bool = False) -> bytes:
        """Data of a stream; `last` closes the server's half."""
        return struct.pack(">II", stream, (FIN if last else 0) << 24 | len(data)) + data

    @staticmethod
    def pong(frame: Frame) -> bytes:
        """The answer to a ping."""
        return _control(PING, 0, frame.data)


def _control(kind: int, flags: int, payload: bytes) -> bytes:
    return struct.pack(">HHI", _VERSION, kind, flags << 24 | len(payload)) + payload
