"""The lifecycle with the stock propagator: its server, the node agents' real code, and nothing left at the end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from .cluster_state import difference, standing
from .host_state import MARK, processes
from .rights import user_of
from .runner import QUICK, Folders, read_until, run, start, sweep

PROOF = "Pod Checkpoint And Restore Via Propagator API"


@pytest.fixture
def stock(existing: dict[str, str]) -> dict[str, str]:
    """The settings of a run on a cluster that is there already, without a service."""
    kept = {name: value for name, value in existing.items() if name in ("PROVIDER", "KUBECONFIG")}
    return {**kept, "PROPAGATOR": "stock"}


def test_a_process_goes_on_without_any_service_and_with_the_rights_in_the_manifest(
    folders: Folders, sandbox: dict[str, Any], stock: dict[str, str], tmp_path: Path
) -> None:
    with user_of(sandbox, tmp_path, "cedana-e2e-run", "cedana-e2e-install", "cedana-e2e-stock") as settings:
        before = standing(sandbox)
        ended = run(folders, *QUICK, **stock | {"KUBECONFIG": settings["KUBECONFIG"]})
        assert ended.status == 0, ended.console
        assert difference(before, standing(sandbox)) == []
    ((verdict,),) = [test["verdicts"] for test in ended.evidence["tests"] if test["name"] == PROOF]
    assert verdict["verdict"] == "continued"
    assert ended.evidence["summary"]["leftovers"] == []
    assert folders.left() == []


@pytest.mark.parametrize("step", ["Deploying node agents via Helm", "Polling checkpoint status", "Verifying pod state"])
def test_a_run_that_is_killed_takes_its_server_along_and_the_rest_is_swept(
    step: str, folders: Folders, sandbox: dict[str, Any], stock: dict[str, str]
) -> None:
    before = standing(sandbox)
    mark = f"stock-{os.getpid()}-{step.split(maxsplit=1)[0]}"
    process = start(folders, **stock, **{MARK: mark})
    read_until(process, step)
    assert any("propagator_server" in command for command in processes(mark).values())
    process.kill()
    process.wait()
    sweep(folders, **stock)
    assert processes(mark) == {}
    assert folders.left() == []
    assert difference(before, standing(sandbox)) == []
