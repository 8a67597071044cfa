"""The emulated commands that use the cluster's network: nslookup, getent, wget, curl, nc -z, redis-cli.

Names and Services are the emulated cluster's; nothing outside of it is ever reached. Importing this module makes them
known.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from ..surroundings import NetworkError, Stream, UnknownHost
from .commands import Place, Result, command
from .tokens import Unsupported

RESOLVER = "10.96.0.10"
_SILENCE = 5.0
"""Seconds for which a command waits for an answer that does not come."""


def addresses(place: Place, name: str) -> list[str]:
    """The addresses of a host: itself, what /etc/hosts says, or what DNS says. Raises UnknownHost."""
    try:
        return [str(ipaddress.ip_address(name))]
    except ValueError:
        pass
    try:
        hosts = place.files.read("/etc/hosts").decode(errors="replace").splitlines()
    except OSError:
        hosts = []
    for line in hosts:
        address, *names = line.split("#")[0].split() or [""]
        if name in names and "." in address:
            return [address]
    return place.around.network.lookup(name)[1]


@command("nslookup")
def _nslookup(args: list[str], _stdin: bytes, place: Place) -> Result:
    if len(args) != 1 or args[0].startswith("-"):
        raise Unsupported(f"nslookup {' '.join(args)}")
    head = f"Server:\t\t{RESOLVER}\nAddress:\t{RESOLVER}:53\n\n"
    try:
        full, found = place.around.network.lookup(args[0])
    except UnknownHost as unknown:
        if unknown.silent:
            return Result(1, out=b";; connection timed out; no servers could be reached\n\n", waited=_SILENCE)
        return Result(1, out=f"{head}** server can't find {args[0]}: NXDOMAIN\n\n".encode())
    return Result(out=(head + "".join(f"Name:\t{full}\nAddress: {address}\n" for address in found) + "\n").encode())


@command("getent")
def _getent(args: list[str], _stdin: bytes, place: Place) -> Result:
    if len(args) != 2 or args[0] not in ("hosts", "ahosts", "ahostsv4"):
        raise Unsupported(f"getent {' '.join(args)}")
    try:
        found = addresses(place, args[1])
    except UnknownHost as unknown:
        return Result(2, waited=_SILENCE if unknown.silent else 0)
    return Result(out="".join(f"{address:<15} {args[1]}\n" for address in found).encode())


@dataclass
class _Fetch:
    """One HTTP request and where its answer goes."""

    url: str = ""
    method: str = "GET"
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    output: str = "-"
    quiet: bool = False
    fail: bool = False
    head: bool = False
    shown_head: bool = False
    written: str = ""
    timeout: float = _SILENCE


class _FetchError(Exception):
    def __init__(self, code: int, message: str, waited: float = 0.0) -> None:
        super().__init__(message)
        self.code = code
        self.waited = waited


def _fetched(place: Place, wanted: _Fetch) -> tuple[int, str, bytes]:
    """Status, head and body. Raises _FetchError with curl's exit code."""
    url = urlsplit(wanted.url if "://" in wanted.url else f"http://{wanted.url}")
    host, port = url.hostname or "", url.port or 80
    if url.scheme != "http":
        raise Unsupported(f"{url.scheme}:// in an emulated container")
    try:
        address = addresses(place, host)[0]
        stream = place.around.network.connect(address, port)
    except UnknownHost as unknown:
        raise _FetchError(6, f"bad address '{host}'", wanted.timeout if unknown.silent else 0) from None
    except NetworkError as error:
        silent = "timed out" in str(error)
        raise _FetchError(28 if silent else 7, f"{error}|{address}:{port}", wanted.timeout if silent else 0) from None
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    named = url.netloc if url.port else host
    headers = {"Host": named, "Connection": "close", "Content-Length": str(len(wanted.body)), **wanted.headers}
    lines = [f"{wanted.method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    answer = stream.feed("\r\n".join(lines).encode() + b"\r\n\r\n" + wanted.body)
    stream.close()
    head, mark, body = answer.partition(b"\r\n\r\n")
    if not mark or not head.startswith(b"HTTP/"):
        raise _FetchError(1, "error getting response: Connection reset by peer")
    return int(head.split()[1]), head.decode(errors="replace"), body


def _put(place: Place, wanted: _Fetch, body: bytes) -> bytes:
    if wanted.output in ("-", "/dev/stdout"):
        return body
    if wanted.output != "/dev/null":
        place.files.write(place.path(wanted.output), body)
    return b""


@command("wget")
def _wget(args: list[str], _stdin: bytes, place: Place) -> Result:
    wanted, rest = _Fetch(output="", headers={"User-Agent": "Wget"}), list(args)
    while rest:
        arg = rest.pop(0)
        if arg in ("-q", "-S", "-qS"):
            wanted.quiet |= "q" in arg
        elif arg == "--spider":
            wanted.output = "/dev/null"
        elif arg.startswith(("-T", "-t", "--timeout", "--tries")):
            value = arg.partition("=")[2] or arg[2:] or rest.pop(0)
            wanted.timeout = float(value) if "T" in arg or "timeout" in arg else wanted.timeout
        elif arg in ("-O", "-qO"):
            wanted.quiet |= "q" in arg
            wanted.output = rest.pop(0)
        elif arg.startswith(("-O", "-qO")):
            wanted.quiet |= "q" in arg
            wanted.output = arg.partition("O")[2]
        elif arg.startswith("-") or wanted.url:
            raise Unsupported(f"wget {' '.join(args)}")
        else:
            wanted.url = arg
    wanted.output = wanted.output or urlsplit(wanted.url).path.rsplit("/", 1)[-1] or "index.html"
    try:
        status, head, body = _fetched(place, wanted)
    except _FetchError as error:
        why, _, where = str(error).partition("|")
        text = f"can't connect to remote host ({where.split(':')[0]}): {why}" if where else why
        return Result(1, err=f"wget: {text}\n".encode(), waited=error.waited)
    if status >= 400:
        return Result(1, err=f"wget: server returned error: {head.splitlines()[0]}\n".encode())
    return Result(out=_put(place, wanted, body))


_CURL_FLAGS = {"-s": "quiet", "-S": "", "-f": "fail", "-i": "shown_head", "-I": "head", "-L": "", "-v": "", "-k": ""}
_CURL_LONG = {
    "--silent": "-s", "--show-error": "-S", "--fail": "-f", "--include": "-i", "--head": "-I", "--location": "-L",
    "--output": "-o", "--write-out": "-w", "--request": "-X", "--data": "-d", "--header": "-H", "--max-time": "-m",
    "--connect-timeout": "-m",
}  # fmt: skip


def _curl_options(args: list[str]) -> _Fetch:
    wanted, rest = _Fetch(headers={"User-Agent": "curl/8.0.0"}), list(args)
    while rest:
        arg = rest.pop(0)
        arg = _CURL_LONG.get(arg, arg)
        if arg[:2] in ("-o", "-w", "-X", "-d", "-H", "-m"):
            _curl_value(wanted, arg[:2], arg[2:] or rest.pop(0))
        elif arg in _CURL_FLAGS:
            if _CURL_FLAGS[arg]:
                setattr(wanted, _CURL_FLAGS[arg], True)
        elif arg.startswith("-") and not arg.startswith("--") and len(arg) > 2:
            rest = [arg[:2], f"-{arg[2:]}", *rest]
        elif arg.startswith("-") or wanted.url:
            raise Unsupported(f"curl {' '.join(args)}")
        else:
            wanted.url = arg
    return wanted


def _curl_value(wanted: _Fetch, option: str, value: str) -> None:
    if option == "-H":
        name, _, content = value.partition(":")
        wanted.headers[name.strip()] = content.strip()
    elif option == "-d":
        wanted.body, wanted.method = value.encode(), "POST"
    elif option == "-m":
        wanted.timeout = float(value)
    else:
        setattr(wanted, {"-o": "output", "-w": "written", "-X": "method"}[option], value)


@command("curl")
def _curl(args: list[str], _stdin: bytes, place: Place) -> Result:
    wanted = _curl_options(args)
    if wanted.head:
        wanted.method = "HEAD"
    try:
        status, head, body = _fetched(place, wanted)
    except _FetchError as error:
        host = urlsplit(wanted.url if "://" in wanted.url else f"http://{wanted.url}").netloc
        why = {
            6: f"Could not resolve host: {host}",
            7: f"Failed to connect to {host}: {str(error).partition('|')[0]}",
            28: "Connection timed out",
        }.get(error.code, str(error))
        written = wanted.written.replace("%{http_code}", "000").replace("\\n", "\n").encode()
        code = 52 if error.code == 1 else error.code
        return Result(code, written, f"curl: ({code}) {why}\n".encode(), error.waited)
    if wanted.fail and status >= 400:
        return Result(22, err=f"curl: (22) The requested URL returned error: {status}\n".encode())
    shown = (head + "\r\n\r\n").encode() if wanted.head or wanted.shown_head else b""
    out = _put(place, wanted, shown + body)
    if "%{" in wanted.written.replace("%{http_code}", ""):
        raise Unsupported(f"curl -w {wanted.written}")
    return Result(out=out + wanted.written.replace("%{http_code}", str(status)).replace("\\n", "\n").encode())


@command("nc")
def _nc(args: list[str], stdin: bytes, place: Place) -> Result:
    flags = "".join(a[1:] for a in args if a.startswith("-"))
    names = [a for a in args if not a.startswith("-")]
    names = names[1:] if "w" in flags and len(names) == 3 else names
    if set(flags) - set("zvw0123456789") or len(names) != 2 or not ("z" in flags or stdin):
        raise Unsupported(f"nc {' '.join(args)}")
    host, port = names
    said = b""
    try:
        address = addresses(place, host)[0]
        stream = place.around.network.connect(address, int(port))
        said = stream.feed(stdin) if "z" not in flags else b""
        stream.close()
    except UnknownHost as unknown:
        return Result(1, err=f"nc: bad address '{unknown}'\n".encode())
    except NetworkError as error:
        waited = _SILENCE if "timed out" in str(error) else 0.0
        return Result(
            1, err=f"nc: {host} ({address}:{port}): {error}\n".encode() if "v" in flags else b"", waited=waited
        )
    return Result(out=said, err=f"{host} ({address}:{port}) open\n".encode() if "v" in flags else b"")


@command("redis-cli", "valkey-cli")
def _redis_cli(args: list[str], _stdin: bytes, place: Place) -> Result:
    host, port, rest = "127.0.0.1", "6379", list(args)
    while rest[:1] and rest[0] in ("-h", "-p"):
        flag, value, *rest = rest
        host, port = (value, port) if flag == "-h" else (host, value)
    rest = rest[1:] if rest[:1] in (["--raw"], ["--no-raw"]) else rest
    if not rest or rest[0].startswith("-"):
        raise Unsupported(f"redis-cli {' '.join(args)}")
    try:
        stream = place.around.network.connect(addresses(place, host)[0], int(port))
    except (UnknownHost, NetworkError) as error:
        why = "Name or service not known" if isinstance(error, UnknownHost) else error
        return Result(1, err=f"Could not connect to Redis at {host}:{port}: {why}\n".encode())
    reply = _asked(stream, rest)
    failed = reply.startswith(b"-")
    return Result(int(failed), out=_readable(reply))


def _asked(stream: Stream, words: list[str]) -> bytes:
    parts = [b"*%d\r\n" % len(words), *(b"$%d\r\n%s\r\n" % (len(w.encode()), w.encode()) for w in words)]
    reply = stream.feed(b"".join(parts))
    stream.close()
    return reply


def _readable(reply: bytes) -> bytes:
    """As redis-cli prints to what is no terminal."""
    head, _, rest = reply.partition(b"\r\n")
    if head.startswith(b"$"):
        return (rest.removesuffix(b"\r\n") if head != b"$-1" else b"") + b"\n"
    return head[1:] + b"\n"
