"""The commands that emulated containers know: each a function of its arguments, its input and where it runs."""

from __future__ import annotations

import posixpath
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .. import clocks
from ..files import FileTree
from ..surroundings import Surroundings
from .tokens import Unsupported

SECOND = 1_000_000_000


@dataclass
class Place:
    """Where a command runs: files, host name, environment, the time (ns since the epoch), directory, what is around it,
    and the version that the image's tag names."""

    files: FileTree
    hostname: str
    env: dict[str, str]
    now: int = 0
    cwd: str = "/"
    around: Surroundings = field(default_factory=Surroundings)
    version: str = ""

    def path(self, name: str) -> str:
        """The absolute path of a name."""
        path = posixpath.normpath(posixpath.join(self.cwd, name))
        return path[1:] if path.startswith("//") else path

    def read(self, name: str) -> bytes:
        """What a file says now. Raises FileNotFoundError and IsADirectoryError."""
        path = self.path(name)
        said, shown = self.files.read(path), clocks.now(path, self.around.host, self.now)
        return said if shown is None else shown


@dataclass
class Result:
    """What a command did: its exit status and output, and the seconds that it waited."""

    status: int = 0
    out: bytes = b""
    err: bytes = b""
    waited: float = 0.0


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


def command(*names: str) -> Callable[[Command], Command]:
    """Makes a function the command of these names."""

    def register(function: Command) -> Command:
        COMMANDS.update(dict.fromkeys(names, function))
        return function

    return register


def escaped(text: str) -> str:
    """A text with its backslash escapes taken out."""
    for mark, char in (("\\n", "\n"), ("\\t", "\t"), ("\\r", "\r"), ("\\0", "\0"), ("\\\\", "\\")):
        text = text.replace(mark, char)
    return text


def read_input(name: str, stdin: bytes, place: Place) -> tuple[bytes, str]:
    """What a command reads for a file name, and what is wrong with that name."""
    if name in ("-", "/dev/stdin"):
        return stdin, ""
    if name == "/dev/null":
        return b"", ""
    try:
        return place.read(name), ""
    except IsADirectoryError:
        return b"", f"{name}: Is a directory"
    except FileNotFoundError:
        return b"", f"{name}: No such file or directory"


@command("true", ":")
def _true(_args: list[str], _stdin: bytes, _place: Place) -> Result:
    return Result()


@command("false")
def _false(_args: list[str], _stdin: bytes, _place: Place) -> Result:
    return Result(1)


@command("echo")
def _echo(args: list[str], _stdin: bytes, _place: Place) -> Result:
    end = "\n"
    if args and args[0] == "-n":
        end, args = "", args[1:]
    elif args and args[0] == "-e":
        return Result(out=escaped(" ".join(args[1:])).encode() + b"\n")
    return Result(out=(" ".join(args) + end).encode())


@command("printf")
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
                raise Unsupported(f"printf %{kind}")
            at = end + 1
        elif char == "\\":
            out += escaped(template[at : at + 2])
            at += 2
        else:
            out += char
            at += 1
    return out, used


def _convert(flags: str, kind: str, value: str) -> str:
    if kind == "b":
        return escaped(value)
    if kind == "s":
        return f"%{flags}s" % value
    try:
        return f"%{flags}{'d' if kind == 'i' else kind}" % int(value or "0", 0)
    except ValueError:
        return f"%{flags}d" % 0


@command("cat")
def _cat(args: list[str], stdin: bytes, place: Place) -> Result:
    result = Result()
    for name in [a for a in args if a != "-u"] or ["-"]:
        data, error = read_input(name, stdin, place)
        if error:
            result.status = 1
            result.err += f"cat: {error}\n".encode()
        result.out += data
    return result


@command("ls")
def _ls(args: list[str], _stdin: bytes, place: Place) -> Result:
    flags = {char for arg in args if arg.startswith("-") for char in arg[1:]}
    if flags - set("1aA"):
        raise Unsupported(f"ls -{''.join(sorted(flags - set('1aA')))}")
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


@command("env", "printenv")
def _env(args: list[str], _stdin: bytes, place: Place) -> Result:
    if not args:
        return Result(out="".join(f"{k}={v}\n" for k, v in place.env.items()).encode())
    if len(args) == 1 and "=" not in args[0]:
        value = place.env.get(args[0])
        return Result(1) if value is None else Result(out=f"{value}\n".encode())
    raise Unsupported("env with a command")


_DATE_NANOS = "%N"


@command("date")
def _date(args: list[str], _stdin: bytes, place: Place) -> Result:
    form = next((a[1:] for a in args if a.startswith("+")), "%a %b %e %H:%M:%S UTC %Y")
    if any(not a.startswith("+") and a not in ("-u", "--utc") for a in args):
        raise Unsupported(f"date {' '.join(args)}")
    seconds, nanos = divmod(place.now + place.around.host.ahead, SECOND)
    form = form.replace(_DATE_NANOS, f"{nanos:09d}").replace("%3N", f"{nanos // 1_000_000:03d}")
    form = form.replace("%s", str(seconds))
    return Result(out=(time.strftime(form, time.gmtime(seconds)) + "\n").encode())


@command("hostname")
def _hostname(_args: list[str], _stdin: bytes, place: Place) -> Result:
    return Result(out=f"{place.hostname}\n".encode())


@command("pwd")
def _pwd(_args: list[str], _stdin: bytes, place: Place) -> Result:
    return Result(out=f"{place.cwd}\n".encode())


@command("id")
def _id(args: list[str], _stdin: bytes, place: Place) -> Result:
    user = place.around.user
    shown = {"-u": str(user.uid), "-g": str(user.gid), "-G": " ".join(map(str, user.groups))}
    if args and args[0] not in shown:
        raise Unsupported(f"id {' '.join(args)}")
    if args:
        return Result(out=f"{shown[args[0]]}\n".encode())
    groups = ",".join(map(_named, user.groups))
    return Result(out=f"uid={_named(user.uid)} gid={_named(user.gid)} groups={groups}\n".encode())


def _named(number: int) -> str:
    return f"{number}(root)" if number == 0 else str(number)


@command("whoami")
def _whoami(_args: list[str], _stdin: bytes, place: Place) -> Result:
    uid = place.around.user.uid
    return Result(1, err=f"whoami: unknown uid {uid}\n".encode()) if uid else Result(out=b"root\n")


@command("uname")
def _uname(args: list[str], _stdin: bytes, place: Place) -> Result:
    shown = {"-n": place.hostname, "-m": "x86_64", "-r": "6.1.0-emulated"}
    return Result(out=f"{shown.get(args[0] if args else '', 'Linux')}\n".encode())


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
        raise Unsupported(f"test {' '.join(args)}")

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
            raise Unsupported(f"test {flag}")
        return tests[flag]()


def _compare(left: str, operator: str, right: str) -> bool:
    if operator in ("=", "=="):
        return left == right
    if operator == "!=":
        return left != right
    order = {"-eq": (0,), "-ne": (-1, 1), "-lt": (-1,), "-le": (-1, 0), "-gt": (1,), "-ge": (0, 1)}
    if operator not in order:
        raise Unsupported(f"test {operator}")
    a, b = int(left or 0), int(right or 0)
    return (a > b) - (a < b) in order[operator]


@command("test", "[")
def _test(args: list[str], _stdin: bytes, place: Place) -> Result:
    args = args[:-1] if args[-1:] == ["]"] else args
    return Result(0 if args and _Test(place, args).holds() else 1)


def _each(name: str, act: Callable[[Place, str], None]) -> None:
    def run(args: list[str], _stdin: bytes, place: Place) -> Result:
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

    COMMANDS[name] = run


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
