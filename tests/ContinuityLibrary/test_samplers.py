"""How witnesses are asked: what each server's answer is read as, and what is no answer."""

from __future__ import annotations

import itertools
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.ContinuityLibrary.make import NONCE
from tests.ContinuityLibrary.servers import RUN_ID, Counting, http, redis
from tests.ContinuityLibrary.test_sampled import HTTP

from ContinuityLibrary import samplers, witness
from ContinuityLibrary.observation import Workload
from ContinuityLibrary.sampled import REDIS, STUB_STATUS, Reading
from ContinuityLibrary.sampled_keywords import way_to
from ContinuityLibrary.samplers import Unanswered, Way, opened, read_http, read_stub_status
from harness.failures import BadInput
from harness.kube import Cluster
from harness.waiting import Done, Pending, wait_until

NOWHERE = Cluster("nowhere", Path("/no/kubeconfig"))
WORKLOAD = Workload("nowhere", "ns", "pod")
MANIFEST = Path(__file__).parents[2] / "resources" / "workloads" / "http-witness.yaml"
STATUS = "Active connections: 1 \nserver accepts handled requests\n 7 8 9 \nReading: 0 Writing: 1 Waiting: 0 \n"


def line(number: int, chain: str = "") -> str:
    """A line of the witness protocol."""
    return f"witness/1 nonce={NONCE} step={number} chain={chain or witness.chain(NONCE, number)}\n"


def ask(way: Way, times: int = 1) -> list[Reading]:
    """So many answers over one way."""
    with opened(NOWHERE, WORKLOAD, "uid", way) as asker:
        return [asker.ask() for _ in range(times)]


def url(port: int, scheme: str = "http", path: str = "/w") -> str:
    """Where a server of this test is."""
    return f"{scheme}://127.0.0.1:{port}{path}"


def test_a_line_of_the_witness() -> None:
    assert read_http(line(5)) == Reading(5, NONCE, True)
    assert read_http(line(5).strip()) == Reading(5, NONCE, True)
    assert read_http(line(5, "0" * 16)) == Reading(5, NONCE, False)


@pytest.mark.parametrize("text", ["", "Welcome to nginx!", line(1) + line(2), " " + line(1)])
def test_no_line_of_the_witness(text: str) -> None:
    with pytest.raises(Unanswered, match="no line of a witness") as problem:
        read_http(text)
    assert not problem.value.unreached, "it was reached, and answered something else"


def test_the_requests_of_stub_status() -> None:
    assert read_stub_status(STATUS) == Reading(9)
    with pytest.raises(Unanswered, match="no stub_status, but 'Welcome'"):
        read_stub_status("Welcome")


@pytest.mark.parametrize("read", [read_http, read_stub_status])
def test_of_a_long_answer_the_beginning_is_told(read: Callable[[str], Reading]) -> None:
    with pytest.raises(Unanswered) as problem:
        read("w" * 81)
    assert str(problem.value).endswith(repr("w" * 80))


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_http_at_a_url(protocol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samplers, "CONNECTION_REQUESTS", 2)
    numbers = itertools.count(1)
    asked: list[str] = []

    def answer(path: str) -> tuple[int, str]:
        asked.append(path)
        return 200, line(next(numbers))

    with http(answer, protocol) as port:
        way = way_to("http", "url", url=url(port, path="/w?a=b"))
        assert [one.count for one in ask(way, 5)] == [1, 2, 3, 4, 5]
    assert set(asked) == {"/w?a=b"}


def test_stub_status_at_a_url() -> None:
    with http(lambda _: (200, STATUS)) as port:
        assert ask(way_to("stub_status", "url", url=url(port))) == [Reading(9)]


def test_another_status_is_no_answer() -> None:
    with http(lambda _: (503, line(1))) as port, pytest.raises(Unanswered, match="status 503") as problem:
        ask(way_to("http", "url", url=url(port)))
    assert not problem.value.unreached


@pytest.mark.parametrize("scheme", ["http", "redis"])
def test_nobody_listens(scheme: str) -> None:
    with http(lambda _: (200, "")) as port:
        pass
    witness_kind: Any = "redis" if scheme == "redis" else "http"
    with pytest.raises(Unanswered, match="refused") as problem:
        ask(way_to(witness_kind, "url", url=url(port, scheme)))
    assert not problem.value.unreached


def test_redis_counts_under_a_key_of_its_own() -> None:
    server = Counting()
    with redis(server) as port:
        way, other = (way_to("redis", "url", url=url(port, "redis")) for _ in range(2))
        assert ask(way, 2) == [Reading(1, RUN_ID), Reading(2, RUN_ID)]
        assert ask(other) == [Reading(1, RUN_ID)]
        assert ask(way) == [Reading(3, RUN_ID)]
    assert server.values == {f"e2e:witness:{way.mark}": 3, f"e2e:witness:{other.mark}": 1}


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"-NOAUTH Authentication required.\r\n", "redis answers INFO with an error: NOAUTH Authentication required."),
        (b"$9\r\nos:Linux\n\r\n", "its INFO has no run_id"),
        (b"HTTP/1.1 400 Bad Request\r\n", "answers INFO not as redis does, but 'HTTP/1.1 400 Bad Request"),
        (b"$x\r\n", "answers INFO not as redis does"),
        (b"$1048577\r\n", "answers INFO not as redis does, but '\\$1048577"),
        (b"", "it closes the connection"),
        (b"\xff\xfe\r\n", "answers INFO not as redis does"),
        (b"$2\r\n\xff\xfe\r\n", "its INFO has no run_id"),
    ],
)
def test_what_is_no_redis(said: bytes, words: str) -> None:
    with redis(lambda _: said) as port, pytest.raises(Unanswered, match=words.replace("(", r"\(")) as problem:
        ask(way_to("redis", "url", url=url(port, "redis")))
    assert not problem.value.unreached


def test_a_long_answer_of_redis_is_read_to_its_limit() -> None:
    text = f"run_id:{RUN_ID}\r\n".encode().ljust(1 << 20)
    said = {"INFO": b"$%d\r\n%s\r\n" % (len(text), text), "INCR": b":7\r\n"}
    with redis(lambda words: said[words[0]]) as port:
        assert ask(way_to("redis", "url", url=url(port, "redis"))) == [Reading(7, RUN_ID)]


def is_free(port: int) -> bool:
    """Whether nobody listens there; below the ports that the kernel gives to others in the meantime."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) != 0


def test_the_manifests_server_is_a_witness(tmp_path: Path) -> None:
    """The script of the manifest, word for word but for the port, under this Python."""
    pod = next(one for one in yaml.safe_load_all(MANIFEST.read_text()) if one["kind"] == "Pod")
    command = pod["spec"]["containers"][0]["command"]
    assert command[:2] == ["python3", "-c"]
    port = next(port for port in range(20_000 + os.getpid() % 10_000, 32_000) if is_free(port))
    process = subprocess.Popen([sys.executable, "-c", command[2].replace("8080", str(port))], stderr=subprocess.DEVNULL)
    try:

        def look() -> Done[list[Reading]] | Pending:
            try:
                return Done(ask(way_to("http", "url", url=url(port)), 3))
            except Unanswered as problem:
                return Pending(str(problem))

        readings = wait_until(look, timeout=60, expected="the server to answer")
    finally:
        process.kill()
        process.wait()
    assert [one.count for one in readings] == [1, 2, 3]
    assert len({one.nonce for one in readings}) == 1
    assert all(one.follows for one in readings)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("http", "service"), "service is empty; it must be the name of a Service"),
        (("redis", "service", {"service": "db"}), "route is 'service'; it must be `port-forward` or `url` for redis"),
        (("http", "url"), "url is empty; it must be a URL that begins with http or https://"),
        (("http", "url", {"url": "redis://a"}), "begins with http or https"),
        (("redis", "url", {"url": "http://a"}), "begins with redis"),
        (("http", "url", {"url": "http:///x"}), "begins with http or https"),
        (("http", "port-forward", {"port": "http"}), "port is 'http'; it must be a number from 1 to 65535"),
        (("http", "port-forward", {"port": "0"}), "1 to 65535"),
        (("http", "port-forward", {"port": "65536"}), "1 to 65535"),
        (("http", "port-forward", {"port": "²"}), "1 to 65535"),
    ],
)
def test_a_way_that_does_not_fit_is_refused(arguments: tuple[Any, ...], words: str) -> None:
    *positional, named = (*arguments, {}) if not isinstance(arguments[-1], dict) else arguments
    with pytest.raises(BadInput, match=words):
        way_to(*positional, **named)


def test_ways_and_their_defaults() -> None:
    assert way_to("http") == Way(HTTP, port="8080")
    assert way_to("stub_status") == Way(STUB_STATUS, port="80", path="/stub_status")
    assert (way_to("redis").port, way_to("redis").nature) == ("6379", REDIS)
    assert way_to("redis").mark != way_to("redis").mark
    assert way_to("http", port="65535", path="/x") == Way(HTTP, port="65535", path="/x")
    service = way_to("http", "service", service="web")
    assert (service.port, str(service)) == (None, "http witness at Service web")
    assert str(way_to("http")) == "http witness at forwarded port 8080"
    assert str(way_to("http", "url", url="http://a/b")) == "http witness at http://a/b"
