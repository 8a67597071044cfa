"""A container's file tree: the image's files, a writable layer over them, and mounted volumes."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

_DIRECTORIES = ("/", "/bin", "/dev", "/etc", "/home", "/proc", "/root", "/run", "/srv", "/tmp", "/usr/bin", "/var/log")  # noqa: S108


@dataclass
class Volume:
    """Files of one volume by path relative to its root, shared by all that mount it."""

    files: dict[str, bytes] = field(default_factory=dict)
    read_only: bool = False
    modes: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Mount:
    """Where a volume (or one path in it) shows in a container."""

    path: str
    volume: Volume
    sub_path: str = ""
    read_only: bool = False

    @property
    def fixed(self) -> bool:
        """Whether nothing can be written there."""
        return self.read_only or self.volume.read_only


class FileTree:
    """Files by absolute path. A directory exists when something is below it or when it was made.

    `read_only` holds for all that is not in a volume, /dev apart (readOnlyRootFilesystem). `handles` are files that a
    process has open: by number the path or, where that was taken away, what the file holds.
    """

    def __init__(self, image: Mapping[str, bytes], mounts: tuple[Mount, ...] = (), *, read_only: bool = False) -> None:
        self.image = image
        self.read_only = read_only
        self.mounts = tuple(sorted(mounts, key=lambda mount: -len(mount.path)))
        self.layer: dict[str, bytes | None] = {}
        self.made: set[str] = set(_DIRECTORIES)
        self.modes: dict[str, int] = {}
        self.handles: dict[int, str | bytes] = {}

    def read(self, path: str) -> bytes:
        """Contents of a file. Raises FileNotFoundError and IsADirectoryError."""
        found = self._find(path)
        if found is not None:
            return found
        if self.is_dir(path):
            raise IsADirectoryError(path)
        raise FileNotFoundError(path)

    def write(self, path: str, data: bytes, *, append: bool = False) -> None:
        """Writes a file. Raises IsADirectoryError, FileNotFoundError (no directory), PermissionError (read-only)."""
        if self.is_dir(path):
            raise IsADirectoryError(path)
        if not self.is_dir(posixpath.dirname(path)):
            raise FileNotFoundError(path)
        if append:
            data = (self._find(path) or b"") + data
        mount = self._writable(path)
        if mount is None:
            self.layer[path] = data
        else:
            mount.volume.files[_inside(mount, path)] = data

    def remove(self, path: str) -> None:
        """Removes a file, or a directory with all that is in it. Raises FileNotFoundError and PermissionError."""
        below = [path, *(p for p in self.paths() if p.startswith(path.rstrip("/") + "/"))]
        known = [p for p in below if self._find(p) is not None]
        if not known and path not in self.made:
            raise FileNotFoundError(path)
        for each in known:
            self._remove_file(each)
        self.made = {p for p in self.made if p != path and not p.startswith(path.rstrip("/") + "/")}

    def mode(self, path: str) -> int:
        """The permission bits. Raises FileNotFoundError."""
        if not self.exists(path):
            raise FileNotFoundError(path)
        mount = self._mount(path)
        known = self.modes.get(path) if mount is None else mount.volume.modes.get(_inside(mount, path))
        return known if known is not None else 0o755 if self.is_dir(path) else 0o644

    def set_mode(self, path: str, mode: int) -> None:
        """Changes the permission bits, which forbid nothing. Raises FileNotFoundError and PermissionError."""
        if not self.exists(path):
            raise FileNotFoundError(path)
        mount = self._writable(path)
        if mount is None:
            self.modes[path] = mode
        else:
            mount.volume.modes[_inside(mount, path)] = mode

    def open(self, path: str) -> int:
        """A number by which the file is read and written also when its name is gone. Raises FileNotFoundError."""
        self.read(path)
        number = max(self.handles, default=0) + 1
        self.handles[number] = path
        return number

    def content(self, handle: int) -> bytes:
        """What an open file holds."""
        held = self.handles[handle]
        return self.read(held) if isinstance(held, str) else held

    def put(self, handle: int, data: bytes) -> None:
        """What an open file holds from now on."""
        held = self.handles[handle]
        if isinstance(held, str):
            self.write(held, data)
        else:
            self.handles[handle] = data

    def make_dir(self, path: str) -> None:
        """Makes a directory and those above it. Raises PermissionError."""
        self._writable(path)
        while path not in self.made:
            self.made.add(path)
            path = posixpath.dirname(path)

    def exists(self, path: str) -> bool:
        """Whether there is a file or directory."""
        return self._find(path) is not None or self.is_dir(path)

    def is_dir(self, path: str) -> bool:
        """Whether the path is a directory."""
        if path in self.made or any(mount.path == path and not _is_file(mount) for mount in self.mounts):
            return True
        prefix = path.rstrip("/") + "/"
        return any(p.startswith(prefix) for p in self.paths())

    def names(self, path: str) -> list[str]:
        """What `ls` shows of a directory, sorted."""
        prefix = path.rstrip("/") + "/"
        below = [p for p in (*self.paths(), *self.made, *(m.path for m in self.mounts)) if p.startswith(prefix)]
        return sorted({p[len(prefix) :].split("/", 1)[0] for p in below} - {""})

    def paths(self) -> Iterator[str]:
        """Every file."""
        for path in self.image:
            if path not in self.layer and self._mount(path) is None:
                yield path
        yield from (path for path, data in self.layer.items() if data is not None and self._mount(path) is None)
        for mount in self.mounts:
            yield from _shown(mount)

    def _find(self, path: str) -> bytes | None:
        mount = self._mount(path)
        if mount is not None:
            return mount.volume.files.get(_inside(mount, path))
        return self.layer[path] if path in self.layer else self.image.get(path)

    def _mount(self, path: str) -> Mount | None:
        return next((m for m in self.mounts if path == m.path or path.startswith(m.path.rstrip("/") + "/")), None)

    def _remove_file(self, path: str) -> None:
        mount = self._writable(path)
        for number, held in self.handles.items():
            if held == path:
                self.handles[number] = self.read(path)
        if mount is None:
            self.layer[path] = None
            self.modes.pop(path, None)
        else:
            mount.volume.files.pop(_inside(mount, path), None)
            mount.volume.modes.pop(_inside(mount, path), None)

    def _writable(self, path: str) -> Mount | None:
        """The mount that a path is in, if any. Raises PermissionError where nothing may be written."""
        mount = self._mount(path)
        fixed = self.read_only and not path.startswith("/dev/") if mount is None else mount.fixed
        if fixed:
            raise PermissionError(path)
        return mount


def _inside(mount: Mount, path: str) -> str:
    below = path[len(mount.path.rstrip("/")) :].strip("/")
    return "/".join(part for part in (mount.sub_path.strip("/"), below) if part)


def _is_file(mount: Mount) -> bool:
    return bool(mount.sub_path) and mount.sub_path.strip("/") in mount.volume.files


def _shown(mount: Mount) -> Iterator[str]:
    sub = mount.sub_path.strip("/")
    for path in mount.volume.files:
        if path == sub:
            yield mount.path
        elif not sub:
            yield f"{mount.path.rstrip('/')}/{path}"
        elif path.startswith(sub + "/"):
            yield f"{mount.path.rstrip('/')}/{path[len(sub) + 1 :]}"
