"""Checkpoint archives in the layout that containerd writes, of emulated containers."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..runtime import Container, ContainerSnapshot
from ..runtime.http import listening
from ..runtime.logs import SECOND, Line, rfc3339_nano
from .criu_images import images
from .memories import ForeignMemoryError, frozen, thawed

Object = dict[str, Any]
_WHITEOUT = ".wh."


@dataclass(frozen=True)
class Source:
    """What an archive is of: a container of a pod, its state at the cut (`at`, ns), and its spec."""

    pod: Object
    spec: Object
    container: Container
    snapshot: ContainerSnapshot
    at: int


@dataclass(frozen=True)
class Restorable:
    """What an archive gives back: the state at the cut, and the base image by name and reference."""

    snapshot: ContainerSnapshot
    at: int
    base: str
    base_reference: str


class BrokenArchiveError(Exception):
    """The runtime cannot restore from it. `at_create`: it says so when the container is created, else at its start."""

    def __init__(self, message: str, *, at_create: bool) -> None:
        super().__init__(message)
        self.at_create = at_create


def written(source: Source) -> bytes:
    """The archive."""
    files = {f"checkpoint/{name}": data for name, data in _images(source).items()}
    files |= {
        "config.dump": _json(_config(source)),
        "spec.dump": _json(_spec(source)),
        "status.dump": _json(_status(source)),
        "status": _json({"Pid": 1, "StartedAt": rfc3339_nano(source.container.started_at)}),
        "container.log": b"".join(map(_log_line, source.snapshot.log)),
        "dump.log": b"(00.000000) emulated: no CRIU ran\n",
        "stats-dump": b"",
        "rootfs-diff.tar": gzip.compress(_tar(_layer(source.snapshot)), mtime=0),
    }
    return _tar(files)


def read(files: Mapping[str, bytes]) -> Restorable:
    """What can be restored from the files of an archive. Raises BrokenArchiveError."""
    for name in ("spec.dump", "config.dump", "status.dump"):
        if name not in files:
            raise BrokenArchiveError(
                f'failed to read "{name}": open /tmp/checkpoint/{name}: no such file or directory', at_create=True
            )
    config = json.loads(files["config.dump"])
    if "checkpoint/inventory.img" not in files or "checkpoint/pages-1.img" not in files:
        raise BrokenArchiveError("", at_create=False)
    try:
        snapshot, at = thawed(files["checkpoint/pages-1.img"])
    except ForeignMemoryError:
        raise BrokenArchiveError("", at_create=False) from None
    layer = _layer_of(files["rootfs-diff.tar"]) if "rootfs-diff.tar" in files else {}
    log = tuple(_line_of(text) for text in files.get("container.log", b"").splitlines())
    return Restorable(replace(snapshot, log=log, layer=layer), at, config["rootfsImageName"], config["rootfsImageRef"])


def files_of(archive: bytes) -> dict[str, bytes]:
    """The files of a tar archive. Raises tarfile.TarError."""
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:") as opened:
        found = {member.name: opened.extractfile(member) for member in opened if member.isfile()}
        return {name: file.read() for name, file in found.items() if file}


def _images(source: Source) -> dict[str, bytes]:
    memory = replace(source.snapshot, log=(), layer={})
    return images(frozen((memory, source.at)), listening(source.container))


def _config(source: Source) -> Object:
    metadata, container = source.pod["metadata"], source.container
    name = f"{container.name}_{metadata['name']}_{metadata['namespace']}_{metadata['uid']}_{container.attempt}"
    return {
        "id": container.id,
        "name": name,
        "rootfsImage": container.image.reference,
        "rootfsImageRef": container.image.image_id,
        "rootfsImageName": container.image.reference,
        "runtime": "io.containerd.runc.v2",
        "createdTime": rfc3339_nano(container.started_at),
        "checkpointedTime": rfc3339_nano(source.at),
        "restoredTime": "0001-01-01T00:00:00Z",
        "restored": False,
    }


def _spec(source: Source) -> Object:
    place = source.snapshot
    mounts = [{"destination": path, "type": "bind"} for path in sorted(place.mounts)]
    return {
        "ociVersion": "1.2.1",
        "process": {
            "args": list(place.command),
            "env": [f"{key}={value}" for key, value in place.env.items()],
            "cwd": source.container.setup.cwd,
            "user": {"uid": source.container.setup.surroundings.user.uid, "gid": 0},
        },
        "hostname": place.hostname,
        "mounts": [{"destination": "/proc", "type": "proc"}, *mounts],
    }


def _status(source: Source) -> Object:
    metadata, container = source.pod["metadata"], source.container
    etc = ["/etc/hosts", "/dev/termination-log"]
    return {
        "id": container.id,
        "metadata": {"name": container.name, "attempt": container.attempt},
        "state": 1,
        "created_at": container.started_at,
        "started_at": container.started_at,
        "image": {"image": container.image.reference, "user_specified_image": source.spec["image"]},
        "image_ref": container.image.image_id,
        "labels": {
            "io.kubernetes.container.name": container.name,
            "io.kubernetes.pod.name": metadata["name"],
            "io.kubernetes.pod.namespace": metadata["namespace"],
            "io.kubernetes.pod.uid": metadata["uid"],
        },
        "annotations": {"io.kubernetes.container.restartCount": str(container.attempt)},
        "mounts": [{"container_path": path} for path in [*sorted(source.snapshot.mounts), *etc]],
    }


def _log_line(line: Line) -> bytes:
    return f"{rfc3339_nano(line.at)} {line.stream} F ".encode() + line.text + b"\n"


def _line_of(text: bytes) -> Line:
    at, stream, _, line = text.split(b" ", 3)
    seconds, _, nanos = at.decode().rstrip("Z").partition(".")
    return Line(_seconds(seconds) * SECOND + int(nanos), stream.decode(), line)


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def _layer(snapshot: ContainerSnapshot) -> dict[str, bytes]:
    """The writable layer; a file of the image that is gone stands as a whiteout."""
    found = {}
    for path, data in snapshot.layer.items():
        folder, _, name = path.lstrip("/").rpartition("/")
        shown = f"{_WHITEOUT}{name}" if data is None else name
        found[f"{folder}/{shown}".lstrip("/")] = data or b""
    return found


def _layer_of(packed: bytes) -> dict[str, bytes | None]:
    found: dict[str, bytes | None] = {}
    for path, data in files_of(gzip.decompress(packed)).items():
        folder, _, name = f"/{path}".rpartition("/")
        gone = name.startswith(_WHITEOUT)
        found[f"{folder}/{name.removeprefix(_WHITEOUT)}"] = None if gone else data
    return found


def _tar(files: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            archive.addfile(member, io.BytesIO(data))
    return out.getvalue()


def _json(value: Object) -> bytes:
    return json.dumps(value).encode()
