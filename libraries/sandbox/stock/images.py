"""Images from a registry on a node's loopback, pulled over HTTP as containerd 2.1 does it, and what is restored from
them."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import aiohttp

from propagator_server.stock.runtimes import Ability, of_node

from .. import kinds
from ..runtime.images import Image, PullError, pull
from ..runtime.setup import RESTORE_FAILED
from .archives import BrokenArchiveError, Restorable, files_of, read
from .nodes_network import HOST, RealPorts, loopback

if TYPE_CHECKING:
    from ..cluster import Cluster

Event = Callable[[str, str], None]
_REFERENCE = re.compile(r"(?:127\.0\.0\.1|localhost):(\d+)/(\S+?)@(sha256:[0-9a-f]{64})")
_ANNOTATION = "org.criu.checkpoint.container.name"
_HELLO = b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"
_TIMEOUT = aiohttp.ClientTimeout(total=60, sock_connect=5)


class BaseImageError(Exception):
    """The base image cannot be pulled; the words are the runtime's."""


@dataclass(frozen=True)
class CheckpointImage:
    """An image on a node. `origin` None: it is no checkpoint to this runtime. The errors are what the runtime says
    instead of creating, or of starting, a container."""

    base: Image
    origin: Restorable | None = None
    create_error: str = ""
    start_error: str = ""


class CheckpointImages:
    """What each node has pulled from its own loopback."""

    def __init__(self, cluster: Cluster, ports: RealPorts) -> None:
        self._cluster, self._ports = cluster, ports
        self._known: dict[tuple[str, str], CheckpointImage] = {}
        self._failed: dict[tuple[str, str], PullError] = {}
        self._pulls: dict[tuple[str, str], asyncio.Task[None]] = {}

    @staticmethod
    def concerns(reference: str) -> bool:
        """Whether an image comes from a registry on a node's loopback."""
        return bool(_REFERENCE.fullmatch(reference))

    def get(self, node: str, reference: str, event: Event, again: Callable[[], None]) -> CheckpointImage | None:
        """The image; None where it is being pulled: then `again` is called when that has ended. Raises PullError."""
        key = (node, reference)
        if key in self._known:
            return self._known[key]
        if key in self._failed:
            raise self._failed.pop(key)
        if key not in self._pulls:
            event("Pulling", f'Pulling image "{reference}"')
            self._pulls[key] = asyncio.get_running_loop().create_task(self._pull(key, event))
        # Several containers may wait for one image.
        self._pulls[key].add_done_callback(lambda task: None if task.cancelled() else again())
        return None

    def forget(self, node: str) -> None:
        """A node's images are gone."""
        self._known = {key: image for key, image in self._known.items() if key[0] != node}

    async def stop(self) -> None:
        """Ends what is being pulled."""
        for task in list(self._pulls.values()):
            task.cancel()
        await asyncio.gather(*self._pulls.values(), return_exceptions=True)

    async def _pull(self, key: tuple[str, str], event: Event) -> None:
        node, reference = key
        try:
            manifest, files = await self._fetched(node, reference)
            self._known[key] = await self._recognized(node, reference, manifest, files)
            size = sum(layer["size"] for layer in manifest["layers"])
            event("Pulled", f'Successfully pulled image "{reference}" in 1ms (1ms including waiting). Image size: '
                            f"{size} bytes.")  # fmt: skip
        except PullError as failed:
            self._failed[key] = failed
        finally:
            del self._pulls[key]

    async def _fetched(self, node: str, reference: str) -> tuple[dict[str, Any], dict[str, bytes]]:
        """The manifest, and the files of all layers, later ones over earlier ones. Raises PullError."""
        match = _REFERENCE.fullmatch(reference)
        assert match is not None
        port, name, digest = int(match[1]), match[2], match[3]
        real = self._ports.at(loopback(node), port)
        url = f"/v2/{name}/manifests/{digest}"
        if real is None:
            raise _failed(reference, f'Head "http://{HOST}:{port}{url}": dial tcp {HOST}:{port}: connect: connection '
                                     "refused")  # fmt: skip
        try:
            await _greet(real, reference, f"{HOST}:{port}{url}")
            async with aiohttp.ClientSession(f"http://{HOST}:{real}", timeout=_TIMEOUT) as session:
                manifest = json.loads(await _blob(session, url, digest, head=True))
                if not await self._fits(session, name, manifest):
                    raise _failed(reference, "no match for platform in manifest: not found")
                files: dict[str, bytes] = {}
                for layer in manifest["layers"]:
                    data = await _blob(session, f"/v2/{name}/blobs/{layer['digest']}", layer["digest"])
                    files |= files_of(data)
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError, KeyError, tarfile.TarError) as wrong:
            raise _failed(reference, str(wrong)) from None
        return manifest, files

    async def _fits(self, session: aiohttp.ClientSession, name: str, manifest: dict[str, Any]) -> bool:
        digest = manifest["config"]["digest"]
        config = json.loads(await _blob(session, f"/v2/{name}/blobs/{digest}", digest))
        return bool(config.get("architecture") == "amd64" and config.get("os") == "linux")

    async def _recognized(
        self, node: str, reference: str, manifest: dict[str, Any], files: dict[str, bytes]
    ) -> CheckpointImage:
        """As the node's runtime takes it: an annotation on the manifest makes it a checkpoint, where it restores."""
        plain = Image(reference, reference, 0, complete=True)
        ability = of_node(self._cluster.store.get(kinds.NODE, None, node) or {}).restores
        if _ANNOTATION not in (manifest.get("annotations") or {}) or ability is Ability.NO:
            return CheckpointImage(plain)
        if ability is Ability.OFF:
            text = "checkpoint restore via CreateContainer is disabled by configuration"
            return CheckpointImage(plain, create_error=text)
        if self._cluster.kubelet.trouble[node].no_criu:
            text = RESTORE_FAILED.partition("criu failed")[0]
            criu = 'CRIU version check failed: exec: "criu": executable file not found in $PATH'
            return CheckpointImage(plain, start_error=text + criu)
        try:
            found = read(files)
            return CheckpointImage(await self._base(node, found), found)
        except BrokenArchiveError as broken:
            at_start = "" if broken.at_create else RESTORE_FAILED
            return CheckpointImage(plain, create_error=str(broken), start_error=at_start)
        except BaseImageError as wrong:
            return CheckpointImage(plain, create_error=str(wrong))

    async def _base(self, node: str, found: Restorable) -> Image:
        """The base image, whose manifest is asked for although it is present. Raises BaseImageError."""
        failed = f"failed to pull checkpoint base image {found.base_reference}: failed to resolve reference"
        match = _REFERENCE.fullmatch(found.base_reference)
        if not match:
            try:
                return pull(found.base)
            except PullError as wrong:
                raise BaseImageError(f"{failed} {wrong}") from None
        port, path = int(match[1]), f"/v2/{match[2]}/manifests/{match[3]}"
        real = self._ports.at(loopback(node), port)
        if real is None:
            raise BaseImageError(f"{failed}: dial tcp {HOST}:{port}: connect: connection refused")
        try:
            async with (
                aiohttp.ClientSession(timeout=_TIMEOUT) as session,
                session.head(f"http://{HOST}:{real}{path}") as answer,
            ):
                named = answer.headers.get("Docker-Content-Digest")
                if answer.status != 200 or named != match[3] or "Content-Length" not in answer.headers:
                    raise BaseImageError(f'{failed} "{found.base_reference}": not found')
        except aiohttp.ClientError as wrong:
            raise BaseImageError(f"{failed}: {wrong}") from None
        return replace(pull(found.base), image_id=found.base_reference)


async def _greet(real: int, reference: str, shown: str) -> None:
    """TLS is tried first; what answers it with anything but `HTTP/` is not asked by HTTP. Raises PullError."""
    reader, writer = await asyncio.open_connection(HOST, real)
    try:
        writer.write(_HELLO)
        said = await asyncio.wait_for(reader.read(5), 5)
    finally:
        writer.close()
    if said != b"HTTP/":
        raise _failed(reference, f'Head "https://{shown}": tls: first record does not look like a TLS handshake')


async def _blob(session: aiohttp.ClientSession, path: str, digest: str, *, head: bool = False) -> bytes:
    """A blob with that digest. Raises ValueError for another one, and for none."""
    if head:
        async with session.head(path) as answer:
            if answer.status != 200 or answer.headers.get("Docker-Content-Digest") != digest:
                raise ValueError(f"{path}: not found")
    async with session.get(path) as answer:
        if answer.status != 200:
            raise ValueError(f"{path}: unexpected status {answer.status}")
        data = await answer.read()
    found = f"sha256:{hashlib.sha256(data).hexdigest()}"
    if found != digest:
        raise ValueError(f"failed commit: unexpected digest {found}, expected {digest}")
    return data


def _failed(reference: str, reason: str) -> PullError:
    return PullError(
        "ErrImagePull",
        f'rpc error: code = Unknown desc = failed to pull and unpack image "{reference}": failed to resolve reference '
        f'"{reference}": {reason}',
    )
