"""A certificate authority for the time of one sandbox, and the API server's certificate from it.

Clients made with client-go send a kubeconfig's token over TLS only, so a server without it could not tell them apart.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")


@dataclass(frozen=True)
class Validity:
    """From when to when a certificate is good, from now on; the hour is for clients whose clock is behind."""

    begin: timedelta = timedelta(hours=-1)
    end: timedelta = timedelta(days=2)


@dataclass(frozen=True)
class ServerTls:
    """What the server needs, and what its clients have to trust (PEM)."""

    context: ssl.SSLContext
    authority: bytes


def server_tls(state_dir: Path, address: str) -> ServerTls:
    """An authority and a certificate from it for the Kubernetes API at `address`."""
    return tls_for(state_dir, (address, *_NAMES))


def tls_for(state_dir: Path, names: Sequence[str], validity: Validity | None = None) -> ServerTls:
    """An authority and a certificate for names and addresses; the key stands in `state_dir` only while it is read."""
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = _name("cedana-sandbox-ca")
    authority = (
        _certificate(issuer, issuer, authority_key.public_key(), Validity())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    served = (
        _certificate(_name("cedana-sandbox"), issuer, server_key.public_key(), validity or Validity())
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    key = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = _context(state_dir, served.public_bytes(serialization.Encoding.PEM) + key)
    return ServerTls(context, authority.public_bytes(serialization.Encoding.PEM))


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, validity: Validity
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + validity.begin)
        .not_valid_after(now + validity.end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _context(state_dir: Path, chain: bytes) -> ssl.SSLContext:
    """Python's ssl reads certificates from files only."""
    file = state_dir / "server.pem"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as out:
            out.write(chain)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
    finally:
        file.unlink()
    return context
