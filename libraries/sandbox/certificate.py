"""A certificate for the API server, made at each start: clients send a kubeconfig's token only over TLS.

A self-signed ECDSA P-256 certificate for loopback, in DER by hand, because neither the standard library nor the pinned
packages make one. The key serves one process on loopback and lives as long as it. Sources: RFC 5280 (certificate), RFC 5915
(key), FIPS 186-4 (ECDSA and the curve).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_Point = tuple[int, int] | None
_SEQUENCE, _SET, _INTEGER, _BITS, _OCTETS, _OID, _UTF8, _TIME, _TRUE = 48, 49, 2, 3, 4, 6, 12, 24, b"\x01\x01\xff"
_ECDSA_SHA256, _EC_KEY, _P256 = "1.2.840.10045.4.3.2", "1.2.840.10045.2.1", "1.2.840.10045.3.1.7"
_COMMON_NAME, _SERVER_AUTH = "2.5.4.3", "1.3.6.1.5.5.7.3.1"
_KEY_ID, _KEY_USAGE, _NAMES, _CONSTRAINTS, _EXTENDED_USAGE = (f"2.5.29.{n}" for n in (14, 15, 17, 19, 37))
_DAYS = 365


@dataclass(frozen=True)
class Certificate:
    """A certificate and its key, both in PEM."""

    certificate: str
    key: str

    def context(self) -> ssl.SSLContext:
        """A server's TLS context; the key is in a file only while it is read."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory(prefix="cedana-sandbox-") as folder:
            path = Path(folder) / "server.pem"
            path.touch(mode=0o600)
            path.write_text(self.key + self.certificate)
            context.load_cert_chain(path)
        return context


def make(common_name: str, addresses: tuple[bytes, ...], names: tuple[str, ...]) -> Certificate:
    """A new certificate for these addresses (4 bytes each) and host names."""
    secret = secrets.randbelow(_N - 1) + 1
    public = _encoded(_multiply(secret, _G))
    body = _to_be_signed(common_name, public, addresses, names)
    algorithm = _der(_SEQUENCE, _oid(_ECDSA_SHA256))
    signed = _der(_SEQUENCE, body, algorithm, _der(_BITS, b"\0" + _signature(body, secret)))
    key = _der(
        _SEQUENCE,
        _integer(1),
        _der(_OCTETS, secret.to_bytes(32, "big")),
        _der(0xA0, _oid(_P256)),
        _der(0xA1, _der(_BITS, b"\0" + public)),
    )
    return Certificate(_pem("CERTIFICATE", signed), _pem("EC PRIVATE KEY", key))


def _to_be_signed(common_name: str, public: bytes, addresses: tuple[bytes, ...], names: tuple[str, ...]) -> bytes:
    now = datetime.now(UTC)
    name = _der(_SEQUENCE, _der(_SET, _der(_SEQUENCE, _oid(_COMMON_NAME), _der(_UTF8, common_name.encode()))))
    times = (moment.strftime("%Y%m%d%H%M%SZ").encode() for moment in (now - timedelta(days=1), now + timedelta(days=_DAYS)))
    alternatives = [_der(0x87, address) for address in addresses] + [_der(0x82, each.encode()) for each in names]
    digest = hashlib.sha1(public, usedforsecurity=False).digest()
    extensions = (
        _extension(_CONSTRAINTS, _der(_SEQUENCE, _TRUE), critical=True),
        _extension(_KEY_USAGE, _der(_BITS, b"\x02\x84"), critical=True),  # digitalSignature, keyCertSign
        _extension(_EXTENDED_USAGE, _der(_SEQUENCE, _oid(_SERVER_AUTH))),
        _extension(_KEY_ID, _der(_OCTETS, digest)),
        _extension(_NAMES, _der(_SEQUENCE, *alternatives)),
    )
    return _der(
        _SEQUENCE,
        _der(0xA0, _integer(2)),
        _integer(secrets.randbits(120) + 1),
        _der(_SEQUENCE, _oid(_ECDSA_SHA256)),
        name,
        _der(_SEQUENCE, *(_der(_TIME, text) for text in times)),
        name,
        _der(_SEQUENCE, _der(_SEQUENCE, _oid(_EC_KEY), _oid(_P256)), _der(_BITS, b"\0" + public)),
        _der(0xA3, _der(_SEQUENCE, *extensions)),
    )


def _extension(oid: str, value: bytes, *, critical: bool = False) -> bytes:
    return _der(_SEQUENCE, _oid(oid), _TRUE if critical else b"", _der(_OCTETS, value))


def _signature(message: bytes, secret: int) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    while True:
        nonce = secrets.randbelow(_N - 1) + 1
        point = _multiply(nonce, _G)
        assert point is not None
        first = point[0] % _N
        second = pow(nonce, -1, _N) * (digest + first * secret) % _N
        if first and second:
            return _der(_SEQUENCE, _integer(first), _integer(second))


def _add(a: _Point, b: _Point) -> _Point:
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0]:
        if (a[1] + b[1]) % _P == 0:
            return None
        slope = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, _P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, _P)
    x = (slope * slope - a[0] - b[0]) % _P
    return x, (slope * (a[0] - x) - a[1]) % _P


def _multiply(factor: int, point: _Point) -> _Point:
    result: _Point = None
    while factor:
        if factor & 1:
            result = _add(result, point)
        point, factor = _add(point, point), factor >> 1
    return result


def _encoded(point: _Point) -> bytes:
    assert point is not None
    return b"\x04" + point[0].to_bytes(32, "big") + point[1].to_bytes(32, "big")


def _der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(length)]) + length + content


def _integer(value: int) -> bytes:
    return _der(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _oid(text: str) -> bytes:
    first, second, *rest = (int(part) for part in text.split("."))
    encoded = bytearray([40 * first + second])
    for number in rest:
        groups = [number & 127]
        while number := number >> 7:
            groups.append(number & 127 | 128)
        encoded += bytes(reversed(groups))
    return _der(_OID, bytes(encoded))


def _pem(label: str, data: bytes) -> str:
    text = base64.encodebytes(data).decode().replace("\n", "")
    lines = [text[i : i + 64] for i in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])
