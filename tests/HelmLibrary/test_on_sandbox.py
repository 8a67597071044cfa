"""Releases on the emulated cluster, by each engine: the wheel, and a `helm` command."""

from __future__ import annotations

import functools
import http.server
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import helm_python
import pytest
import requests
from kubernetes.client.exceptions import ApiException
from tests.HelmLibrary.places import TOKEN, children_with, stand_in_helm

from harness.failures import E2EFailure, NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster, objects
from harness.kube.pods import raw
from harness.ledger import Ledger
from harness.waiting import Done, Look, Pace, Pending, wait_until
from HelmLibrary.charts import chart_of
from HelmLibrary.command_engine import find_command
from HelmLibrary.embedded_engine import CHILD, find_embedded
from HelmLibrary.operations import _TAKEN, Helm, namespaces_with_releases, values_of_chart
from HelmLibrary.releases import Chart, Engine, Order, Values
from HelmLibrary.removal import ReleaseRemover

NEEDED = {"authToken": TOKEN, "url": "http://127.0.0.1:1", "clusterId": "6f1c7e1c-0000-4000-8000-000000000001"}
SMALL = {"limits": {"cpu": "200m", "memory": "128Mi"}, "requests": {"cpu": "100m", "memory": "64Mi"}}
PLAIN = {"uninstaller": {"enabled": False}}
WITH_UNINSTALLER = {"uninstaller": {"enabled": True}}
NOT_READY = {"key": "cedana.ai/not-ready", "effect": "NoSchedule"}
LONG = 30.0
OFTEN = Pace(least=0.001, share=0.0, most=0.001)


@pytest.fixture
def cluster(sandbox: dict[str, Any]) -> Cluster:
    return Cluster("helm-tests", Path(sandbox["kubeconfig"]))


both_engines = pytest.mark.parametrize("engine", ["wheel", "command"], indirect=True)


@pytest.fixture
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """The wheel, or what a test is marked with."""
    if getattr(request, "param", "wheel") == "wheel":
        found: Engine | None = find_embedded()
    else:
        # A real helm is taken where there is one on PATH.
        found = find_command()
    if not found:
        monkeypatch.setenv("PATH", f"{stand_in_helm(tmp_path).parent}{os.pathsep}{os.environ['PATH']}")
        found = find_command()
    assert found
    return found


@pytest.fixture
def helm(engine: Engine, cluster: Cluster, ledger: Ledger, request: pytest.FixtureRequest) -> Iterator[Helm]:
    """Helm in a namespace of the test's own; what the test leaves is removed by the ledger."""
    number = abs(hash(request.node.nodeid)) % 10**8
    namespace = f"helm-{number}"
    yield Helm(engine, cluster, namespace)
    for entry in reversed(ledger.owed()):
        if entry.kind == "helm-release" and ReleaseRemover().exists(entry):
            ReleaseRemover().remove(entry, LONG)
    if is_there(cluster, namespace):
        cluster.core.delete_namespace(namespace)


def namespace_of(helm: Helm) -> str:
    return helm._namespace


def order(sandbox: dict[str, Any], *, wait: bool = True, timeout: float = LONG, **values: Any) -> Order:
    config = NEEDED | values.pop("config", {})
    usual = {"controllerManager": {"manager": {"resources": SMALL}}, "daemonHelper": {"resources": SMALL}, **PLAIN}
    return Order(Chart(sandbox["chart"]), Values(None, {**usual, **values, "config": config}), wait, timeout)


def is_there(cluster: Cluster, namespace: str) -> bool:
    try:
        found = raw(cluster.core.read_namespace, namespace)
    except ApiException as problem:
        if problem.status == 404:
            return False
        raise
    return "deletionTimestamp" not in found["metadata"]


def settings(cluster: Cluster, namespace: str) -> dict[str, str]:
    found: dict[str, str] = raw(cluster.core.read_namespaced_config_map, "cedana-config", namespace)["data"]
    return found


@both_engines
def test_from_install_to_uninstall(helm: Helm, cluster: Cluster, sandbox: dict[str, Any], ledger: Ledger) -> None:
    namespace = namespace_of(helm)

    installed = helm.install("cedana", order(sandbox, **WITH_UNINSTALLER), create_namespace=True)
    assert (installed.name, installed.namespace, installed.revision, installed.status) == (
        "cedana",
        namespace,
        1,
        "deployed",
    )
    assert installed.chart == "cedana-0.7.6-emulated"
    assert installed.app_version == "2.0.2.7-emulated"
    pods = raw(cluster.core.list_namespaced_pod, namespace)["items"]
    assert {pod["metadata"]["labels"]["app.kubernetes.io/component"] for pod in pods} == {
        "manager",
        "helper",
        "health-check",
    }
    assert all(one["ready"] for pod in pods for one in pod["status"]["containerStatuses"])
    assert helm.get_values("cedana", computed=False)["config"] == NEEDED
    assert helm.get_values("cedana", computed=True)["config"]["protocol"] == "tcp"

    upgraded = helm.upgrade("cedana", order(sandbox, config={"logLevel": "debug"}, **WITH_UNINSTALLER))
    assert (upgraded.revision, upgraded.status) == (2, "deployed")
    assert settings(cluster, namespace)["log-level"] == "debug"

    rolled_back = helm.rollback("cedana", None, wait=True, timeout=LONG)
    assert (rolled_back.revision, rolled_back.status) == (3, "deployed")
    assert settings(cluster, namespace)["log-level"] == "info"

    assert [(one.name, one.revision) for one in helm.releases()] == [("cedana", 3)]
    assert namespace in namespaces_with_releases(cluster)
    helm.wait_until_ready("cedana", LONG)

    cluster.core.patch_node("node-1", {"spec": {"taints": [NOT_READY]}})
    left = helm.uninstall("cedana", wait=True, timeout=LONG)
    assert left.removed
    assert not is_there(cluster, namespace), "the chart's uninstaller deletes it"
    assert not raw(cluster.core.read_node, "node-1")["spec"].get("taints")
    assert {thing.name for thing in left.kept} >= {"cedana-uninstaller", "cedana-uninstaller-crb"}
    assert helm.find("cedana") is None
    for name in ("cedana-manager-role", "cedana-uninstaller-clusterrole"):
        assert objects.find(cluster, "rbac.authorization.k8s.io/v1", "ClusterRole", "", name) is None
    assert not [entry for entry in ledger.owed() if entry.kind == "helm-release"]


def failing(cause: str, *texts: str, kind: type[E2EFailure] = OperationFailed) -> Any:
    """Expects that failure, with the cause, and with these texts in its message."""
    return pytest.raises(
        kind, check=lambda failure: failure.cause.name == cause and all(one in str(failure) for one in texts)
    )


@both_engines
def test_an_image_that_cannot_be_pulled_is_the_cause(helm: Helm, sandbox: dict[str, Any], ledger: Ledger) -> None:
    image = {"manager": {"image": {"repository": "registry.example.test/nope"}}}
    words = ("Deployment cedana-manager has 0 of 1 pods ready", "ErrImagePull")
    with failing("image-pull", *words, kind=WaitTimedOut):
        helm.install("cedana", order(sandbox, timeout=4, controllerManager=image), create_namespace=True)
    assert [entry.kind for entry in ledger.owed()] == ["namespace", "helm-release"]
    with failing("helm-failed", "there is one already", "deployed, revision 1"):
        helm.install("cedana", order(sandbox), create_namespace=False)
    assert [entry.kind for entry in ledger.owed()] == ["namespace", "helm-release"]
    fixed = helm.upgrade("cedana", order(sandbox))
    assert (fixed.revision, fixed.status) == (2, "deployed")


def test_pods_are_believed_and_not_only_helm(helm: Helm, sandbox: dict[str, Any]) -> None:
    image = {"image": {"repository": "registry.example.test/nope"}}
    with failing("image-pull", "DaemonSet cedana-he", "0 of", kind=E2EFailure):
        helm.install("cedana", order(sandbox, timeout=4, daemonHelper=image, **WITH_UNINSTALLER), create_namespace=True)
    # Its uninstaller has the same image; nobody waits for what cannot start.
    assert helm.uninstall("cedana", wait=True, timeout=LONG).removed


def test_without_wait_nobody_waits(helm: Helm, sandbox: dict[str, Any]) -> None:
    image = {"manager": {"image": {"repository": "registry.example.test/nope"}}}
    installed = helm.install("cedana", order(sandbox, wait=False, controllerManager=image), create_namespace=True)
    assert installed.status == "deployed"
    with failing("image-pull", "ErrImagePull", kind=WaitTimedOut):
        helm.wait_until_ready("cedana", 4)


@both_engines
def test_a_chart_that_refuses_its_values_leaves_nothing(helm: Helm, sandbox: dict[str, Any], ledger: Ledger) -> None:
    with failing("bad-chart", "required values are missing: config.url"):
        helm.install("cedana", order(sandbox, config={"url": ""}), create_namespace=True)
    assert [entry.kind for entry in ledger.owed()] == ["namespace"]
    assert helm.find("cedana") is None


@both_engines
def test_a_namespace_that_is_missing(helm: Helm, sandbox: dict[str, Any], ledger: Ledger) -> None:
    with failing("helm-failed", "not found"):
        helm.install("cedana", order(sandbox), create_namespace=False)
    assert not ledger.owed()


def test_a_namespace_that_it_brings_lets_pods_do_what_they_must(
    helm: Helm, cluster: Cluster, sandbox: dict[str, Any]
) -> None:
    helm.install("cedana", order(sandbox, wait=False), create_namespace=True, pod_security="privileged")
    labels = cluster.core.read_namespace(namespace_of(helm)).metadata.labels
    assert labels["pod-security.kubernetes.io/enforce"] == "privileged"
    helm.uninstall("cedana", wait=True, timeout=LONG)


def test_a_namespace_that_was_there_is_not_ours(
    helm: Helm, cluster: Cluster, sandbox: dict[str, Any], ledger: Ledger
) -> None:
    cluster.core.create_namespace({"metadata": {"name": namespace_of(helm)}})
    helm.install("cedana", order(sandbox, wait=False), create_namespace=True)
    assert [entry.kind for entry in ledger.owed()] == ["helm-release"]
    helm.uninstall("cedana", wait=True, timeout=LONG)
    assert is_there(cluster, namespace_of(helm))


@both_engines
def test_releases_that_are_not_there(helm: Helm, sandbox: dict[str, Any]) -> None:
    with failing("helm-failed", "releases there: none", kind=NotAsExpected):
        helm.get("cedana")
    with failing("helm-failed", "has no deployed releases"):
        helm.upgrade("cedana", order(sandbox))
    for act in (
        lambda: helm.rollback("cedana", 1, wait=True, timeout=5),
        lambda: helm.get_values("cedana", computed=False),
    ):
        with failing("helm-failed", "not found"):
            act()
    with failing("helm-failed", "not found"):
        helm.uninstall("cedana", wait=True, timeout=5)


def test_the_ledger_ends_an_uninstall_that_was_broken_off(
    helm: Helm, cluster: Cluster, sandbox: dict[str, Any], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm.install("cedana", order(sandbox, **WITH_UNINSTALLER), create_namespace=True)
    entry = next(one for one in ledger.owed() if one.kind == "helm-release")

    def broken_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Helm, "remove_kept", broken_off)
        with pytest.raises(KeyboardInterrupt):
            helm.uninstall("cedana", wait=True, timeout=LONG)
    assert not helm.is_stored("cedana")
    remover = ReleaseRemover()
    assert remover.exists(entry)
    remover.remove(entry, LONG)
    assert not remover.exists(entry)


def test_a_release_of_somebody_else_is_uninstalled_without_what_it_keeps(
    helm: Helm, cluster: Cluster, sandbox: dict[str, Any], ledger: Ledger
) -> None:
    helm.install("cedana", order(sandbox, **WITH_UNINSTALLER), create_namespace=True)
    entry = next(one for one in ledger.owed() if one.kind == "helm-release")
    ledger.gone(entry)
    left = helm.uninstall("cedana", wait=True, timeout=LONG)
    assert not left.removed
    role = ("rbac.authorization.k8s.io/v1", "ClusterRole", "", "cedana-uninstaller-clusterrole")
    assert objects.find(cluster, *role) is not None
    for thing in left.kept:
        objects.delete(cluster, thing.api_version, thing.kind, thing.namespace, thing.name, uid=None, timeout=LONG)


@both_engines
def test_a_release_that_somebody_else_installs_meanwhile_is_theirs(
    helm: Helm, sandbox: dict[str, Any], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    helm.install("cedana", order(sandbox, wait=False), create_namespace=True)
    theirs = next(one for one in ledger.owed() if one.kind == "helm-release")
    with monkeypatch.context() as patch:
        patch.setattr(Helm, "is_stored", lambda *_: False)
        with failing("helm-failed", "somebody else has installed one of that name meanwhile"):
            helm.install("cedana", order(sandbox, wait=False), create_namespace=True)
    assert [one for one in ledger.owed() if one.kind == "helm-release"] == [theirs]


@pytest.mark.parametrize("words", ["cannot re-use a name that is still in use", "release: already exists"])
def test_every_word_of_helm_for_a_name_that_is_taken(words: str) -> None:
    assert _TAKEN.search(f"Error: INSTALLATION FAILED: {words}")


def test_a_release_that_was_installed_anew_by_others_is_not_removed(
    helm: Helm, sandbox: dict[str, Any], ledger: Ledger
) -> None:
    helm.install("cedana", order(sandbox, wait=False), create_namespace=True)
    entry = next(one for one in ledger.owed() if one.kind == "helm-release")
    helm.upgrade("cedana", order(sandbox, wait=False))
    remover = ReleaseRemover()
    assert remover.exists(entry)
    helm._engine.uninstall(helm._target, "cedana", wait=True, timeout=LONG)
    assert not remover.exists(entry)
    helm._engine.install(helm._target, "cedana", order(sandbox, wait=False))
    assert not remover.exists(entry)
    remover.remove(entry, LONG)
    assert helm.is_stored("cedana")
    helm._engine.uninstall(helm._target, "cedana", wait=True, timeout=LONG)


@pytest.mark.parametrize(("earlier", "ours"), [(0, True), (3600, False), (-3600, False)])
def test_a_release_whose_install_did_not_live_to_be_noted_is_known_by_its_time(
    helm: Helm, sandbox: dict[str, Any], ledger: Ledger, earlier: int, ours: bool
) -> None:
    """`earlier`: by how many seconds the release was there before the run wrote down that it would install one."""
    helm.install("cedana", order(sandbox, wait=False), create_namespace=True)
    noted = next(one for one in ledger.owed() if one.kind == "helm-release")
    begun = datetime.fromisoformat(noted.at) + timedelta(seconds=earlier)
    find = {key: value for key, value in noted.find.items() if key != "stored"}
    killed = replace(noted, number=-1, state="intended", find=find, at=begun.isoformat())  # of another ledger
    assert ReleaseRemover().exists(killed) is ours
    ReleaseRemover().remove(killed, LONG)
    assert helm.is_stored("cedana") is not ours
    if ours:
        ledger.gone(noted)


def test_a_killed_engine_leaves_no_release_pending_in_silence(helm: Helm, sandbox: dict[str, Any]) -> None:
    def killed() -> Look[None]:
        for child in children_with(str(CHILD)):
            if helm.is_stored("cedana"):
                os.kill(int(child.name), signal.SIGKILL)
                requests.delete(faults, timeout=60)
                return Done(None)
        return Pending("no engine at work")

    faults = f"{sandbox['admin_url']}/faults"
    requests.post(faults, json={"name": "api-slow", "seconds": 0.3}, timeout=60)  # it is still at work when it is seen
    killer = threading.Thread(target=lambda: wait_until(killed, timeout=LONG, expected="an engine at work", pace=OFTEN))
    killer.start()
    image = {"manager": {"image": {"repository": "registry.example.test/nope"}}}
    with failing("helm-failed", "left as pending-install, revision 1", "uninstall the release", "ended with status -9"):
        helm.install("cedana", order(sandbox, controllerManager=image), create_namespace=True)
    killer.join()
    with failing("helm-failed", "another operation", "left as pending-install"):
        helm.upgrade("cedana", order(sandbox))
    helm.uninstall("cedana", wait=True, timeout=LONG)
    assert helm.find("cedana") is None


@both_engines
def test_nothing_is_written_under_the_home(
    helm: Helm, sandbox: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    helm.install("cedana", order(sandbox, wait=False), create_namespace=True)
    assert not [one for one in home.rglob("*") if one.is_file()]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory, sandbox: dict[str, Any]) -> Iterator[tuple[str, Path]]:
    """A chart repository on loopback that has the stand-in chart, and the chart's archive."""
    folder = tmp_path_factory.mktemp("repository")
    archive = Path(helm_python.package(sandbox["chart"], destination=folder))
    helm_python.repo_index_generate(folder)
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(folder))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", archive
    server.shutdown()
    server.server_close()


@both_engines
@pytest.mark.parametrize("form", ["repository", "archive"])
def test_charts_from_elsewhere(
    form: str, engine: Engine, helm: Helm, sandbox: dict[str, Any], repository: tuple[str, Path]
) -> None:
    url, archive = repository
    charts = {
        "repository": chart_of("cedana", "0.7.6-emulated", url),
        "archive": chart_of(str(archive), None, None),
    }
    assert values_of_chart(engine, charts[form])["config"]["logLevel"] == "info"
    wanted = replace(order(sandbox, wait=False), chart=charts[form])
    assert helm.install("cedana", wanted, create_namespace=True).chart == "cedana-0.7.6-emulated"


@both_engines
def test_a_repository_without_the_chart(
    engine: Engine, helm: Helm, sandbox: dict[str, Any], repository: tuple[str, Path]
) -> None:
    missing = replace(order(sandbox), chart=chart_of("nope", None, repository[0]))
    with failing("bad-chart", "nope"):
        values_of_chart(engine, missing.chart)
    with failing("bad-chart", "nope"):
        helm.install("cedana", missing, create_namespace=True)
