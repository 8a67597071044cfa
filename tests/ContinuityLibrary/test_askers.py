"""How the ways to a witness are opened, used again, and closed: an open connection is in a checkpoint's way."""

from __future__ import annotations

import itertools
import socket
from http.client import HTTPConnection
from types import SimpleNamespace
from typing import Any

import pytest
from tests.ContinuityLibrary.servers import Counting, http, redis
from tests.ContinuityLibrary.test_samplers import NOWHERE, WORKLOAD, ask, line, url

from ContinuityLibrary import samplers
from ContinuityLibrary.sampled_keywords import way_to
from ContinuityLibrary.samplers import Unanswered, opened


def test_a_connection_is_used_so_often_and_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samplers, "CONNECTION_REQUESTS", 2)
    made: list[HTTPConnection] = []
    connect = samplers._HttpAsker._connect
    monkeypatch.setattr(samplers._HttpAsker, "_connect", lambda self: made.append(connect(self)) or made[-1])
    numbers, used, open_ones = itertools.count(1), list[int](), list[int]()
    with (
        http(lambda _: (200, line(next(numbers)))) as port,
        opened(NOWHERE, WORKLOAD, "uid", way_to("http", "url", url=url(port))) as asker,
    ):
        for _ in range(5):
            asker.ask()
            used.append(len(made))
            open_ones.append(sum(one.sock is not None for one in made))
    assert used == [1, 1, 2, 2, 3]
    assert open_ones == [1] * 5
    assert made[-1].sock is None, "the last one is closed, too"


def test_a_forwarding_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[bool] = []
    with http(lambda _: (200, line(1))) as port, socket.create_connection(("127.0.0.1", port)) as connection:
        forward = SimpleNamespace(socket=connection, refusal="", close=lambda: closed.append(True))
        monkeypatch.setattr(samplers, "_forwarded_port", lambda *_: forward)
        assert ask(way_to("http"))[0].count == 1
    assert closed == [True]


@pytest.mark.parametrize(("path", "asked"), [("", "/"), ("/w", "/w"), ("/w?a=b", "/w?a=b"), ("?a", "/?a")])
def test_what_a_url_asks_for(path: str, asked: str) -> None:
    paths: list[str] = []
    with http(lambda path: (paths.append(path) or 200, line(1))) as port:
        ask(way_to("http", "url", url=url(port, path=path)))
    assert paths == [asked]


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_only_https_is_encrypted(scheme: str, secure: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[bool, str, int]] = []

    def connection(is_secure: bool) -> Any:
        def make(host: str, port: int, timeout: float) -> None:
            made.append((is_secure, host, port))
            raise ConnectionRefusedError("not today")

        return make

    monkeypatch.setattr(samplers, "HTTPConnection", connection(False))
    monkeypatch.setattr(samplers, "HTTPSConnection", connection(True))
    with pytest.raises(Unanswered, match="not today"):
        ask(way_to("http", "url", url=f"{scheme}://host:7/"))
    assert made == [(secure, "host", 7)]


@pytest.mark.parametrize(("where", "address"), [("redis://db", ("db", 6379)), ("redis://db:7", ("db", 7))])
def test_where_redis_listens(where: str, address: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def connect(to: tuple[str, int], _timeout: float) -> None:
        asked.append(to)
        raise ConnectionRefusedError("not today")

    monkeypatch.setattr(samplers.socket, "create_connection", connect)
    with pytest.raises(Unanswered, match="not today"):
        ask(way_to("redis", "url", url=where))
    assert asked == [address]


def test_bytes_that_are_no_text_are_no_witness() -> None:
    with http(lambda _: (200, b"\xff\xfe")) as port, pytest.raises(Unanswered, match="no line of a witness"):
        ask(way_to("http", "url", url=url(port)))


def test_of_a_long_answer_the_beginning_is_shown() -> None:
    with pytest.raises(Unanswered) as http_says:
        samplers.read_http("x" * 200)
    with redis(lambda _: b"y" * 200 + b"\r\n") as port, pytest.raises(Unanswered) as redis_says:
        ask(way_to("redis", "url", url=url(port, "redis")))
    assert str(http_says.value).endswith(repr("x" * 80))
    assert str(redis_says.value).endswith(repr("y" * 80))


def test_a_mark_is_nobody_elses() -> None:
    with redis(Counting()) as port:
        assert [ask(way_to("redis", "url", url=url(port, "redis")))[0].count for _ in range(2)] == [1, 1]
