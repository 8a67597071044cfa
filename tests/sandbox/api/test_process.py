"""The process: its line, its end, what it leaves."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.sandbox.conftest import ROOT, start_sandbox, stop_sandbox, wait_for


def test_kubeconfig_is_private_and_gone_at_the_end() -> None:
    running = start_sandbox()
    try:
        assert stat.S_IMODE(running.kubeconfig.stat().st_mode) == 0o600
        assert running.kubeconfig.exists()
    finally:
        stop_sandbox(running)
    assert not running.kubeconfig.parent.exists()
    assert running.process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_end_it(number: signal.Signals) -> None:
    running = start_sandbox()
    running.process.send_signal(number)
    assert running.process.wait(60) == 0
    assert not running.kubeconfig.exists()


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import subprocess,sys;p=subprocess.Popen([sys.executable,'-m','sandbox']);print(p.pid,flush=True);p.wait()"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "libraries")}
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    facts = json.loads(parent.stdout.readline())
    parent.kill()
    parent.wait(60)
    wait_for(lambda: not Path(facts["kubeconfig"]).exists(), "the end of the sandbox whose parent was killed")
    wait_for(lambda: not _runs(child), f"the end of process {child}")


def test_it_ends_when_its_parent_was_gone_before_it_began() -> None:
    running = start_sandbox("--parent", str(os.getpid() + 1))
    assert running.process.wait(60) == 0
    assert not running.kubeconfig.exists()


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_journal_tells_of_requests(sandbox, core, namespace) -> None:
    core.list_namespaced_config_map(namespace)
    with urllib.request.urlopen(f"{sandbox['admin_url']}/journal?kind=request") as response:
        entries = json.load(response)
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    found = [entry for entry in entries if entry["path"] == path]
    assert found
    assert found[-1]["verb"] == "GET"
    assert found[-1]["status"] == 200
    assert sandbox["token"] not in json.dumps(entries)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--nodes", "0"], "allowed are 1 to 1000"),
        (["--era", "stone"], "invalid choice"),
        (["--latency", "pod_start=soon"], "no number of seconds"),
        (["--latency", "moon=1"], "allowed are pod_start"),
        (["--feature-gates", "Nope=true"], "allowed are WatchList"),
    ],
)
def test_bad_options_end_with_a_sentence(arguments: list[str], words: str) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "libraries")}
    command = [sys.executable, "-m", "sandbox", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
