"""containerd's content store on the node, read only: the base images of checkpoints, and of nothing else.

containerd 2.1 pulls the base image again at a restore, even where it is present, anonymously and without the node's
mirrors (measured). So the agent offers it under a name of its own; the runtime then asks for one manifest and finds
the rest on the node. It is also where another node's agent gets a base image that its node lacks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LARGEST_MANIFEST = 4 << 20
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Content:
    """The blobs below a folder `blobs/sha256`."""

    def __init__(self, root: Path) -> None:
        self._blobs = root / "blobs" / "sha256"

    def path(self, digest: str) -> Path | None:
        """The file of a blob, or None where the node does not have it."""
        if not DIGEST.fullmatch(digest):
            return None
        found = self._blobs / digest.removeprefix("sha256:")
        return found if found.is_file() else None

    def manifest_of(self, reference: str) -> str | None:
        """The digest of the manifest or index that a reference of a base image stands for, if the image is here whole.

        `name@sha256:...` has it; a bare `sha256:...` is the digest of the image's config, as containerd refers to an
        image that was imported: then the manifest with that config is looked for.
        """
        digest = reference.rpartition("@")[2]
        if not DIGEST.fullmatch(digest):
            return None
        if "@" not in reference:
            digest = next((name for name, known in self._manifests() if _config_of(known) == digest), "")
        return digest if self._is_whole(digest) else None

    def _is_whole(self, digest: str) -> bool:
        """Whether it is here with all that is below it; of an index, one of its images is enough: others are of other
        platforms. A runtime may be told to discard layers once they are unpacked."""
        data = self.read(digest)
        manifest = parsed(data) if data else {}
        if "manifests" in manifest:
            return any(self._is_whole(each) for each in below(manifest))
        return bool(manifest) and all(self.path(each) for each in below(manifest))

    def read(self, digest: str) -> bytes | None:
        """A small blob."""
        path = self.path(digest)
        return path.read_bytes() if path and path.stat().st_size <= _LARGEST_MANIFEST else None

    def _manifests(self) -> Iterator[tuple[str, dict[str, Any]]]:
        for path in self._blobs.iterdir() if self._blobs.is_dir() else ():
            if path.stat().st_size <= _LARGEST_MANIFEST and (known := _manifest_in(path)):
                yield f"sha256:{path.name}", known


def _manifest_in(path: Path) -> dict[str, Any]:
    with path.open("rb") as blob:
        first = blob.read(1)
        return parsed(first + blob.read()) if first == b"{" else {}


def parsed(data: bytes) -> dict[str, Any]:
    """A blob as a manifest or an index; empty for what is none."""
    try:
        known = json.loads(data)
    except ValueError:
        return {}
    return known if isinstance(known, dict) and ("layers" in known or "manifests" in known) else {}


def below(manifest: dict[str, Any]) -> set[str]:
    """The digests that a manifest or an index names."""
    named = [manifest.get("config"), *(manifest.get("layers") or []), *(manifest.get("manifests") or [])]
    return {str(each["digest"]) for each in named if isinstance(each, dict) and "digest" in each}


def media_type(manifest: dict[str, Any]) -> str:
    """What it says that it is; an OCI manifest need not say so."""
    return str(manifest.get("mediaType") or (_INDEX if "manifests" in manifest else _MANIFEST))


def _config_of(manifest: dict[str, Any]) -> str:
    return str((manifest.get("config") or {}).get("digest", ""))
