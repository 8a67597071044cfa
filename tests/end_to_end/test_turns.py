"""Runs that need a Cedana of their own on the same cluster come one after the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kubernetes.client import CoordinationV1Api

from harness.kube import Cluster

from .cluster_state import standing
from .runner import QUICK, Folders, finish, run, start
from .shared_cedana import NAMESPACE


def test_of_two_runs_that_both_need_one_the_second_waits_for_its_turn(
    tmp_path: Path, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    before = standing(sandbox)
    places = [Folders.below(tmp_path / name) for name in ("first", "second")]
    processes = [start(place, *QUICK, **existing) for place in places]
    for process, place in zip(processes, places, strict=True):
        ended = finish(process, place)
        assert ended.status == 0, ended.console
        assert "Deploying Cedana via Helm..." in ended.console
        assert place.left() == []
    assert standing(sandbox) == before


def test_a_run_whose_turn_does_not_come_says_who_has_it(
    folders: Folders, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    before = standing(sandbox)
    api = CoordinationV1Api(Cluster("test", Path(sandbox["kubeconfig"])).api_client)
    name = f"cedana-e2e-{NAMESPACE}"
    spec = {"holderIdentity": "0badcafe on elsewhere", "leaseDurationSeconds": 3600}
    api.create_namespaced_lease("default", {"metadata": {"name": name}, "spec": spec})
    try:
        ended = run(folders, *QUICK, "--variable", "TURN_TIMEOUT:1 s", **existing)
    finally:
        api.delete_namespaced_lease(name, "default")
    assert "Seen: it is held by run 0badcafe on elsewhere" in ended.console
    assert "Cause: cluster-in-use (environment)" in ended.console
    assert standing(sandbox) == before
