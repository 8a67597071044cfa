"""What is said of a run that is ended half-way, and who removes what it leaves; at which moments: the kill matrix."""

from __future__ import annotations

import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import requests
from kubernetes import client, config

from harness.ledger import ReadLedger
from harness.processes import ProcessId
from harness.waiting import Done, Look, Pending, wait_until

from .cluster_state import standing
from .runner import QUICK, Folders, finish, ledger, read_until, run, start, sweep

STEPS = ("Deploying Cedana via Helm", "Polling checkpoint status", "Verifying pod state")


def test_a_signal_to_a_run_with_a_cluster_of_its_own(folders: Folders) -> None:
    process = start(folders)
    read_until(process, "Polling checkpoint status")
    (sandbox,) = _sandboxes_of(folders)
    process.send_signal(signal.SIGINT)
    assert finish(process, folders).status != 0
    assert not sandbox.alive()
    assert folders.left() == []


def test_a_cluster_of_the_runs_own_ends_by_itself_when_the_run_is_killed_and_the_next_removes_the_rest(
    folders: Folders,
) -> None:
    for step in STEPS:
        process = start(folders)
        read_until(process, step)
        (sandbox,) = _sandboxes_of(folders)
        process.kill()
        process.wait()
        wait_until(lambda sandbox=sandbox: _ended(sandbox), timeout=60, expected="the sandbox to end by itself")
        assert folders.left() != []
    next_run = run(folders, *QUICK)
    assert next_run.status == 0, next_run.console
    assert folders.left() == []


def test_what_a_killed_run_leaves_in_a_cluster_is_listed_and_swept(
    folders: Folders, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    before = standing(sandbox)
    process = start(folders, **existing)
    read_until(process, "Polling checkpoint status")
    process.kill()
    process.wait()
    assert standing(sandbox) != before
    listed = ledger("list", folders)
    assert re.search(r"run [0-9a-f]{8} \(dead\)", listed)
    assert "cluster-registration" in listed
    sweep(folders, CEDANA_AUTH_TOKEN=sandbox["token"])
    assert standing(sandbox) == before
    assert folders.left() == []


def test_the_next_run_on_the_cluster_removes_what_a_killed_run_left(
    folders: Folders, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    before = standing(sandbox)
    process = start(folders, **existing)
    read_until(process, "Verifying pod state")
    process.kill()
    process.wait()
    next_run = run(folders, *QUICK, **existing)
    assert next_run.status == 0, next_run.console
    assert standing(sandbox) == before
    assert folders.left() == []


def test_a_kept_environment_stays_until_it_is_swept(folders: Folders) -> None:
    ended = run(folders, *QUICK, KEEP="always")
    assert ended.status == 0, ended.console
    (sandbox,) = _sandboxes_of(folders)
    assert sandbox.alive()
    kept = re.search(r"Another run here uses it with CLUSTER=(\w+)\n", ended.console)
    assert kept
    attached = run(folders, *QUICK, CLUSTER=kept[1])
    assert attached.status == 0, attached.console
    assert f"Setting up k3s cluster (kept by run {kept[1]})" in attached.console
    assert "Waiting for the Cedana that is installed..." in attached.console
    assert _sandboxes_of(folders) == [sandbox], "no other one was made"
    assert sandbox.alive()
    assert "(dead, kept)" in ledger("list", folders)
    told = re.search(r"and removed with\n  (.*)\n", ended.console)
    assert told
    _can_be_reached_as_told(ended.console)
    subprocess.run(["/bin/sh", "-c", told[1]], cwd="/", env={"TMPDIR": str(folders.temporary)}, check=True, timeout=300)
    assert not sandbox.alive()
    assert folders.left() == []


def _can_be_reached_as_told(console: str) -> None:
    exported = dict(re.findall(r"^  export (\w+)=(.*)$", console, re.MULTILINE))
    token = Path(exported["CEDANA_AUTH_TOKEN_FILE"])
    assert token.stat().st_mode & 0o777 == 0o600
    headers = {"Authorization": f"Bearer {token.read_text()}"}
    assert requests.get(f"{exported['CEDANA_URL']}/v2/user", headers=headers, timeout=60).ok
    core = client.CoreV1Api(config.new_client_from_config(exported["KUBECONFIG"]))
    assert core.read_namespace(exported["NAMESPACE"])


def _sandboxes_of(folders: Folders) -> list[ProcessId]:
    files = sorted(folders.ledger.glob("*.jsonl"))
    entries = [entry for file in files for entry in ReadLedger(file).owed() if entry.kind == "sandbox"]
    return [ProcessId(entry.find["pid"], entry.find["started"]) for entry in entries]


def _ended(process: ProcessId) -> Look[None]:
    return Pending(f"process {process.pid} runs") if process.alive() else Done(None)
