"""What stands between a client and the sandbox's API server: a TLS server that knows users, and an HTTP proxy."""

from __future__ import annotations

import asyncio
import base64
import ssl
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.tls import tls_for

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
END = b"\r\n\r\n"


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM, which stand for themselves as their authority."""

    certificate: bytes
    key: bytes

    @staticmethod
    def of(user: str) -> Pair:
        """Of a user, whose name is the common name, as an API server reads it."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, user)])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(key, hashes.SHA256())
        )
        plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return Pair(
            made.public_bytes(serialization.Encoding.PEM), key.private_bytes(serialization.Encoding.PEM, *plain)
        )


@dataclass
class Front:
    """An API server before that of the sandbox: lets in whoever has the certificate, the token or the password."""

    url: str
    authority: bytes
    user: Pair
    token: str = "the-token-of-the-tests"
    password: str = "the-password"
    names: list[str | None] = field(default_factory=list)
    """Server names that clients asked for."""

    def knows(self, authorization: str, certificate: object) -> bool:
        """Whether this is a user."""
        basic = base64.b64encode(f"somebody:{self.password}".encode()).decode()
        return bool(certificate) or authorization in (f"Bearer {self.token}", f"Basic {basic}")

    def kubeconfig(self, file: Path, user: dict[str, object], **cluster: object) -> Path:
        """A kubeconfig of that user; `cluster` adds to what it says of the cluster, or takes away with None."""
        known = {"server": self.url, "certificate-authority-data": base64.b64encode(self.authority).decode()}
        said = {name.replace("_", "-"): value for name, value in cluster.items()}
        content = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
            "clusters": [{"name": "here", "cluster": {k: v for k, v in (known | said).items() if v is not None}}],
            "users": [{"name": "me", "user": user}],
        }
        file.write_text(yaml.safe_dump(content))
        return file


@contextmanager
def front(sandbox: Path, folder: Path, *names: str) -> Iterator[Front]:
    """Serves before the sandbox of that kubeconfig, with a certificate for `names`."""
    read = yaml.safe_load(sandbox.read_text())
    target, pass_ = urlsplit(read["clusters"][0]["cluster"]["server"]), read["users"][0]["user"]["token"]
    inner = ssl.create_default_context()
    inner.check_hostname, inner.verify_mode = False, ssl.CERT_NONE
    user = Pair.of("somebody")
    tls = tls_for(folder, names)
    tls.context.verify_mode = ssl.CERT_OPTIONAL
    tls.context.load_verify_locations(cadata=user.certificate.decode())
    made = Front("", tls.authority, user)
    tls.context.sni_callback = lambda _socket, name, _context: made.names.append(name)  # type: ignore[assignment]

    async def serve(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        head = (await read.readuntil(END)).decode().removesuffix("\r\n\r\n").split("\r\n")
        given = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        known = made.knows(given.get("authorization", ""), write.get_extra_info("peercert"))
        kept = [line for line in head if not line.lower().startswith(("authorization:", "connection:"))]
        kept += [f"Authorization: Bearer {pass_}"] if known else []
        kept += ["Connection: " + ("Upgrade" if "upgrade" in given else "close")]
        far_read, far_write = await asyncio.open_connection(target.hostname, target.port, ssl=inner)
        far_write.write("\r\n".join(kept).encode() + END)
        await _both_ways((read, far_write), (far_read, write))

    with _served(serve, tls.context) as port:
        made.url = f"https://127.0.0.1:{port}"
        yield made


@contextmanager
def proxy(login: str = "") -> Iterator[tuple[str, list[str]]]:
    """A proxy that knows CONNECT alone; gives its address, and what it was asked for. `login`: user:password."""
    asked: list[str] = []
    wanted = f"basic {base64.b64encode(login.encode()).decode()}".lower()

    async def serve(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        head = (await read.readuntil(END)).decode()
        method, place, _ = head.split(" ", 2)
        asked.append(f"{method} {place}")
        if login and wanted not in head.lower():
            write.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0" + END)
            write.close()
            return
        host, _, port = place.rpartition(":")
        far_read, far_write = await asyncio.open_connection(host, int(port))
        write.write(b"HTTP/1.1 200 Connection established" + END)
        await _both_ways((read, far_write), (far_read, write))

    with _served(serve) as port:
        yield f"127.0.0.1:{port}", asked


async def _both_ways(*pairs: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    await asyncio.gather(*(_pump(*pair) for pair in pairs), return_exceptions=True)


async def _pump(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
    try:
        while chunk := await read.read(65536):
            write.write(chunk)
            await write.drain()
    finally:
        write.close()


@contextmanager
def _served(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serves in a thread; gives the port."""
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda *_: None)  # clients that go away are no news
    server = loop.run_until_complete(asyncio.start_server(handler, "127.0.0.1", 0, ssl=tls))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
