"""The whole run, as a newcomer types it and on a cluster that is there already."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from .cluster_state import difference, standing
from .runner import QUICK, ROOT, Folders, Run, finish, run, start

PROOF = "Pod Checkpoint And Restore Via Propagator API"
CONTROL = "A Pod That Is Only Created Again Comes Out As Restarted"
STEPS = (
    "Setting up k3s cluster (sandbox, emulated)...",
    "Registering cluster with the propagator...",
    "Deploying Cedana via Helm...",
    PROOF,
    "Deploying test nginx pod...",
    "Checkpointing pod via API...",
    "Polling checkpoint status... [COMPLETED]",
    "Restoring pod via API...",
    "Polling restore status... [COMPLETED]",
    "Verifying pod state... continued: step ",
    "Cleaning up checkpoint...",
    "Test completed successfully",
    "Removing everything this run made...",
)


def test_a_newcomers_run_proves_the_restore_and_leaves_nothing(folders: Folders) -> None:
    ended = run(folders)
    assert ended.status == 0, ended.console
    _tells_its_steps_in_order(ended)
    verdicts = {test["name"]: test["verdicts"] for test in ended.evidence["tests"]}
    ((continued,), (restarted,)) = verdicts[PROOF], verdicts[CONTROL]
    assert continued["verdict"] == "continued"
    assert continued["b"] < continued["a"] <= continued["r"] + 1
    assert continued["nonce"] == continued["own_nonce"]
    assert restarted["verdict"] == "restarted"
    assert ended.evidence["environment"]["emulated"] is True
    assert ended.evidence["complete"] is True
    assert ended.evidence["summary"]["leftovers"] == []
    assert {"e2e", "k3s", "propagator", "checkpoint", "restore"} <= set(ended.test(PROOF).tags)
    assert folders.left() == []


def _tells_its_steps_in_order(ended: Run) -> None:
    position = 0
    for step in STEPS:
        found = ended.console.find(step, position)
        assert found >= 0, f"{step!r} is not on the console, or not in its place:\n{ended.console}"
        position = found
    assert re.search(r"├── Deploying Cedana via Helm\.\.\. +\d+\.\d s$", ended.console, re.MULTILINE)
    assert "\x1b" not in ended.console


def test_an_existing_cluster_is_as_it_was_afterwards_nothing_is_written_at_home_and_no_kubectl_is_needed(
    folders: Folders, sandbox: dict[str, Any], existing: dict[str, str], tmp_path: Path
) -> None:
    home, called = tmp_path / "home", tmp_path / "called"
    for folder in (home / ".kube", tmp_path / "bin"):
        folder.mkdir(parents=True)
    mine = home / ".kube" / "config"
    mine.write_text("apiVersion: v1\nkind: Config\n")
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.write_text(f"#!/bin/sh\ntouch {called}\n")
    kubectl.chmod(0o755)
    written = mine.stat().st_mtime_ns
    places = {f"XDG_{what}_HOME": "" for what in ("CACHE", "CONFIG", "DATA", "STATE")}
    own = {"HOME": str(home), "PATH": f"{kubectl.parent}:{os.environ['PATH']}"}
    _uses_the_cluster_and_leaves_it_as_it_was(folders, sandbox, existing | places | own)
    assert [path for path in home.rglob("*") if path.is_file()] == [mine]
    assert mine.stat().st_mtime_ns == written
    assert not called.exists()


def test_a_suite_alone_and_a_namespace_that_was_there_before_is_used_and_stays(
    folders: Folders, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    settings = existing | {"NAMESPACE": "default"}
    _uses_the_cluster_and_leaves_it_as_it_was(folders, sandbox, settings, what="suites/lifecycle.robot")


def _uses_the_cluster_and_leaves_it_as_it_was(
    folders: Folders, sandbox: dict[str, Any], settings: dict[str, str], what: str = ""
) -> None:
    before = standing(sandbox)
    ended = run(folders, *QUICK, "--loglevel", "TRACE", what=what, **settings)
    assert ended.status == 0, ended.console
    assert "Setting up k3s cluster (existing)..." in ended.console
    assert difference(before, standing(sandbox)) == []
    assert folders.left() == []
    _holds_no_byte_of(sandbox["token"], ended)


def _holds_no_byte_of(token: str, ended: Run) -> None:
    assert token not in ended.console
    files = [file for file in ended.folders.output.rglob("*") if file.is_file()]
    assert {"output.xml", "log.html", "report.html", "evidence.json"} <= {file.name for file in files}
    assert [file.name for file in files if token.encode() in file.read_bytes()] == []


@pytest.mark.slow
def test_two_runs_at_once_do_not_meet(tmp_path: Path) -> None:
    both = [Folders.below(tmp_path / name) for name in ("one", "other")]
    (tmp_path / "ledger").mkdir()
    processes = [start(one, *QUICK, LEDGER_DIR=str(tmp_path / "ledger")) for one in both]
    ended = [finish(process, one) for process, one in zip(processes, both, strict=True)]
    assert [one.status for one in ended] == [0, 0], "\n".join(one.console for one in ended)
    assert [one.left() for one in both] == [[], []]
    assert list((tmp_path / "ledger").iterdir()) == []


def test_one_test_alone_can_be_run_on_a_terminal_without_utf8(folders: Folders) -> None:
    ended = run(folders, *QUICK, "--test", CONTROL, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert ended.status == 0, ended.console
    assert [test["name"] for test in ended.evidence["tests"]] == [CONTROL]
    assert "  |-- Deploying Cedana via Helm..." in ended.console
    assert "  `-- Test completed successfully" in ended.console
    assert ended.console.isascii()
    assert folders.left() == []


def test_the_dry_run_is_clean_starts_nothing_and_writes_nothing_beside_the_output(folders: Folders) -> None:
    before = _files_of_the_project()
    ended = run(folders, "--dryrun")
    assert ended.status == 0, ended.console
    assert folders.left() == []
    assert _files_of_the_project() == before


def _files_of_the_project() -> set[Path]:
    return {path for path in ROOT.iterdir() if not path.name.startswith(".")}
