"""What cannot be used is said in one sentence each, before anything is created."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .cluster_state import standing
from .runner import QUICK, ROOT, Folders, Run, run


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
    ):
        assert sentence in ended.console


def test_a_chart_that_is_not_there(folders: Folders, tmp_path: Path) -> None:
    ended = run(folders, HELM_CHART=str(tmp_path / "none.tgz"))
    _ended_before_anything_was_created(ended)
    assert f"HELM_CHART is '{tmp_path / 'none.tgz'}'; it must be the path of a chart's directory" in ended.console


def test_nothing_is_kept_where_nothing_was_made(folders: Folders) -> None:
    ended = run(folders, PROVIDER="minikube", KEEP="always")
    _ended_before_anything_was_created(ended)
    assert "is kept" not in ended.console


def test_a_cluster_that_the_propagator_does_not_know(folders: Folders) -> None:
    unknown = "11111111-1111-4111-8111-111111111111"
    ended = run(folders, CLUSTER_ID=unknown)
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


def test_a_token_on_the_command_line_is_refused_and_not_repeated(folders: Folders) -> None:
    ended = run(folders, "--variable", "CEDANA_AUTH_TOKEN:s3cr3t-on-the-line", "--loglevel", "TRACE")
    _ended_before_anything_was_created(ended)
    assert "CEDANA_AUTH_TOKEN was given on the command line" in ended.console
    assert "s3cr3t-on-the-line" not in ended.console
    assert b"s3cr3t-on-the-line" not in (folders.output / "output.xml").read_bytes()


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


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("a: [", "YAML"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", "Pod"),
    ],
)
def test_a_manifest_that_cannot_be_used(content: str, words: str, folders: Folders, tmp_path: Path) -> None:
    manifest = tmp_path / "workload.yaml"
    manifest.write_text(content)
    suite = tmp_path / "suite.robot"
    suite.write_text(
        f"""
*** Settings ***
Resource    {ROOT}/resources/lifecycle.resource

*** Test Cases ***
Deploys What Cannot Be Deployed
    VAR    ${{RUN_NAMESPACE}}    none    scope=GLOBAL
    VAR    ${{WORKLOADS}}    {tmp_path}    scope=GLOBAL
    Deploy Workload    workload
"""
    )
    ended = run(folders, what=str(suite))
    assert ended.status == 1
    message = ended.test("Deploys What Cannot Be Deployed").message
    assert str(manifest) in message
    assert words in message
    assert "Cause: bad-manifest (environment)" in message
    assert folders.left() == []
