"""tar, as far as `kubectl cp` needs it. Importing this module makes it known."""

from __future__ import annotations

import io
import posixpath

from ..files import FileTree
from .commands import Place, Result, command, reason
from .tokens import Unsupported

_FLAGS = set("cxfmv")


@command("tar")
def _tar(args: list[str], stdin: bytes, place: Place) -> Result:
    flags, *rest = args or [""]
    letters = set(flags.lstrip("-"))
    target = place.cwd
    names = []
    while rest:
        word = rest.pop(0)
        if word == "-C":
            target = place.path(rest.pop(0))
        else:
            names.append(word)
    archive, names = (names[0], names[1:]) if names else ("", [])
    if letters - _FLAGS or "f" not in letters or archive != "-" or len(letters & set("cx")) != 1:
        raise Unsupported(f"tar {' '.join(args)}")
    return _packed(place, names) if "c" in letters else _unpacked(place.files, target, stdin)


def _packed(place: Place, names: list[str]) -> Result:
    import tarfile  # late: few sandboxes need it, and each starts without it more quickly

    out, result = io.BytesIO(), Result()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name in names:
            path = place.path(name)
            found = [p for p in sorted(place.files.paths()) if p == path or p.startswith(path.rstrip("/") + "/")]
            if not found and not place.files.is_dir(path):
                return Result(2, err=f"tar: {name}: Cannot stat: No such file or directory\n".encode())
            for each in found:
                data = place.files.read(each)
                member = tarfile.TarInfo(each.lstrip("/") if name.startswith("/") else name + each[len(path) :])
                member.size, member.mtime = len(data), place.now // 10**9
                archive.addfile(member, io.BytesIO(data))
    result.out = out.getvalue()
    return result


def _unpacked(files: FileTree, target: str, data: bytes) -> Result:
    import tarfile

    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            for member in archive:
                path = posixpath.normpath(posixpath.join(target, member.name))
                if member.isdir():
                    files.make_dir(path)
                elif member.isfile():
                    content = archive.extractfile(member)
                    files.make_dir(posixpath.dirname(path))
                    files.write(path, content.read() if content else b"")
                else:
                    return Result(2, err=f"emulated tar: {member.name}: only files and directories\n".encode())
    except tarfile.TarError as error:
        return Result(2, err=f"tar: {error}\n".encode())
    except OSError as error:
        return Result(2, err=f"tar: {error}: Cannot open: {reason(error)}\n".encode())
    return Result()
