"""A checkpoint archive as the kubelet writes it: whether it is whole, and what it says of itself.

A runtime that restores from an archive with a hole in it gives no error: the pod stays ContainerCreating (measured).
"""

from __future__ import annotations

import hashlib
import json
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from . import criu

CONFIG, SPEC, STATUS = "config.dump", "spec.dump", "status.dump"
IMAGES = "checkpoint/"
CRIO = "io.kubernetes.cri-o."
"""How annotations begin that CRI-O gives a container; its archives have no `status.dump` (its `exportCheckpoint`)."""
_CRIO_OWN = ("/dev/shm", "/etc/resolv.conf", "/etc/hostname", "/etc/passwd", "/etc/group", "/run/.containerenv")  # noqa: S108
_CRIO_FOLDERS = ("/proc", "/sys", "/run/secrets")
"""What CRI-O mounts by itself, and does not look for at a restore."""
_BLOCK = 512
_LARGEST_IMAGE = 64 << 20
"""Bytes; descriptions of processes are small, and whatever is larger is not read into memory."""


class BrokenArchiveError(Exception):
    """The archive cannot be restored from; the text says why."""


@dataclass(frozen=True)
class Findings:
    """What an archive is: its bytes and their digest, and what CRIU and the runtime wrote into it."""

    size: int
    digest: str
    config: dict[str, Any]
    spec: dict[str, Any]
    status: dict[str, Any]
    files: tuple[criu.OpenFile, ...]
    sockets: tuple[criu.Socket, ...]

    def shown(self) -> dict[str, Any]:
        """What a restore has to know of it, as JSON."""
        mounts = [{"path": m.get("destination", ""), "type": m.get("type", "")} for m in self.spec.get("mounts") or []]
        return {
            "size": self.size,
            "digest": self.digest,
            "checkpointed": self.config.get("checkpointedTime"),
            "runtime": self.config.get("runtime"),
            "mounts": mounts,
            "volumes": self._volumes(),
            "files": [asdict(file) for file in self.files],
            "sockets": [asdict(socket) for socket in self.sockets],
        }

    @property
    def pod_uid(self) -> str:
        """The UID of the pod that it is of."""
        known = (self.spec.get("annotations") or {}) | (self.status.get("labels") or {})
        return str(known.get("io.kubernetes.pod.uid", ""))

    def _volumes(self) -> list[str]:
        """Where the kubelet had something mounted."""
        if self.status:
            return [m.get("container_path", "") for m in self.status.get("mounts") or []]
        bound = [str(m.get("destination", "")) for m in self.spec.get("mounts") or [] if m.get("type") == "bind"]
        return [path for path in bound if path not in _CRIO_OWN and not path.startswith(_CRIO_FOLDERS)]


def examine(path: Path) -> Findings:
    """Reads the whole archive once for its digest, and its index for what is in it. Raises BrokenArchiveError."""
    size = path.stat().st_size
    digest = _digest(path)
    try:
        with tarfile.open(path, "r:") as archive:
            members = {member.name.removeprefix("./"): member for member in archive}
            _end_is_there(path, size, max((m.offset_data + _padded(m.size) for m in members.values()), default=0))
            return _read(archive, members, size, digest)
    except tarfile.TarError as broken:
        raise BrokenArchiveError(f"the archive is cut off or no tar file ({broken}); it has {size} bytes") from None


def _read(archive: tarfile.TarFile, members: dict[str, tarfile.TarInfo], size: int, digest: str) -> Findings:
    def content(name: str) -> bytes:
        found = archive.extractfile(members[name])
        return found.read(_LARGEST_IMAGE) if found else b""

    texts = _dumps({name: content(name) for name in (CONFIG, SPEC, STATUS) if name in members})
    needed = [CONFIG, SPEC, *([] if _is_of_crio(texts[SPEC]) else [STATUS]), f"{IMAGES}inventory.img"]
    missing = [name for name in needed if name not in members]
    if not any(name.startswith(f"{IMAGES}pages-") for name in members):
        missing.append(f"{IMAGES}pages-*.img")
    if missing:
        raise BrokenArchiveError(f"the archive lacks {', '.join(missing)}")
    name = ""
    try:
        for name in sorted(members):
            if name.startswith(f"{IMAGES}pagemap-"):
                _pages_are_whole(content(name), members)
        name = f"{IMAGES}files.img"
        files, sockets = criu.open_files(content(name)) if name in members else ([], [])
    except criu.BrokenImageError as broken:
        raise BrokenArchiveError(f"{name} in the archive is broken: {broken}") from None
    return Findings(size, digest, texts[CONFIG], texts[SPEC], texts[STATUS], tuple(files), tuple(sockets))


def _dumps(contents: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    """What the runtime wrote; empty for what is not there."""
    found: dict[str, dict[str, Any]] = {CONFIG: {}, SPEC: {}, STATUS: {}}
    for name, content in contents.items():
        try:
            found[name] = dict(json.loads(content))
        except (ValueError, TypeError):
            raise BrokenArchiveError(f"{name} in the archive is no JSON") from None
    return found


def _is_of_crio(spec: dict[str, Any]) -> bool:
    return any(name.startswith(CRIO) for name in spec.get("annotations") or {})


def _pages_are_whole(pagemap: bytes, members: dict[str, tarfile.TarInfo]) -> None:
    number, wanted = criu.pages(pagemap)
    pages = members.get(f"{IMAGES}pages-{number}.img")
    there = pages.size if pages else 0
    if there < wanted:
        raise criu.BrokenImageError(f"it needs {wanted} bytes of pages-{number}.img, and there are {there}")


def _end_is_there(path: Path, size: int, end: int) -> None:
    """A tar file ends with two blocks of zeros; one that was cut between two files has none."""
    with path.open("rb") as archive:
        archive.seek(end)
        if size < end + _BLOCK or archive.read(_BLOCK).strip(b"\0"):
            raise BrokenArchiveError(f"the archive is cut off: it has {size} bytes and no end")


def _padded(size: int) -> int:
    return (size + _BLOCK - 1) // _BLOCK * _BLOCK


def _digest(path: Path) -> str:
    with path.open("rb") as archive:
        return f"sha256:{hashlib.file_digest(archive, 'sha256').hexdigest()}"
