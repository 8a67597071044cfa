"""`existing` with kubeconfigs of every kind, against a sandbox behind TLS: who is let in, and who is told why not."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from harness.failures import BadInput, OperationFailed
from harness.kube import Cluster
from harness.kube import login as login_module
from harness.rundir import private_directory
from harness.waiting import Done, Look, Pending, wait_until
from HelmLibrary.engines import find_engine
from HelmLibrary.releases import Target
from K3sLibrary.providers import ExistingProvider
from KubernetesLibrary.execution import Place, execute
from propagator_server.stock.kube import Kube

from .tls_front import Front, front, proxy

Obj = dict[str, Any]
NAME = "api.cluster.internal"
PLUGIN = """
import json, os, sys
count = {count!r}
open(count, "a").write("x")
told = json.loads(os.environ["KUBERNETES_EXEC_INFO"])
open({told!r}, "w").write(json.dumps(told | {{"argv": sys.argv[1:], "secret": os.environ.get("CEDANA_AUTH_TOKEN")}}))
print(json.dumps({{"apiVersion": told["apiVersion"], "kind": "ExecCredential", "status": json.loads({status!r})}}))
"""


@pytest.fixture(scope="module")
def served(sandbox: Obj, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A front with a certificate for its address, before the sandbox."""
    with front(Path(sandbox["kubeconfig"]), tmp_path_factory.mktemp("front"), "127.0.0.1") as made:
        yield made


@pytest.fixture(scope="module")
def pod(sandbox: Obj) -> Iterator[str]:
    """A pod that runs, in namespace default."""
    admin, name = Cluster("admin", Path(sandbox["kubeconfig"])), "for-kubeconfigs"
    container = {"name": "main", "image": "docker.io/library/nginx:1.28.0"}
    admin.core.create_namespaced_pod("default", {"metadata": {"name": name}, "spec": {"containers": [container]}})

    def look() -> Look[None]:
        phase = admin.core.read_namespaced_pod(name, "default").status.phase
        return Done(None) if phase == "Running" else Pending(phase)

    wait_until(look, timeout=60, expected="the pod to run")
    yield name
    admin.core.delete_namespaced_pod(name, "default")


def reached(kubeconfig: str | Path, context: str | None = None) -> Cluster:
    """The cluster as a run holds it, after its API answered."""
    provider = ExistingProvider()
    started = provider.start(kubeconfig=Path(kubeconfig), context=context, timeout=1, keep=False)
    cluster = Cluster("here", started.kubeconfig, started.context)
    assert len(cluster.core.list_node().items) == 2
    return cluster


def plugin(folder: Path, status: Obj, **more: Any) -> Obj:
    """A user with a command that answers so."""
    script = folder / "plugin.py"
    files = {"count": str(folder / "count"), "told": str(folder / "told")}
    script.write_text(f"#!{sys.executable}\n" + PLUGIN.format(status=json.dumps(status), **files))
    script.chmod(0o755)
    spec = {"apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never", "args": ["login", "--quiet"]}
    return {"exec": spec | {"command": "./plugin.py"} | more}


def certificate(made: Front, folder: Path, kind: str) -> Obj:
    """A user with a client certificate, as data or in files beside the kubeconfig."""
    parts = {"client-certificate": made.user.certificate, "client-key": made.user.key}
    if kind == "data":
        return {f"{name}-data": base64.b64encode(text).decode() for name, text in parts.items()}
    for name, text in parts.items():
        (folder / name).write_bytes(text)
    return {name: name for name in parts}


def user(made: Front, folder: Path, kind: str) -> Obj:
    """A user of that kind."""
    (folder / "token").write_text(f"{made.token}\n")
    given = {"clientCertificateData": made.user.certificate.decode(), "clientKeyData": made.user.key.decode()}
    return {
        "token": lambda: {"token": made.token},
        "tokenFile": lambda: {"tokenFile": "token", "token": "an old one"},
        "password": lambda: {"username": "somebody", "password": made.password},
        "certificate data": lambda: certificate(made, folder, "data"),
        "certificate files": lambda: certificate(made, folder, "files"),
        "exec token": lambda: plugin(folder, {"token": made.token}),
        "exec certificate": lambda: plugin(folder, given),
    }[kind]()


KINDS = ("token", "tokenFile", "password", "certificate data", "certificate files", "exec token", "exec certificate")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_user_is_let_in(kind: str, served: Front, pod: str, tmp_path: Path) -> None:
    cluster = reached(served.kubeconfig(tmp_path / "config", user(served, tmp_path, kind)))
    ended = execute(cluster, Place("default", pod, None), ["echo", "here"], timeout=60)
    assert (ended.exit_code, ended.stdout.strip()) == (0, "here")


@pytest.mark.parametrize("kind", KINDS)
def test_helm_is_let_in_as_well(kind: str, served: Front, tmp_path: Path) -> None:
    cluster = reached(served.kubeconfig(tmp_path / "config", user(served, tmp_path, kind)))
    assert find_engine().list(Target(cluster.kubeconfig, cluster.context, "default"), ["default"]) == []


async def asked(kubeconfig: Path) -> int:
    """How many nodes the stock propagator sees, which has a client of its own."""
    kube = Kube(kubeconfig)
    try:
        return len((await kube.get("/api/v1/nodes"))["items"])
    finally:
        await kube.close()


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "tokenFile"])
async def test_the_stock_propagator_is_let_in_as_well(kind: str, served: Front, tmp_path: Path) -> None:
    assert await asked(served.kubeconfig(tmp_path / "config", user(served, tmp_path, kind))) == 2


def test_the_stock_propagator_takes_a_token_of_a_file_and_a_proxy(served: Front, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"{served.token}\n")
    with proxy("me:p@ss word") as (address, connected):
        way = {"proxy_url": f"http://me:p%40ss%20word@{address}"}
        config = served.kubeconfig(tmp_path / "config", {"tokenFile": "token"}, **way)
        assert asyncio.run(asked(config)) == 2
    assert connected == [f"CONNECT {served.url.removeprefix('https://')}"]


@pytest.mark.parametrize("wrong", [{}, {"token": "of-somebody-else"}, {"username": "somebody", "password": "x"}])
def test_others_are_not(wrong: Obj, served: Front, tmp_path: Path) -> None:
    with pytest.raises(ApiException, match="401"):
        reached(served.kubeconfig(tmp_path / "config", wrong))


def test_an_authority_may_be_a_file_and_must_be_the_right_one(served: Front, tmp_path: Path) -> None:
    known = {"token": served.token}
    (tmp_path / "ca.crt").write_bytes(served.authority)
    reached(
        served.kubeconfig(tmp_path / "file", known, certificate_authority_data=None, certificate_authority="ca.crt")
    )
    other = base64.b64encode(served.user.certificate).decode()
    for name, authority in (("none", None), ("other", other)):
        with pytest.raises(HTTPError, match="certificate verify failed"):
            reached(served.kubeconfig(tmp_path / name, known, certificate_authority_data=authority))


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_what_is_told_not_to_be_verified_is_not(served: Front, pod: str, tmp_path: Path) -> None:
    unknown = {"certificate_authority_data": None, "insecure_skip_tls_verify": True}
    cluster = reached(served.kubeconfig(tmp_path / "config", {"token": served.token}, **unknown))
    assert execute(cluster, Place("default", pod, None), ["true"], timeout=60).exit_code == 0


def test_the_name_in_the_certificate_may_be_another(sandbox: Obj, pod: str, tmp_path: Path) -> None:
    with front(Path(sandbox["kubeconfig"]), tmp_path, NAME) as named:
        known = {"token": named.token}
        with pytest.raises(HTTPError, match=r"certificate is not valid for '127.0.0.1'"):
            reached(named.kubeconfig(tmp_path / "without", known))
        named.names.clear()
        cluster = reached(named.kubeconfig(tmp_path / "with", known, tls_server_name=NAME))
        assert execute(cluster, Place("default", pod, None), ["true"], timeout=60).exit_code == 0
        assert set(named.names) == {NAME}


@pytest.mark.parametrize("login", ["", "me:p@ss word"])
def test_a_proxy_is_gone_through(
    login: str, served: Front, pod: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")  # a kubeconfig's own proxy is for every host
    with proxy(login) as (address, asked):
        who = "me:p%40ss%20word@" if login else ""
        config = served.kubeconfig(tmp_path / "config", {"token": served.token}, proxy_url=f"http://{who}{address}")
        cluster = reached(config)
        rest = len(asked)
        assert execute(cluster, Place("default", pod, None), ["true"], timeout=60).exit_code == 0
        assert set(asked) == {f"CONNECT {served.url.removeprefix('https://')}"}
        assert 0 < rest < len(asked)


def test_several_files_are_one_as_for_kubectl(served: Front, tmp_path: Path) -> None:
    """The first current-context holds, what is missing in one file is in another, and paths are of their own file."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    first = yaml.safe_load(served.kubeconfig(one / "config", {}).read_text())
    first["users"] = []
    (one / "config").write_text(yaml.safe_dump(first))
    second = yaml.safe_load(served.kubeconfig(two / "config", certificate(served, two, "files")).read_text())
    second |= {"current-context": "there", "clusters": [{"name": "here", "cluster": {"server": "https://127.0.0.1:1"}}]}
    (two / "config").write_text(yaml.safe_dump(second))
    path = os.pathsep.join([str(one / "config"), str(tmp_path / "missing"), str(two / "config")])
    cluster = reached(path)
    assert cluster.context == "here"
    assert cluster.kubeconfig.parent == private_directory()
    assert cluster.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert find_engine().list(Target(cluster.kubeconfig, cluster.context, "default"), ["default"]) == []


def test_a_context_is_chosen_among_several(served: Front, tmp_path: Path) -> None:
    content = yaml.safe_load(served.kubeconfig(tmp_path / "config", {"token": served.token}).read_text())
    content["current-context"] = "nobody's"
    content["contexts"].append({"name": "nobody's", "context": {"cluster": "here", "user": "missing"}})
    (tmp_path / "config").write_text(yaml.safe_dump(content))
    assert reached(tmp_path / "config", "here").context == "here"
    with pytest.raises(BadInput, match="there is no user 'missing' in it, but me"):
        reached(tmp_path / "config")


def test_a_command_is_run_once_for_all_threads_and_again_when_its_token_ends(served: Front, tmp_path: Path) -> None:
    ends = {"token": served.token, "expirationTimestamp": "2099-01-01T00:00:00Z"}
    cluster = reached(served.kubeconfig(tmp_path / "config", plugin(tmp_path, ends)))
    thread = threading.Thread(target=cluster.core.list_node)
    thread.start()
    thread.join()
    assert (tmp_path / "count").read_text() == "x"
    over = ends | {"expirationTimestamp": "2020-01-01T00:00:00Z"}
    cluster = reached(served.kubeconfig(tmp_path / "config", plugin(tmp_path, over)))
    cluster.core.list_node()
    assert len((tmp_path / "count").read_text()) > 2


def test_a_command_is_told_of_the_cluster_when_it_asks_and_of_no_secrets(
    served: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEDANA_AUTH_TOKEN", "secret")
    (tmp_path / "ca.crt").write_bytes(served.authority)
    asks = plugin(tmp_path, {"token": served.token}, provideClusterInfo=True)
    extensions = [{"name": "client.authentication.k8s.io/exec", "extension": {"audience": "me"}}]
    authority = {"certificate_authority_data": None, "certificate_authority": "ca.crt"}
    reached(served.kubeconfig(tmp_path / "config", asks, extensions=extensions, **authority))
    told = json.loads((tmp_path / "told").read_text())
    assert told["argv"] == ["login", "--quiet"]
    assert told["secret"] is None
    assert told["spec"]["interactive"] is False
    assert told["spec"]["cluster"] == {
        "server": served.url,
        "certificate-authority-data": base64.b64encode(served.authority).decode(),
        "config": {"audience": "me"},
    }


def test_a_token_in_a_file_may_be_replaced_meanwhile(served: Front, tmp_path: Path) -> None:
    cluster = reached(served.kubeconfig(tmp_path / "config", user(served, tmp_path, "tokenFile")))
    (tmp_path / "token").write_text("not any more")
    with pytest.raises(ApiException, match="401"):
        cluster.core.list_node()
    (tmp_path / "token").unlink()
    with pytest.raises(OperationFailed, match="No such file") as failure:
        cluster.core.list_node()
    assert failure.value.cause.name == "cluster-refused"


FAILING: dict[str, tuple[Obj, str]] = {
    "not there": ({"command": "no-such-plugin", "installHint": "get it from your cloud"}, "get it from your cloud"),
    "refuses": ({"command": "sh", "args": ["-c", "echo session expired >&2; exit 3"]}, "status 3: session expired"),
    "talks": ({"command": "echo", "args": ["log in at https://..."]}, "what it printed is no ExecCredential"),
    "another version": ({"command": "echo", "args": ['{"apiVersion": "v0"}']}, "it answered in v0"),
    "gives nothing": (
        {"command": "echo", "args": ['{"apiVersion": "client.authentication.k8s.io/v1", "status": {}}']},
        "it gave neither a token nor a certificate with its key",
    ),
    "waits": ({"command": "sleep", "args": ["60"]}, "it did not end within 0.2 s; does it wait for somebody?"),
}


@pytest.mark.parametrize("how", FAILING)
def test_a_command_that_fails_is_told_with_its_words(
    how: str, served: Front, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "waits":
        monkeypatch.setattr(login_module, "PLUGIN_TIMEOUT", 0.2)
    spec, words = FAILING[how]
    fails = {"exec": {"apiVersion": "client.authentication.k8s.io/v1"} | spec}
    with pytest.raises(OperationFailed) as failure:
        reached(served.kubeconfig(tmp_path / "config", fails))
    assert words in failure.value.seen
    assert failure.value.cause.name == "cluster-refused"


REFUSED: dict[str, tuple[Obj, Obj, str]] = {
    "impersonation": ({"token": "x", "as": "jane", "as-groups": ["admins"]}, {}, "acts as another one (as, as-groups)"),
    "gcp": ({"auth-provider": {"name": "gcp"}}, {}, "auth-provider 'gcp', which Kubernetes 1.26 took out"),
    "socks": ({"token": "x"}, {"proxy_url": "socks5://127.0.0.1:1"}, "its proxy-url begins with socks5://"),
    "a terminal": ({"exec": {"command": "x", "apiVersion": "v1", "interactiveMode": "Always"}}, {}, "at a terminal"),
    "no command": ({"exec": {"apiVersion": "v1"}}, {}, "its exec plugin needs command and apiVersion"),
    "an empty token": ({"tokenFile": "empty"}, {}, "empty is empty"),
    "no server": ({}, {"server": None}, "names no server"),
    "a missing file": ({"client-certificate": "nowhere.crt", "client-key": "nowhere.key"}, {}, "nowhere.crt"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_done_is_told_before_anything_is_asked(what: str, served: Front, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    who, cluster, words = REFUSED[what]
    with pytest.raises(BadInput) as failure:
        reached(served.kubeconfig(tmp_path / "config", who, **cluster))
    assert failure.value.name == "KUBECONFIG"
    assert words in failure.value.allowed


def test_no_secret_of_a_broken_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("users:\n- name: me\n  user: {token: very-secret, a: [}\n")
    with pytest.raises(BadInput) as failure:
        reached(file)
    assert "very-secret" not in str(failure.value)
