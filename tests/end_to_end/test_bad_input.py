"""What cannot be used is said in one sentence each, before anything is created."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .cluster_state import standing
from .runner import QUICK, ROOT, Folders, Run, blame, run


def _ended_before_anything_was_created(ended: Run) -> None:
    assert ended.status != 0
    assert "Traceback" not in ended.console
    assert "Setting up" not in ended.console
    assert ended.folders.left() == []
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"bad-settings"}


def test_all_wrong_settings_are_said_at_once(folders: Folders) -> None:
    ended = run(
        folders,
        "--variable",
        "PROVIDER:minikube",
        "--variable",
        "CEDANA_AUTH_TOKEN:s3cr3t-on-the-line",
        "--loglevel",
        "TRACE",
        KEEP="sometimes",
        CLUSTER_ID="no-uuid",
        POD_TIMEOUT="soon",
        CEDANA_URL="not a url",
    )
    _ended_before_anything_was_created(ended)
    for sentence in (
        "PROVIDER is 'minikube'; it must be one of sandbox, k3s, docker, existing, generic.",
        "KEEP is 'sometimes'; it must be one of never, on-failure, always.",
        "CLUSTER_ID is 'no-uuid'; it must be a lower-case UUID.",
        "POD_TIMEOUT is 'soon'; it must be a duration",
        "CEDANA_URL is 'not a url'; it must be the URL of a propagator",
        "CEDANA_AUTH_TOKEN was given on the command line",
    ):
        assert sentence in ended.console
    assert "s3cr3t-on-the-line" not in ended.console
    assert b"s3cr3t-on-the-line" not in (folders.output / "output.xml").read_bytes()


def test_a_chart_that_is_not_there_and_nothing_is_kept_where_nothing_was_made(folders: Folders, tmp_path: Path) -> None:
    ended = run(folders, HELM_CHART=str(tmp_path / "none.tgz"), KEEP="always")
    _ended_before_anything_was_created(ended)
    assert f"HELM_CHART is '{tmp_path / 'none.tgz'}'; it must be the path of a chart's directory" in ended.console
    assert "is kept" not in ended.console


def test_a_cluster_that_the_propagator_does_not_know(folders: Folders, existing: dict[str, str]) -> None:
    unknown = "11111111-1111-4111-8111-111111111111"
    ended = run(folders, CLUSTER_ID=unknown, **existing)
    assert ended.status != 0
    assert f"to know cluster {unknown}" in ended.console
    assert "Look next: CLUSTER_ID" in ended.console
    assert "Deploying Cedana" not in ended.console
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"bad-settings"}
    assert folders.left() == []


def test_existing_without_what_it_needs(folders: Folders, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    ended = run(folders, PROVIDER="existing", KUBECONFIG=str(empty))
    _ended_before_anything_was_created(ended)
    assert f"KUBECONFIG is '{empty}'; it must be the path of a file that is not empty." in ended.console
    assert "CEDANA_URL is not set; PROVIDER=existing needs it." in ended.console
    assert "CEDANA_AUTH_TOKEN is not set; PROVIDER=existing needs it." in ended.console


def test_without_one_skip_helm_says_so(folders: Folders, existing: dict[str, str]) -> None:
    ended = run(folders, *QUICK, SKIP_HELM="1", **existing)
    assert ended.status != 0
    assert "Seen: there is no ConfigMap cedana-config" in ended.console
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"bad-settings"}
    assert folders.left() == []


def test_a_wrong_token_ends_the_run_at_the_propagator(
    folders: Folders, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    before = standing(sandbox)
    ended = run(folders, *QUICK, "--loglevel", "TRACE", **existing | {"CEDANA_AUTH_TOKEN": "wr0ng-t0ken-0f-the-test"})
    assert ended.status != 0
    assert "Registering cluster with the propagator... FAIL" in ended.console
    assert "Deploying Cedana" not in ended.console
    assert "Cause: auth (service)" in ended.console
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"auth"}
    assert "wr0ng-t0ken-0f-the-test" not in ended.console
    assert b"wr0ng-t0ken-0f-the-test" not in (folders.output / "output.xml").read_bytes()
    assert standing(sandbox) == before
    assert folders.left() == []
    status, said = blame(ended, folders)
    assert status == 5
    assert "service: auth - Pod Checkpoint And Restore Via Propagator API" in said.splitlines()


def test_a_propagator_that_nobody_serves_is_a_service_failure(folders: Folders, existing: dict[str, str]) -> None:
    ended = run(folders, *QUICK, **existing | {"CEDANA_URL": "http://127.0.0.1:9"})
    assert ended.status != 0
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"propagator-unreachable"}
    assert folders.left() == []


def test_a_cluster_that_nobody_serves_is_an_environment_failure(
    folders: Folders, existing: dict[str, str], tmp_path: Path
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        """
apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "https://127.0.0.1:9"}}]
contexts: [{name: x, context: {cluster: c, user: u}}]
current-context: x
users: [{name: u, user: {}}]
"""
    )
    settings = existing | {"KUBECONFIG": str(kubeconfig), "CLUSTER_TIMEOUT": "1 s"}
    ended = run(folders, *QUICK, **settings)
    assert ended.status != 0
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"cluster-unreachable"}
    assert folders.left() == []


def test_manifests_that_cannot_be_used(folders: Folders, tmp_path: Path) -> None:
    told = {
        "empty": ("", "empty"),
        "broken": ("a: [", "YAML"),
        "other": ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", "Pod"),
    }
    for name, (content, _) in told.items():
        (tmp_path / f"{name}.yaml").write_text(content)
    tests = "".join(f"{name}\n    Deploy Workload    {name}\n" for name in told)
    suite = tmp_path / "suite.robot"
    suite.write_text(
        f"""
*** Settings ***
Resource    {ROOT}/resources/lifecycle.resource
Suite Setup    Begin

*** Test Cases ***
{tests}
*** Keywords ***
Begin
    VAR    ${{RUN_NAMESPACE}}    none    scope=GLOBAL
    VAR    ${{WORKLOADS}}    {tmp_path}    scope=GLOBAL
"""
    )
    ended = run(folders, what=str(suite))
    assert ended.status == len(told)
    for name, (_, words) in told.items():
        message = ended.test(name).message
        assert str(tmp_path / f"{name}.yaml") in message
        assert words in message
        assert "Cause: bad-manifest (environment)" in message
    assert folders.left() == []
