"""Facts of a cluster, and nodes that are not Ready."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from tests.users import ServiceAccount

from harness.failures import WaitTimedOut
from harness.kube import Cluster
from K3sLibrary.native.versions import versions
from K3sLibrary.nodes import facts, wait_until_nodes_ready


@pytest.fixture
def cluster(sandbox: dict[str, Any]) -> Cluster:
    """The cluster that the tests started."""
    return Cluster("tests", Path(sandbox["kubeconfig"]), provider="existing")


def test_the_cluster_says_what_it_is(cluster: Cluster) -> None:
    found = facts(cluster)
    assert found.emulated
    assert found.version.endswith("+emulated")
    assert len(found.nodes) == 2
    assert all(node["ready"] and node["runtime"] for node in found.nodes)
    assert {node["cgroups"] for node in found.nodes} == {"v2"}
    assert str(found) == f"Kubernetes {found.version} with 2 node(s) (existing, emulated)"


def test_who_may_not_ask_kubelets_is_told_the_rest(cluster: Cluster, tmp_path: Path) -> None:
    role = {"metadata": {"name": "nodes"}, "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}]}
    with ServiceAccount.made(cluster, "facts", tmp_path) as account, account.having([role]):
        found = facts(account.cluster)
    assert [(node["cgroups"], bool(node["kubelet"])) for node in found.nodes] == [("", True), ("", True)]


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("runc version 1.3.6\ncommit: v1.3.6-0-g1\nspec: 1.2.1\ngo: go1.24.9", "1.3.6"),
        ("Version: 4.2.1", "4.2.1"),
        ("something else", ""),
    ],
)
def test_versions_are_read_from_what_tools_say(
    said: str, version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in (tmp_path / "data/0123/bin/runc", tmp_path / "criu"):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\ncat <<'END'\n{said}\nEND\n")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert versions(tmp_path) == {"runc": version, "criu": version}


def test_tools_that_are_not_there_have_no_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert versions(tmp_path) == {"runc": "", "criu": ""}


def test_a_node_that_is_not_ready_is_named(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    wait_until_nodes_ready(cluster, 10)
    broken = {"metadata": {"name": "node-9", "uid": "9"}, "status": {"conditions": [_not_ready()]}}
    monkeypatch.setattr("harness.kube.watching._listed", lambda *_: ([broken], "1"))
    with pytest.raises(WaitTimedOut) as failure:
        wait_until_nodes_ready(cluster, 0)
    assert "node node-9 is not Ready: the kubelet is gone" in str(failure.value)
    assert failure.value.cause.name == "node-not-ready"


def test_a_cluster_without_a_node_is_not_ready(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.kube.watching._listed", lambda *_: ([], "1"))
    with pytest.raises(WaitTimedOut, match="the cluster has no node"):
        wait_until_nodes_ready(cluster, 0)


def _not_ready() -> dict[str, str]:
    return {"type": "Ready", "status": "Unknown", "message": "the kubelet is gone"}
