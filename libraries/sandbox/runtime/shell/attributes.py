"""Commands for what a file has besides its content: chmod, chown, stat. Importing this module makes them known."""

from __future__ import annotations

import re
from collections.abc import Callable

from .commands import Place, Result, command, reason
from .tokens import Unsupported

_SYMBOLIC = re.compile(r"([ugoa]*)([+=-])([rwx]*)")
_BITS = {"r": 4, "w": 2, "x": 1}
_PLACES = {"u": (6,), "g": (3,), "o": (0,), "a": (6, 3, 0), "": (6, 3, 0)}


@command("chmod")
def _chmod(args: list[str], _stdin: bytes, place: Place) -> Result:
    given = [each for each in args if not re.fullmatch(r"-[Rvcf]+", each)]

    def change(path: str) -> None:
        place.files.set_mode(path, _changed(place.files.mode(path), given[0]))

    return _each("chmod", given[1:], place, change)


@command("chown")
def _chown(args: list[str], _stdin: bytes, place: Place) -> Result:
    # The file tree has no owners: nothing but the files' being there is left to look at.
    return _each("chown", [each for each in args if not each.startswith("-")][1:], place, place.files.mode)


@command("stat")
def _stat(args: list[str], _stdin: bytes, place: Place) -> Result:
    if len(args) < 3 or args[0] != "-c" or set(re.findall("%(.)", args[1])) - set("ans"):
        raise Unsupported(f"stat {' '.join(args)}")
    shown: list[str] = []

    def show(path: str) -> None:
        size = 4096 if place.files.is_dir(path) else len(place.files.read(path))
        facts = {"%a": f"{place.files.mode(path):o}", "%s": str(size), "%n": path}
        shown.append(re.sub("%.", lambda match: facts[match[0]], args[1]))

    result = _each("stat", args[2:], place, show)
    result.out = "".join(f"{line}\n" for line in shown).encode()
    return result


def _each(name: str, files: list[str], place: Place, act: Callable[[str], object]) -> Result:
    result = Result()
    for each in files:
        try:
            act(place.path(each))
        except OSError as error:
            result.status = 1
            result.err += f"{name}: {each}: {reason(error)}\n".encode()
    return result


def _changed(mode: int, asked: str) -> int:
    if re.fullmatch("[0-7]+", asked):
        return int(asked, 8)
    for part in asked.split(","):
        match = _SYMBOLIC.fullmatch(part)
        if not match:
            raise Unsupported(f"chmod {asked}")
        for shift in (shift for who in match[1] or "a" for shift in _PLACES[who]):
            bits = sum(_BITS[each] for each in set(match[3])) << shift
            mode = {"+": mode | bits, "-": mode & ~bits, "=": mode & ~(7 << shift) | bits}[match[2]]
    return mode
