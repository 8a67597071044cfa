"""The token goes to the propagator and to nobody else, and stands in nothing that can be logged."""

import asyncio
import io
import logging
from contextlib import contextmanager

import pytest
import requests
from aiohttp import web
from tests.propagator_server.fake import TOKEN, FakeBackend, propagator, served
from tests.PropagatorLibrary.conftest import connect

from harness.calls import CALLS
from harness.failures import OperationFailed
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.connections import client_for
from PropagatorLibrary.errors import NotUnderstood, PropagatorError, Unreachable
from PropagatorLibrary.sending import Patience, Sender
from PropagatorLibrary.transport import open_session


class Listener:
    """A server that notes which Authorization each request carries."""

    def __init__(self, redirect: str = "") -> None:
        self.heard: list[str | None] = []
        self.redirect = redirect
        self.app = web.Application()
        self.app.router.add_route("*", "/{path:.*}", self._answer)

    async def _answer(self, request: web.Request) -> web.Response:
        self.heard.append(request.headers.get("Authorization"))
        if self.redirect:
            raise web.HTTPTemporaryRedirect(self.redirect + request.path)
        return web.json_response([])


def test_the_token_arrives_but_is_not_in_the_request_that_others_see():
    listener = Listener()
    with served(listener.app) as url:
        response = open_session(url, TOKEN).get(f"{url}/v2/actions")
    assert listener.heard == [f"Bearer {TOKEN}"]
    assert "Authorization" not in response.request.headers


def test_who_watches_calls_may_add_headers_and_sees_the_answer():
    heard, seen = [], []

    async def answer(request: web.Request) -> web.Response:
        heard.append(request.headers.get("traceparent"))
        return web.json_response([], status=202)

    @contextmanager
    def watch(call):
        call.headers["traceparent"] = "00-1-2-01"
        yield
        seen.append((call.to, call.method, call.url, call.status))

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    CALLS.observe(watch)
    try:
        with served(app) as url:
            response = open_session(url, TOKEN).get(f"{url}/v2/actions")
    finally:
        CALLS.observe(None)
    assert heard == ["00-1-2-01"]
    assert "traceparent" not in response.request.headers
    assert seen == [("propagator", "GET", f"{url}/v2/actions", 202)]


def test_a_failed_request_does_not_show_the_token():
    session = open_session("http://127.0.0.1:9", TOKEN)
    with pytest.raises(requests.ConnectionError) as failed:
        session.get("http://127.0.0.1:9/v2/actions")
    assert "Authorization" not in failed.value.request.headers
    assert TOKEN not in repr(failed.value)


def test_a_redirect_to_another_port_does_not_carry_the_token():
    other = Listener()
    with served(other.app) as elsewhere:
        first = Listener(redirect=elsewhere)
        with served(first.app) as url:
            open_session(url, TOKEN).get(f"{url}/v2/actions")
            with pytest.raises(NotUnderstood, match="redirect"):
                connect(url).list_actions()
    assert other.heard == [None]


@pytest.mark.parametrize(
    "other", ["http://127.0.0.1:{port}1/", "http://localhost:{port}/", "https://127.0.0.1:{port}/"]
)
def test_no_other_origin_gets_the_token(other: str, monkeypatch: pytest.MonkeyPatch):
    heard: list[object] = []

    def send(_self: object, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        heard.append(request.headers.get("Authorization"))
        return requests.Response()

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    session = open_session("http://127.0.0.1:1324", TOKEN)
    for url in (other.format(port=1324), "http://127.0.0.1:1324/v2/actions"):
        session.get_adapter(url).send(requests.Request("GET", url).prepare())
    assert heard == [None, f"Bearer {TOKEN}"]


def test_a_password_of_netrc_is_not_added(tmp_path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret-of-netrc\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    listener = Listener()
    with served(listener.app) as url:
        assert "Authorization" not in open_session(url, TOKEN).get(f"{url}/x").request.headers
    assert listener.heard == [f"Bearer {TOKEN}"]


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with propagator(FakeBackend()) as url:
        connect(url).check_token()


def test_a_proxy_of_the_environment_is_honoured_elsewhere(monkeypatch: pytest.MonkeyPatch):
    proxy = Listener()
    with served(proxy.app) as url:
        monkeypatch.setenv("HTTP_PROXY", url)
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert connect("http://propagator.test").list_actions() == []
    assert proxy.heard == [f"Bearer {TOKEN}"]


def test_nothing_is_logged_with_the_token(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with propagator(FakeBackend()) as url:
        connect(url).check_token()
        with pytest.raises(PropagatorError) as failed:
            connect(url).deprecate_checkpoint("x")
    assert TOKEN not in caplog.text + str(failed.value) + repr(failed.value)


def test_a_server_that_is_not_there_is_named_in_plain_words():
    client = PropagatorClient(
        open_session("http://127.0.0.1:9", TOKEN), "http://127.0.0.1:9", patience=Patience(total=0)
    )
    with pytest.raises(Unreachable) as failed:
        client.list_clusters()
    assert failed.value.cause.name == "propagator-unreachable"
    assert "Connection refused" in str(failed.value)
    assert "HTTPConnection" not in str(failed.value)


def test_a_server_that_never_answers_is_left_in_time():
    async def never(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    app = web.Application()
    app.router.add_get("/{path:.*}", never)
    with served(app) as url:
        client = PropagatorClient(open_session(url, TOKEN, timeouts=(1, 0.2)), url, patience=Patience(total=0))
        with pytest.raises(Unreachable, match="no answer within the read timeout"):
            client.list_clusters()


def test_an_answer_that_drips_in_is_left_in_time():
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b" ")
            await asyncio.sleep(0.01)

    app = web.Application()
    app.router.add_get("/{path:.*}", drip)
    with served(app) as url:
        sender = Sender(open_session(url, TOKEN, timeouts=(1, 5)), url, Patience(total=0), limit=0.2)
        with pytest.raises(Unreachable, match="came too slowly") as failed:
            sender.get("/cluster")
    assert not failed.value.in_time


def test_an_answer_in_many_pieces_is_read_whole():
    async def pieces(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_compression()
        await response.prepare(request)
        for _ in range(1000):
            await response.write(b"[1234567890],"[:13])
        await response.write_eof()
        return response

    app = web.Application()
    app.router.add_get("/{path:.*}", pieces)
    with served(app) as url:
        assert Sender(open_session(url, TOKEN), url).get("/cluster").text == "[1234567890]," * 1000


def test_an_answer_without_an_end_is_left_in_time(monkeypatch: pytest.MonkeyPatch):
    async def pour(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.enable_compression()
        await response.prepare(request)
        while True:
            await response.write(b" " * 4096)

    monkeypatch.setattr("PropagatorLibrary.bodies.LARGEST_ANSWER", 2 * 1024**2)
    app = web.Application()
    app.router.add_get("/{path:.*}", pour)
    with served(app) as url, pytest.raises(NotUnderstood, match="an answer of more than 2 MB"):
        Sender(open_session(url, TOKEN), url, Patience(total=0)).get("/actions")


@pytest.mark.parametrize("kind", ["text/plain", "text/html", None])
def test_text_is_utf_8_unless_the_server_says_otherwise(kind: str | None):
    said = "Kein Pod namens \u201eweb\u201c"

    def app_with(content_type: str | None, body: bytes) -> web.Application:
        async def answer(_: web.Request) -> web.Response:
            headers = {"Content-Type": content_type} if content_type else {}
            return web.Response(body=body, headers=headers)

        app = web.Application()
        app.router.add_get("/{path:.*}", answer)
        return app

    with served(app_with(kind, said.encode())) as url:
        assert Sender(open_session(url, TOKEN), url).get("/x").text == said
    with served(app_with("text/plain; charset=utf-16", said.encode("utf-16"))) as url:
        assert Sender(open_session(url, TOKEN), url).get("/x").text == said


def test_a_given_bundle_wins_over_one_of_the_environment(monkeypatch: pytest.MonkeyPatch):
    trusted: list[object] = []

    def send(_self: object, request: requests.PreparedRequest, *others: object) -> requests.Response:
        trusted.append(others[2])
        response = requests.Response()
        response.status_code, response.url, response.raw = 200, request.url, io.BytesIO()
        return response

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", __file__)
    open_session("https://propagator.test", TOKEN, verify="given.pem").get("https://propagator.test/v2/user")
    open_session("https://propagator.test", TOKEN).get("https://propagator.test/v2/user")
    assert trusted == ["given.pem", __file__]


def test_a_remover_trusts_the_bundle_of_the_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CEDANA_AUTH_TOKEN", TOKEN)
    monkeypatch.setenv("CEDANA_CA_BUNDLE", "of-the-setting.pem")
    opened: list[object] = []

    def session(_url: str, _token: str, *, verify: object) -> requests.Session:
        opened.append(verify)
        return open_session(url, TOKEN)

    with propagator(FakeBackend()) as url:
        monkeypatch.setattr("PropagatorLibrary.connections.open_session", session)
        client_for(url)
    assert opened == ["of-the-setting.pem"]


def test_a_remover_without_a_token_says_what_is_needed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CEDANA_AUTH_TOKEN", raising=False)
    with pytest.raises(OperationFailed, match="CEDANA_AUTH_TOKEN") as failed:
        client_for("http://127.0.0.1:9")
    assert failed.value.cause.name == "auth"
