"""A redis-like server: a few commands over RESP (redis.io, "Redis serialization protocol specification").

What it does not know is an error that says so. Nothing is kept on disk.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

VERSION = "7.4.0"
PORT = 6379


@dataclass
class Redis:
    """The memory of a server: who it is (drawn at start) and what it holds."""

    run_id: str = field(default_factory=lambda: secrets.token_hex(20))
    values: dict[bytes, bytes] = field(default_factory=dict)
    commands: int = 0
    started: int = 0
    version: str = VERSION

    def copy(self) -> Redis:
        """An independent copy."""
        return replace(self, values=dict(self.values))


class ReplyError(Exception):
    """What the server answers with a minus."""


def take(buffer: bytes) -> tuple[list[bytes] | None, bytes]:
    """The first request of what a client sent, and the rest; None when it is not whole. Raises ReplyError."""
    line, mark, rest = buffer.partition(b"\r\n")
    if not mark:
        line, mark, rest = buffer.partition(b"\n")
    if not mark:
        return None, buffer
    if not line.startswith(b"*"):
        return line.split(), rest
    words: list[bytes] = []
    for _ in range(_number(line[1:])):
        head, mark, rest = rest.partition(b"\r\n")
        if not mark:
            return None, buffer
        size = _number(head[1:])
        if len(rest) < size + 2:
            return None, buffer
        words.append(rest[:size])
        rest = rest[size + 2 :]
    return words, rest


def answer(redis: Redis, words: list[bytes], now: int) -> bytes:
    """The answer to one request; `now` in ns."""
    redis.commands += 1
    name = words[0].decode(errors="replace").upper()
    if name not in _COMMANDS:
        return f"-ERR emulated redis: the command '{name}' is not emulated\r\n".encode()
    least, most, act = _COMMANDS[name]
    if not least <= len(words) - 1 <= most:
        return f"-ERR wrong number of arguments for '{name.lower()}' command\r\n".encode()
    try:
        return act(redis, words[1:], now)
    except ReplyError as error:
        return f"-{error}\r\n".encode()


def _number(text: bytes) -> int:
    if not text.isdigit():
        raise ReplyError("ERR Protocol error: invalid bulk length")
    return int(text)


def _bulk(value: bytes | None) -> bytes:
    return b"$-1\r\n" if value is None else b"$%d\r\n%s\r\n" % (len(value), value)


def _add(redis: Redis, key: bytes, by: int) -> bytes:
    try:
        value = int(redis.values.get(key, b"0")) + by
    except ValueError:
        raise ReplyError("ERR value is not an integer or out of range") from None
    redis.values[key] = str(value).encode()
    return b":%d\r\n" % value


def _set(redis: Redis, words: list[bytes], _now: int) -> bytes:
    redis.values[words[0]] = words[1]
    return b"+OK\r\n"


def _delete(redis: Redis, words: list[bytes], _now: int) -> bytes:
    return b":%d\r\n" % sum(redis.values.pop(key, None) is not None for key in words)


def _ping(_redis: Redis, words: list[bytes], _now: int) -> bytes:
    return _bulk(words[0]) if words else b"+PONG\r\n"


def _info(redis: Redis, words: list[bytes], now: int) -> bytes:
    sections = {
        "server": {
            "redis_version": redis.version,
            "redis_mode": "standalone",
            "os": "emulated",
            "process_id": "1",
            "run_id": redis.run_id,
            "uptime_in_seconds": str((now - redis.started) // 10**9),
        },
        "stats": {"total_commands_processed": str(redis.commands)},
        "keyspace": {"db0": f"keys={len(redis.values)},expires=0,avg_ttl=0"} if redis.values else {},
    }
    wanted = {word.decode(errors="replace").lower() for word in words} or {"default"}
    text = ""
    for name, facts in sections.items():
        if wanted & {name, "default", "all", "everything"}:
            lines = [f"# {name.capitalize()}", *(f"{key}:{value}" for key, value in facts.items())]
            text += "\r\n".join(lines) + "\r\n\r\n"
    return _bulk(text.removesuffix("\r\n").encode())


_Act = Callable[[Redis, list[bytes], int], bytes]
_MANY = 1_000_000
_COMMANDS: dict[str, tuple[int, int, _Act]] = {
    "PING": (0, 1, _ping),
    "GET": (1, 1, lambda redis, words, _: _bulk(redis.values.get(words[0]))),
    "SET": (2, 2, _set),
    "DEL": (1, _MANY, _delete),
    "EXISTS": (1, _MANY, lambda redis, words, _: b":%d\r\n" % sum(key in redis.values for key in words)),
    "INCR": (1, 1, lambda redis, words, _: _add(redis, words[0], 1)),
    "DECR": (1, 1, lambda redis, words, _: _add(redis, words[0], -1)),
    "DBSIZE": (0, 0, lambda redis, _words, _now: b":%d\r\n" % len(redis.values)),
    "INFO": (0, _MANY, _info),
}
"""By name: least and most arguments, and what to do."""
