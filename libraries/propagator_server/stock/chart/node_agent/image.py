"""An archive as an OCI image: the archive itself is the layer, so that nothing is copied.

A runtime knows a checkpoint image by an annotation on the blob that the image's name points to (measured on containerd
2.1.9: the manifest; CRI-O's name for it is another one). Where the base image's reference has to be another one than
the archive says, a second, tiny layer holds the changed `config.dump`.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import Any

from .archives import CONFIG, Findings

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
ANNOTATIONS = ("org.criu.checkpoint.container.name", "io.kubernetes.cri-o.annotations.checkpoint.name")


@dataclass(frozen=True)
class Image:
    """The manifest, and the blobs by their digests; the archive is a blob of its own."""

    manifest: bytes
    blobs: dict[str, bytes] = field(repr=False)

    @property
    def digest(self) -> str:
        """The manifest's."""
        return digest_of(self.manifest)


def build(found: Findings, container: str, architecture: str, base: str | None = None) -> Image:
    """The image of an archive. `base`: the reference by which the runtime is to ask for the base image."""
    layers = [{"mediaType": _LAYER, "digest": found.digest, "size": found.size}]
    blobs: dict[str, bytes] = {}
    if base:
        changed = _tar(CONFIG, json.dumps({**found.config, "rootfsImageRef": base}).encode())
        blobs[digest_of(changed)] = changed
        layers.append({"mediaType": _LAYER, "digest": digest_of(changed), "size": len(changed)})
    config = _json(
        {
            "architecture": architecture,
            "os": "linux",
            "config": {},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"] for layer in layers]},
        }
    )
    blobs[digest_of(config)] = config
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": _CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": layers,
            "annotations": dict.fromkeys(ANNOTATIONS, container),
        }
    )
    return Image(manifest, blobs)


def digest_of(data: bytes) -> str:
    """The digest of a blob."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _tar(name: str, data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o600
        archive.addfile(member, io.BytesIO(data))
    return out.getvalue()
