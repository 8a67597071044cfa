"""A read-only registry: checkpoints as images (`ck/<id>`) and their base images (`base/<name>`), by digest only.

Who knows a digest may have the blob. Nothing is listed, there are no tags, and it is bound to the node's loopback.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import BinaryIO

from . import content as contents
from .content import Content
from .image import MANIFEST
from .peers import Peers
from .shelf import Record, Shelf

_PATH = re.compile(r"/v2/(ck|base)/([a-z0-9][a-z0-9._/-]*)/(manifests|blobs)/(sha256:[0-9a-f]{64})")
_CHUNK = 1 << 20


@dataclass
class Blob:
    """What a registry answers: bytes from memory, a file or another agent."""

    media_type: str
    size: int
    digest: str
    source: bytes | Path | HTTPResponse

    def chunks(self) -> Iterator[bytes]:
        """Its bytes."""
        if isinstance(self.source, bytes):
            yield self.source
        elif isinstance(self.source, Path):
            with self.source.open("rb") as file:
                yield from _chunks(file)
        else:
            yield from _chunks(self.source)

    def close(self) -> None:
        """Lets go of the other agent."""
        if isinstance(self.source, HTTPResponse):
            self.source.close()


def _chunks(source: BinaryIO | HTTPResponse) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk


class Registry:
    """Finds blobs: of the archives here, of base images on the node, and (`ask`) at the other agents."""

    def __init__(self, shelf: Shelf, content: Content, peers: Peers) -> None:
        self._shelf, self._content, self._peers = shelf, content, peers
        self._allowed: set[str] = set()

    def allow(self, digests: list[str]) -> None:
        """These base images may be asked for, beside those of the archives here."""
        self._allowed.update(digests)

    def find(self, path: str, *, ask: bool) -> Blob | None:
        """The blob of a path below `/v2/`."""
        match = _PATH.fullmatch(path)
        if not match:
            return None
        kind, name, _, digest = match.groups()
        found = self._of_archive(name, digest) if kind == "ck" else self._of_base(digest)
        if found is None and ask and (kind == "ck" or self._is_allowed(digest)):
            found = self._of_peer(path, digest)
        if found and kind == "base" and isinstance(found.source, bytes):
            self._allowed |= contents.below(contents.parsed(found.source))
        return found

    def _of_archive(self, id_: str, digest: str) -> Blob | None:
        record = self._shelf.record(id_)
        if not record:
            return None
        if digest == record["manifest"]:
            return _small(MANIFEST, digest, _bytes(record, digest))
        if digest in record["texts"]:
            return _small("application/octet-stream", digest, _bytes(record, digest))
        if digest == record["digest"]:
            return Blob("application/octet-stream", record["size"], digest, self._shelf.archive(id_))
        return None

    def _of_base(self, digest: str) -> Blob | None:
        path = self._content.path(digest)
        if not path or not self._is_allowed(digest):
            return None
        small = self._content.read(digest)
        manifest = contents.parsed(small) if small else {}
        if small and manifest:
            return _small(contents.media_type(manifest), digest, small)
        return Blob("application/octet-stream", path.stat().st_size, digest, path)

    def _is_allowed(self, digest: str) -> bool:
        """Whether it belongs to the base image of a checkpoint: the store holds other secrets, too."""
        if digest in self._allowed:
            return True
        seen: set[str] = set()
        waiting = [*self._allowed, *(r["base"]["digest"] for r in self._shelf.records() if r["base"].get("digest"))]
        while waiting:
            known = waiting.pop()
            if known in seen:
                continue
            seen.add(known)
            if small := self._content.read(known):
                waiting += contents.below(contents.parsed(small))
        self._allowed |= seen
        return digest in seen

    def _of_peer(self, path: str, digest: str) -> Blob | None:
        answer = self._peers.open(path)
        if answer is None:
            return None
        kind = answer.headers.get("Content-Type", "application/octet-stream")
        size = int(answer.headers["Content-Length"])
        if kind == "application/octet-stream":
            return Blob(kind, size, digest, answer)
        with answer:
            return _small(kind, digest, answer.read())


def _small(media_type: str, digest: str, data: bytes) -> Blob:
    return Blob(media_type, len(data), digest, data)


def texts_of(blobs: dict[str, bytes]) -> Record:
    """Small blobs as they stand in a record: byte for byte, as JSON has no bytes."""
    return {digest: data.decode("latin-1") for digest, data in blobs.items()}


def _bytes(record: Record, digest: str) -> bytes:
    return str(record["texts"][digest]).encode("latin-1")
