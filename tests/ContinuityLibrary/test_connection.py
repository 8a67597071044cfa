"""A held connection: what becomes of it, told by a server of this machine in the pod's place."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest

from ContinuityLibrary import ContinuityLibrary, connection
from ContinuityLibrary.connection import Fate, HeldConnection
from ContinuityLibrary.observation import Workload
from harness.failures import BadInput, NotAsExpected, WaitTimedOut

WORKLOAD = Workload("here", "ns", "db")


class Server:
    """The other end of the forwarded connection; answers while `answers` is set."""

    def __init__(self) -> None:
        self.client, self.end = socket.socketpair()
        self.answers = threading.Event()
        self.answers.set()
        self.said: list[bytes] = []
        self.refusal = ""
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        while data := self.end.recv(100):
            self.said.append(data)
            self.answers.wait(20)
            self.end.sendall(b"+PONG\r\n")

    def forwarded(self, *_: object) -> SimpleNamespace:
        """In place of a forwarded port."""
        return SimpleNamespace(socket=self.client, refusal=self.refusal, close=self.close)

    def close(self) -> None:
        """Ends it."""
        self.answers.set()
        for one in (self.client, self.end):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    running = Server()
    monkeypatch.setattr(connection, "Forwarded", running.forwarded)
    yield running
    running.close()


def held() -> HeldConnection:
    """The connection, used every millisecond."""
    return HeldConnection(None, WORKLOAD, 6379, say=b"PING\r\n", every=0.001)  # type: ignore[arg-type]


def test_it_goes_on(server: Server) -> None:
    one = held()
    first = one.should_go_on(20)
    second = one.should_go_on(20)
    assert (first.alive, second.exchanges > first.exchanges, second.end) == (True, True, "")
    assert set(server.said) == {b"PING\r\n"}
    assert one.settled(20).alive
    one.close()


def test_it_ends(server: Server) -> None:
    one = held()
    one.should_go_on(20)
    server.end.shutdown(socket.SHUT_RDWR)
    fate = one.settled(20)
    assert not fate.alive
    assert fate.end
    with pytest.raises(NotAsExpected, match="the connection to port 6379 of pod db to go on") as problem:
        one.should_go_on(20)
    assert problem.value.cause.name == "source-harmed"
    assert problem.value.seen.startswith("it ended: ")


def test_nobody_answers_any_more(server: Server) -> None:
    one = held()
    one.should_go_on(20)
    server.answers.clear()
    with pytest.raises(WaitTimedOut) as problem:
        one.should_go_on(0.1)
    assert problem.value.cause.name == "source-harmed"
    fate = one.settled(0.2)
    assert not fate.alive
    assert fate.stall >= 0.2, "who waits still has waited already"
    assert fate.end.startswith("no answer for ")
    server.answers.set()
    assert one.should_go_on(20).stall >= 0.2, "the longest wait is kept"


def test_what_is_said_of_it() -> None:
    assert str(Fate(True, 3, 0.25)) == "it goes on, after 3 exchanges with a stall of 0.2 s at most"
    assert str(Fate(False, 3, 0.0, "closed")) == "it ended: closed, after 3 exchanges with a stall of 0.0 s at most"


def test_the_keywords(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    library = ContinuityLibrary()
    monkeypatch.setattr(library, "_cluster", lambda _: SimpleNamespace(alias="here"))
    for port in (0, 65536):
        with pytest.raises(BadInput, match="1 to 65535"):
            library.hold_connection("db", "ns", port)
    one = library.hold_connection("db", "ns", every=timedelta(milliseconds=1))
    assert library.connection_should_go_on(one).alive
    assert library.get_fate_of_connection(one).alive
    library.release_connections()
    assert library._held == []
    assert not one._thread.is_alive()
    library.release_connections()
