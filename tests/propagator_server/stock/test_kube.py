"""The stock propagator's client: it goes on past an API server that is overloaded or away, and leaves no trace."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from kubernetes.config import ConfigException

from propagator_server.stock import kube as kube_module
from propagator_server.stock.access import access
from propagator_server.stock.kube import Kube, KubeError
from sandbox.tls import tls_for

Object = dict[str, Any]
STATUS = {"kind": "Status", "apiVersion": "v1"}
PATH = "/api/v1/nodes"
PREFIX = "/k8s/clusters/c-1"


class Scripted:
    """An API server below a path, which answers what it is told, one after the other, and the last for ever."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, Object, dict[str, str]]] = []
        self.asked: list[str] = []
        self.tokens: list[str] = []

    def tell(self, status: int, body: Object | None = None, **headers: str) -> None:
        """One more answer."""
        self.answers.append((status, body or {}, headers))

    async def answer(self, request: web.Request) -> web.Response:
        """The next one."""
        self.asked.append(f"{request.method} {request.path}")
        self.tokens.append(request.headers.get("Authorization", ""))
        status, body, headers = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return web.json_response(body, status=status, headers=headers)


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


@pytest.fixture
async def kubeconfig(scripted: Scripted, tmp_path: Path) -> AsyncIterator[Path]:
    """Of that server, with a token in a file."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", scripted.answer)
    async with TestServer(app) as server:
        (tmp_path / "token").write_text("first\n")
        yield written(tmp_path, str(server.make_url(PREFIX)), {"tokenFile": "token"})


def written(folder: Path, server: str, user: Object, **cluster: Any) -> Path:
    """A kubeconfig."""
    content = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "u", "user": user}],
    }
    file = folder / "kubeconfig"
    file.write_text(yaml.safe_dump(content))
    return file


async def ask(kubeconfig: Path, method: str = "GET", path: str = PATH) -> Object:
    """One request."""
    kube = Kube(kubeconfig)
    try:
        return await kube.request(method, path)
    finally:
        await kube.close()


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
async def test_a_read_is_repeated_where_the_server_is_away(status: int, scripted: Scripted, kubeconfig: Path) -> None:
    scripted.tell(status, STATUS)
    scripted.tell(200, {"items": []})
    assert await ask(kubeconfig) == {"items": []}
    assert scripted.asked == [f"GET {PREFIX}{PATH}"] * 2


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("POST", PATH, 503), ("DELETE", PATH, 500), ("GET", "/api/v1/namespaces/n/pods/https:p:1/proxy/x", 503),
     ("GET", PATH, 404), ("GET", PATH, 403)],
)  # fmt: skip
async def test_what_may_have_been_done_or_is_refused_is_not(
    method: str, path: str, status: int, scripted: Scripted, kubeconfig: Path
) -> None:
    scripted.tell(status, {**STATUS, "message": "its words"})
    with pytest.raises(KubeError, match="its words") as failure:
        await ask(kubeconfig, method, path)
    assert failure.value.status == status
    assert len(scripted.asked) == 1


async def test_what_was_refused_for_its_number_was_not_done(scripted: Scripted, kubeconfig: Path) -> None:
    scripted.tell(429, STATUS, **{"Retry-After": "0"})
    scripted.tell(201, {"kind": "Pod"})
    assert (await ask(kubeconfig, "POST"))["kind"] == "Pod"
    scripted.answers[:] = []
    scripted.tell(429, STATUS, **{"Retry-After": "3600"})
    with pytest.raises(KubeError):
        await ask(kubeconfig, "POST")
    assert len(scripted.asked) == 3


async def test_a_server_that_stays_away_is_told(
    scripted: Scripted, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kube_module, "PAUSES", (0.0, 0.0))
    scripted.tell(503, {**STATUS, "message": "etcd has no leader"})
    with pytest.raises(KubeError, match="etcd has no leader"):
        await ask(kubeconfig)
    assert len(scripted.asked) == 3


async def test_credentials_that_were_replaced_are_read_again(scripted: Scripted, kubeconfig: Path) -> None:
    kube = Kube(kubeconfig)
    (kubeconfig.parent / "token").write_text("second\n")
    scripted.tell(401, {**STATUS, "message": "Unauthorized"})
    scripted.tell(200)
    assert await kube.get(PATH) == {}
    scripted.answers[:] = []
    scripted.tell(401, {**STATUS, "message": "Unauthorized"})
    with pytest.raises(KubeError, match="Unauthorized"):
        await kube.get(PATH)
    await kube.close()
    assert scripted.tokens == ["Bearer first", *["Bearer second"] * 3]


async def test_who_stands_behind_a_proxy_and_knows_us_not_is_told_at_once(scripted: Scripted, kubeconfig: Path) -> None:
    scripted.tell(401, {"message": "X-Agent-Token is missing or wrong"})
    with pytest.raises(KubeError, match="X-Agent-Token"):
        await ask(kubeconfig)
    assert len(scripted.asked) == 1


async def test_a_netrc_does_not_stand_in_for_the_kubeconfig(
    scripted: Scripted, kubeconfig: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = kubeconfig.parent / "netrc"
    netrc.write_text("default login me password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    scripted.tell(200)
    await ask(kubeconfig)
    assert scripted.tokens == ["Bearer first"]


@pytest.mark.parametrize(
    ("exceptions", "way"),
    [("10.0.0.0/8", None), ("10.1.2.3", None), ("localhost,.corp.example", "http://proxy.example:3128"),
     ("", "http://proxy.example:3128")],
)  # fmt: skip
def test_everybodys_proxy_has_everybodys_exceptions(
    exceptions: str, way: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", exceptions)
    made = access(written(tmp_path, "https://10.1.2.3:6443", {"token": "x"}), None)
    assert made.how["proxy"] == way


@pytest.mark.parametrize(
    ("user", "cluster", "words"),
    [({"token": "x", "as": "jane"}, {}, "acts as another one (as)"),
     ({"token": "x"}, {"proxy-url": "socks5://127.0.0.1:1"}, "begins with socks5://")],
)  # fmt: skip
def test_what_is_not_done_is_refused(user: Object, cluster: Object, words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigException) as refused:
        access(written(tmp_path, "https://127.0.0.1:1", user, **cluster), None)
    assert words in str(refused.value)


def test_what_is_no_kubeconfig_is_said_in_a_sentence(tmp_path: Path) -> None:
    for text in ("a: [", "- 1", "clusters: 1\ncontexts: 2\ncurrent-context: c"):
        (tmp_path / "kubeconfig").write_text(text)
        with pytest.raises(ConfigException):
            access(tmp_path / "kubeconfig", None)


def test_no_key_stays_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:

    authority = tls_for(tmp_path, ()).authority
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))

    known = {"certificate-authority-data": base64.b64encode(authority).decode()}
    made = access(written(tmp_path, "https://127.0.0.1:1", {"token": "x"}, **known), None)
    assert made.how["ssl"] is not True
    assert list(place.iterdir()) == []
