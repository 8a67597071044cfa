"""The commands that emulated containers know: each a function of its arguments, its input and where it runs."""

from __future__ import annotations

import hashlib
import posixpath
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from ..files import FileTree
from .tokens import Unsupported

SECOND = 1_000_000_000


@dataclass
class Place:
    """Where a command runs: the container's files, host name, environment, directory, and the time (ns since the epoch)."""

    files: FileTree
    hostname: str
    env: dict[str, str]
    now: int = 0
    cwd: str = "/"

    def path(self, name: str) -> str:
        """The absolute path of a name."""
        path = posixpath.normpath(posixpath.join(self.cwd, name))
        return path[1:] if path.startswith("//") else path


@dataclass
class Result:
    """What a command did: its exit status and output."""

    status: int = 0
    out: bytes = b""
    err: bytes = b""


Command = Callable[[list[str], bytes, Place], Result]
COMMANDS: dict[str, Command] = {}
_PATHS = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/")


def find(name: str) -> Command | None:
    """The command of this name, bare or with the path of a usual directory."""
    for prefix in _PATHS:
        if name.startswith(prefix):
            name = name[len(prefix) :]
            break
    return COMMANDS.get(name)


def _command(*names: str) -> Callable[[Command], Command]:
    def register(command: Command) -> Command:
        COMMANDS.update(dict.fromkeys(names, command))
        return command

    return register


def _refuse(what: str) -> Unsupported:
    return Unsupported(what)


@_command("true", ":", "trap", "set", "wait", "chmod", "chown", "sync", "umask")
def _true(_args: list[str], _stdin: bytes, _place: Place) -> Result:
    return Result()


@_command("false")
def _false(_args: list[str], _stdin: bytes, _place: Place) -> Result:
    return Result(1)


@_command("echo")
def _echo(args: list[str], _stdin: bytes, _place: Place) -> Result:
    end = "\n"
    if args and args[0] == "-n":
        end, args = "", args[1:]
    elif args and args[0] == "-e":
        return Result(out=_escaped(" ".join(args[1:])).encode() + b"\n")
    return Result(out=(" ".join(args) + end).encode())


@_command("printf")
def _printf(args: list[str], _stdin: bytes, _place: Place) -> Result:
    if not args:
        return Result(2, err=b"printf: usage: printf format [arguments]\n")
    if args[0] == "--":
        args = args[1:]
    template, values = args[0], args[1:]
    out = ""
    while True:
        text, used = _format(template, values)
        out, values = out + text, values[used:]
        if not values or not used:
            return Result(out=out.encode())


def _format(template: str, values: list[str]) -> tuple[str, int]:
    out, used, at = "", 0, 0
    while at < len(template):
        char = template[at]
        if char == "%":
            end = at + 1
            while end < len(template) and template[end] in "0123456789.-+ ":
                end += 1
            kind = template[end : end + 1]
            if kind == "%":
                out += "%"
            elif kind in ("s", "d", "i", "x", "b"):
                value = values[used] if used < len(values) else ""
                used += 1
                out += _convert(template[at + 1 : end], kind, value)
            else:
                raise _refuse(f"printf %{kind}")
            at = end + 1
        elif char == "\\":
            out += _escaped(template[at : at + 2])
            at += 2
        else:
            out += char
            at += 1
    return out, used


def _convert(flags: str, kind: str, value: str) -> str:
    if kind == "b":
        return _escaped(value)
    if kind == "s":
        return f"%{flags}s" % value
    try:
        return f"%{flags}{'d' if kind == 'i' else kind}" % int(value or "0", 0)
    except ValueError:
        return f"%{flags}d" % 0


def _escaped(text: str) -> str:
    for mark, char in (("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ("\\0", "\0"), ("\\\\", "\\")):
        text = text.replace(mark, char)
    return text


@_command("cat")
def _cat(args: list[str], stdin: bytes, place: Place) -> Result:
    result = Result()
    for name in [a for a in args if a != "-u"] or ["-"]:
        data, error = _input(name, stdin, place)
        if error:
            result.status = 1
            result.err += f"cat: {error}\n".encode()
        result.out += data
    return result


def _input(name: str, stdin: bytes, place: Place) -> tuple[bytes, str]:
    if name in ("-", "/dev/stdin"):
        return stdin, ""
    if name == "/dev/null":
        return b"", ""
    try:
        return place.files.read(place.path(name)), ""
    except IsADirectoryError:
        return b"", f"{name}: Is a directory"
    except FileNotFoundError:
        return b"", f"{name}: No such file or directory"


@_command("ls")
def _ls(args: list[str], _stdin: bytes, place: Place) -> Result:
    flags = {char for arg in args if arg.startswith("-") for char in arg[1:]}
    if flags - set("1aA"):
        raise _refuse(f"ls -{''.join(sorted(flags - set('1aA')))}")
    names = [arg for arg in args if not arg.startswith("-")] or ["."]
    result = Result()
    for name in names:
        path = place.path(name)
        if place.files.is_dir(path):
            shown = [n for n in place.files.names(path) if flags & set("aA") or not n.startswith(".")]
            heading = f"{name}:\n" if len(names) > 1 else ""
            result.out += (heading + "".join(n + "\n" for n in shown)).encode()
        elif place.files.exists(path):
            result.out += f"{name}\n".encode()
        else:
            result.status = 1
            result.err += f"ls: {name}: No such file or directory\n".encode()
    return result


@_command("env", "printenv")
def _env(args: list[str], _stdin: bytes, place: Place) -> Result:
    if not args:
        return Result(out="".join(f"{k}={v}\n" for k, v in place.env.items()).encode())
    if len(args) == 1 and "=" not in args[0]:
        value = place.env.get(args[0])
        return Result(1) if value is None else Result(out=f"{value}\n".encode())
    raise _refuse("env with a command")


_DATE_NANOS = "%N"


@_command("date")
def _date(args: list[str], _stdin: bytes, place: Place) -> Result:
    form = next((a[1:] for a in args if a.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    if any(not a.startswith("+") and a not in ("-u", "--utc") for a in args):
        raise _refuse(f"date {' '.join(args)}")
    seconds, nanos = divmod(place.now, SECOND)
    form = form.replace(_DATE_NANOS, f"{nanos:09d}").replace("%3N", f"{nanos // 1_000_000:03d}")
    form = form.replace("%s", str(seconds))
    return Result(out=(time.strftime(form, time.gmtime(seconds)) + "\n").encode())


@_command("hostname")
def _hostname(_args: list[str], _stdin: bytes, place: Place) -> Result:
    return Result(out=f"{place.hostname}\n".encode())


@_command("pwd")
def _pwd(_args: list[str], _stdin: bytes, place: Place) -> Result:
    return Result(out=f"{place.cwd}\n".encode())


@_command("id", "whoami")
def _whoami(args: list[str], _stdin: bytes, _place: Place) -> Result:
    if args:
        return Result(out=b"0\n")
    return Result(out=b"uid=0(root) gid=0(root) groups=0(root)\n")


@_command("uname")
def _uname(args: list[str], _stdin: bytes, place: Place) -> Result:
    shown = {"-n": place.hostname, "-m": "x86_64", "-r": "6.1.0-emulated"}
    return Result(out=f"{shown.get(args[0] if args else '', 'Linux')}\n".encode())


@_command("sha256sum")
def _sha256sum(args: list[str], stdin: bytes, place: Place) -> Result:
    result = Result()
    for name in args or ["-"]:
        data, error = _input(name, stdin, place)
        if error:
            result.status = 1
            result.err += f"sha256sum: {error}\n".encode()
        else:
            result.out += f"{hashlib.sha256(data).hexdigest()}  {name}\n".encode()
    return result


@_command("cut")
def _cut(args: list[str], stdin: bytes, _place: Place) -> Result:
    options = _options(args)
    spec = options.get("-c") or options.get("-f") or options.get("-b")
    if spec is None:
        raise _refuse(f"cut {' '.join(args)}")
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


@_command("tr")
def _tr(args: list[str], stdin: bytes, _place: Place) -> Result:
    text = stdin.decode(errors="replace")
    if len(args) == 2 and args[0] == "-d":
        dropped = _range(args[1])
        return Result(out="".join(c for c in text if c not in dropped).encode())
    if len(args) == 2 and not args[0].startswith("-"):
        old, new = _range(args[0]), _range(args[1])
        table = {ord(c): new[min(i, len(new) - 1)] for i, c in enumerate(old)}
        return Result(out=text.translate(table).encode())
    raise _refuse(f"tr {' '.join(args)}")


def _range(text: str) -> str:
    text = _escaped(text)
    out, at = "", 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            out += "".join(map(chr, range(ord(text[at]), ord(text[at + 2]) + 1)))
            at += 3
        else:
            out += text[at]
            at += 1
    return out


@_command("od")
def _od(args: list[str], stdin: bytes, place: Place) -> Result:
    options = _options([a for a in args if a != "-v"])
    if options.get("-t") != "x1" or options.get("-A") != "n":
        raise _refuse(f"od {' '.join(args)}")
    count = int(options.get("-N", "0"))
    data = secrets.token_bytes(count) if args[-1] == "/dev/urandom" else _input(args[-1], stdin, place)[0][:count]
    return Result(out=("".join(f" {byte:02x}" for byte in data) + "\n").encode())


@_command("head")
def _head(args: list[str], stdin: bytes, place: Place) -> Result:
    options = _options([a for a in args if a.startswith("-")] + [a for a in args if a.isdigit()])
    names = [a for a in args if not a.startswith("-") and not a.isdigit()]
    if "/dev/urandom" in names:
        return Result(out=secrets.token_bytes(int(options.get("-c", "0"))))
    data, error = _input(names[0] if names else "-", stdin, place)
    if error:
        return Result(1, err=f"head: {error}\n".encode())
    if "-c" in options:
        return Result(out=data[: int(options["-c"])])
    count = int(options.get("-n", next((a[1:] for a in args if a[1:].isdigit()), "10")))
    return Result(out=b"".join(data.splitlines(keepends=True)[:count]))


@_command("tail")
def _tail(args: list[str], stdin: bytes, place: Place) -> Result:
    names = [a for a in args if not a.startswith("-") and not a.isdigit()]
    data, error = _input(names[0] if names else "-", stdin, place)
    if error:
        return Result(1, err=f"tail: {error}\n".encode())
    count = next((int(a.lstrip("-n")) for a in args if a.lstrip("-n").isdigit()), 10)
    return Result(out=b"".join(data.splitlines(keepends=True)[-count:]) if count else b"")


@_command("wc")
def _wc(args: list[str], stdin: bytes, place: Place) -> Result:
    names = [a for a in args if not a.startswith("-")]
    data, error = _input(names[0] if names else "-", stdin, place)
    if error:
        return Result(1, err=f"wc: {error}\n".encode())
    counted = {"-c": len(data), "-l": data.count(b"\n"), "-w": len(data.split())}
    flag = next((a for a in args if a in counted), None)
    if flag is None:
        raise _refuse("wc without -c, -l or -w")
    return Result(out=(f"{counted[flag]}" + (f" {names[0]}" if names else "") + "\n").encode())


@_command("seq")
def _seq(args: list[str], _stdin: bytes, _place: Place) -> Result:
    numbers = [int(a) for a in args if a.lstrip("-").isdigit()]
    first, step, last = {1: (1, 1, numbers[-1:]), 2: (numbers[0], 1, numbers[1:])}.get(
        len(numbers), (numbers[0], numbers[1] if len(numbers) > 1 else 1, numbers[2:])
    )
    return Result(out="".join(f"{n}\n" for n in range(first, last[0] + 1, step)).encode())


@_command("basename")
def _basename(args: list[str], _stdin: bytes, _place: Place) -> Result:
    return Result(out=(posixpath.basename(args[0]) if args else "").encode() + b"\n")


@dataclass
class _Test:
    place: Place
    args: list[str] = field(default_factory=list)

    def holds(self) -> bool:
        args = self.args
        if args and args[0] == "!":
            return not _Test(self.place, args[1:]).holds()
        if len(args) == 1:
            return bool(args[0])
        if len(args) == 2:
            return self._unary(args[0], args[1])
        if len(args) == 3:
            return _compare(args[0], args[1], args[2])
        raise _refuse(f"test {' '.join(args)}")

    def _unary(self, flag: str, value: str) -> bool:
        files, path = self.place.files, self.place.path(value)
        tests: dict[str, Callable[[], bool]] = {
            "-n": lambda: bool(value),
            "-z": lambda: not value,
            "-e": lambda: files.exists(path),
            "-f": lambda: files.exists(path) and not files.is_dir(path),
            "-r": lambda: files.exists(path),
            "-d": lambda: files.is_dir(path),
            "-s": lambda: files.exists(path) and not files.is_dir(path) and bool(files.read(path)),
        }
        if flag not in tests:
            raise _refuse(f"test {flag}")
        return tests[flag]()


def _compare(left: str, operator: str, right: str) -> bool:
    if operator in ("=", "=="):
        return left == right
    if operator == "!=":
        return left != right
    order = {"-eq": (0,), "-ne": (-1, 1), "-lt": (-1,), "-le": (-1, 0), "-gt": (1,), "-ge": (0, 1)}
    if operator not in order:
        raise _refuse(f"test {operator}")
    a, b = int(left or 0), int(right or 0)
    return (a > b) - (a < b) in order[operator]


@_command("test", "[")
def _test(args: list[str], _stdin: bytes, place: Place) -> Result:
    args = args[:-1] if args[-1:] == ["]"] else args
    return Result(0 if args and _Test(place, args).holds() else 1)


def _each(name: str, act: Callable[[Place, str], None]) -> None:
    def command(args: list[str], _stdin: bytes, place: Place) -> Result:
        result = Result()
        forced = any(a.startswith("-") and "f" in a for a in args)
        for each in (a for a in args if not a.startswith("-")):
            try:
                act(place, place.path(each))
            except OSError as error:
                if forced and isinstance(error, FileNotFoundError):
                    continue
                result.status = 1
                result.err += f"{name}: {each}: {reason(error)}\n".encode()
        return result

    COMMANDS[name] = command


def reason(error: OSError) -> str:
    """The words of a file error as the C library has them."""
    words = {
        FileNotFoundError: "No such file or directory",
        IsADirectoryError: "Is a directory",
        PermissionError: "Read-only file system",
    }
    return words.get(type(error), "Input/output error")


_each("touch", lambda place, path: place.files.write(path, b"", append=True))
_each("mkdir", lambda place, path: place.files.make_dir(path))
_each("rm", lambda place, path: place.files.remove(path))
_each("rmdir", lambda place, path: place.files.remove(path))
