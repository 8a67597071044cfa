"""A held connection: what becomes of it, told by a server of this machine in the pod's place."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import ClassVar

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
        with pytest.raises(BadInput, match=r"\bport is .*1 to 65535"):
            library.hold_connection("db", "ns", port)
    one = library.hold_connection("db", "ns", every=timedelta(milliseconds=1))
    assert library.connection_should_go_on(one).alive
    assert library.get_fate_of_connection(one).alive
    library.release_connections()
    assert library._held == []
    assert not one._thread.is_alive()
    library.release_connections()


class Idle:
    """In place of the thread: it only tells how it was made and what was asked of it."""

    made: ClassVar[list[Idle]] = []

    def __init__(self, **given: object) -> None:
        self.given, self.calls = given, list[object]()
        Idle.made.append(self)

    def start(self) -> None:
        """Does nothing."""

    def join(self, timeout: float) -> None:
        """Notes it."""
        self.calls.append(timeout)


@pytest.fixture
def unused(server: Server, monkeypatch: pytest.MonkeyPatch) -> HeldConnection:
    """A connection that its thread has not begun to use."""
    monkeypatch.setattr(Idle, "made", [])
    monkeypatch.setattr(connection.threading, "Thread", Idle)
    return held()


def test_before_its_first_use(unused: HeldConnection) -> None:
    assert unused.fate == Fate(True, 0, 0.0)
    assert unused.fate.end == ""
    assert Idle.made[0].given["daemon"], "a run that ends waits for nobody's answer"


def test_each_use_is_counted_and_timed(unused: HeldConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, clock, pauses = ["", "", "it broke"], [100.0], list[float]()

    def exchange() -> str:
        clock[0] += 3.0 if len(answers) == 2 else 1.0
        return answers.pop(0)

    monkeypatch.setattr(connection.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(unused, "_exchange", exchange)
    monkeypatch.setattr(unused._stop, "wait", pauses.append)
    unused._run()
    clock[0] += 50.0
    assert unused.fate == Fate(False, 2, 3.0, "it broke")
    assert pauses == [0.001, 0.001]


def test_how_long_an_answer_is_waited_for(unused: HeldConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(connection.time, "monotonic", lambda: clock[0])

    def exchange() -> str:
        clock[0] += 7.0
        assert unused.fate == Fate(True, 0, 7.0)
        return "over"

    monkeypatch.setattr(unused, "_exchange", exchange)
    unused._run()


def test_one_answer_may_have_been_on_its_way(unused: HeldConnection) -> None:
    for more, goes_on in ((1, False), (2, True)):
        unused._exchanges = 0
        looks = iter([Fate(True, 0, 0.0), *[Fate(True, more, 0.0)] * 1000])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(HeldConnection, "fate", property(lambda _, looks=looks: next(looks)))
            if goes_on:
                assert unused.should_go_on(20).exchanges == 2
            else:
                with pytest.raises(WaitTimedOut):
                    unused.should_go_on(0.05)


def test_closing_ends_the_use_and_the_forwarding(unused: HeldConnection, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = list[bool]()
    unused._forward = SimpleNamespace(close=lambda: closed.append(True))  # type: ignore[assignment]
    unused.close()
    assert (closed, Idle.made[0].calls) == ([True], [connection.PATIENCE])
    monkeypatch.setattr(unused, "_exchange", lambda: pytest.fail("it is used although it is closed"))
    unused._run()


@pytest.mark.parametrize(
    ("received", "refusal", "end"),
    [
        (b"+PONG", "", ""),
        (b"", "", "the other side closed it"),
        (b"", "no such port", "no such port"),
        (OSError("reset"), "", "reset"),
        (ConnectionResetError(), "", "ConnectionResetError"),
    ],
)
def test_how_it_ended(unused: HeldConnection, received: bytes | OSError, refusal: str, end: str) -> None:
    def receive(_: int) -> bytes:
        if isinstance(received, OSError):
            raise received
        return received

    socket_ = SimpleNamespace(sendall=lambda _: None, recv=receive)
    unused._forward = SimpleNamespace(socket=socket_, refusal=refusal)  # type: ignore[assignment]
    assert unused._exchange() == end


def test_what_the_keywords_take_when_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []

    def made(_: object, workload: Workload, port: int, **given: object) -> SimpleNamespace:
        asked.append((workload, port, given))
        return SimpleNamespace(should_go_on=asked.append, settled=asked.append)

    monkeypatch.setattr("ContinuityLibrary.connection_keywords.HeldConnection", made)
    library = ContinuityLibrary()
    monkeypatch.setattr(library, "_cluster", lambda _: SimpleNamespace(alias="here"))
    one = library.hold_connection("db")
    library.connection_should_go_on(one)
    library.get_fate_of_connection(one)
    assert asked == [(Workload("here", "default", "db"), 6379, {"say": b"PING\r\n", "every": 0.1}), 30.0, 10.0]
    library.hold_connection("db", port=1)
    with pytest.raises(BadInput, match="port"):
        library.hold_connection("db", port=0)
