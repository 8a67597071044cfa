"""The emulated commands that read text and write text. Importing this module makes them known."""

from __future__ import annotations

import hashlib
import secrets

from .commands import Place, Result, command, escaped, read_input
from .tokens import Unsupported


@command("sha256sum")
def _sha256sum(args: list[str], stdin: bytes, place: Place) -> Result:
    result = Result()
    for name in args or ["-"]:
        data, error = read_input(name, stdin, place)
        if error:
            result.status = 1
            result.err += f"sha256sum: {error}\n".encode()
        else:
            result.out += f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode()
    return result


@command("cut")
def _cut(args: list[str], stdin: bytes, _place: Place) -> Result:
    options = _options(args)
    spec = options.get("-c") or options.get("-f") or options.get("-b")
    if spec is None:
        raise Unsupported(f"cut {' '.join(args)}")
    first, dash, last = spec.partition("-")
    begin, end = int(first or 1) - 1, (int(last) if last else None) if dash else int(first)
    lines = stdin.decode(errors="replace").splitlines()
    if "-f" in options:
        mark = options.get("-d", "\t")
        lines = [mark.join(line.split(mark)[begin:end]) for line in lines]
    else:
        lines = [line[begin:end] for line in lines]
    return Result(out="".join(line + "\n" for line in lines).encode())


def _options(args: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    rest = list(args)
    while rest:
        arg = rest.pop(0)
        if arg.startswith("-") and len(arg) > 2:
            found[arg[:2]] = arg[2:]
        elif arg.startswith("-") and rest:
            found[arg] = rest.pop(0)
    return found


@command("tr")
def _tr(args: list[str], stdin: bytes, _place: Place) -> Result:
    text = stdin.decode(errors="replace")
    if len(args) == 2 and args[0] == "-d":
        dropped = _range(args[1])
        return Result(out="".join(c for c in text if c not in dropped).encode())
    if len(args) == 2 and not args[0].startswith("-"):
        old, new = _range(args[0]), _range(args[1])
        table = {ord(c): new[min(i, len(new) - 1)] for i, c in enumerate(old)}
        return Result(out=text.translate(table).encode())
    raise Unsupported(f"tr {' '.join(args)}")


def _range(text: str) -> str:
    text = escaped(text)
    out, at = "", 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            out += "".join(map(chr, range(ord(text[at]), ord(text[at + 2]) + 1)))
            at += 3
        else:
            out += text[at]
            at += 1
    return out


@command("od")
def _od(args: list[str], stdin: bytes, place: Place) -> Result:
    options = _options([a for a in args if a != "-v"])
    if options.get("-t") != "x1" or options.get("-A") != "n":
        raise Unsupported(f"od {' '.join(args)}")
    count = int(options.get("-N", "0"))
    data = secrets.token_bytes(count) if args[-1] == "/dev/urandom" else read_input(args[-1], stdin, place)[0][:count]
    return Result(out=("".join(f" {byte:02x}" for byte in data) + "\n").encode())


@command("head")
def _head(args: list[str], stdin: bytes, place: Place) -> Result:
    options = _options([a for a in args if a.startswith("-")] + [a for a in args if a.isdigit()])
    names = [a for a in args if not a.startswith("-") and not a.isdigit()]
    if "/dev/urandom" in names:
        return Result(out=secrets.token_bytes(int(options.get("-c", "0"))))
    data, error = read_input(names[0] if names else "-", stdin, place)
    if error:
        return Result(1, err=f"head: {error}\n".encode())
    if "-c" in options:
        return Result(out=data[: int(options["-c"])])
    count = int(options.get("-n", next((a[1:] for a in args if a[1:].isdigit()), "10")))
    return Result(out=b"".join(data.splitlines(keepends=True)[:count]))


@command("tail")
def _tail(args: list[str], stdin: bytes, place: Place) -> Result:
    names = [a for a in args if not a.startswith("-") and not a.isdigit()]
    data, error = read_input(names[0] if names else "-", stdin, place)
    if error:
        return Result(1, err=f"tail: {error}\n".encode())
    count = next((int(a.lstrip("-n")) for a in args if a.lstrip("-n").isdigit()), 10)
    return Result(out=b"".join(data.splitlines(keepends=True)[-count:]) if count else b"")


@command("wc")
def _wc(args: list[str], stdin: bytes, place: Place) -> Result:
    names = [a for a in args if not a.startswith("-")]
    data, error = read_input(names[0] if names else "-", stdin, place)
    if error:
        return Result(1, err=f"wc: {error}\n".encode())
    counted = {"-c": len(data), "-l": data.count(b"\n"), "-w": len(data.split())}
    flag = next((a for a in args if a in counted), None)
    if flag is None:
        raise Unsupported("wc without -c, -l or -w")
    return Result(out=(f"{counted[flag]}" + (f" {names[0]}" if names else "") + "\n").encode())


@command("seq")
def _seq(args: list[str], _stdin: bytes, _place: Place) -> Result:
    numbers = [int(a) for a in args if a.lstrip("-").isdigit()]
    first, step, last = {1: (1, 1, numbers[-1:]), 2: (numbers[0], 1, numbers[1:])}.get(
        len(numbers), (numbers[0], numbers[1] if len(numbers) > 1 else 1, numbers[2:])
    )
    return Result(out="".join(f"{n}\n" for n in range(first, last[0] + 1, step)).encode())
