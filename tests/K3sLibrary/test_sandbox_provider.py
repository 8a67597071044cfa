"""The provider of the embedded cluster: started, reached, ended without a trace, and clear about what went wrong."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import ledger, processes, rundir, serving
from harness.failures import OperationFailed
from harness.ledger import Ledger
from harness.processes import ProcessId
from K3sLibrary.providers import sandbox as provider_module
from K3sLibrary.providers.sandbox import SandboxProvider
from K3sLibrary.removal import SandboxRemover


@pytest.fixture
def own_ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """A ledger and a run directory of the test's own."""
    own = Ledger(tmp_path / "ledger")
    for module in (ledger, rundir, provider_module):
        monkeypatch.setattr(module, "LEDGER", own)
    monkeypatch.setattr(provider_module, "private_directory", lambda: tmp_path)
    yield own
    for entry in own.owed():
        if entry.kind == "sandbox" and SandboxRemover().exists(entry):
            SandboxRemover().remove(entry, 5)


def test_a_sandbox_is_started_reached_and_ended_without_a_trace(own_ledger: Ledger) -> None:
    provider = SandboxProvider()
    started = provider.start(kubeconfig=None, context=None, timeout=120, keep=False)
    (entry,) = own_ledger.owed()
    process = ProcessId(entry.find["pid"], entry.find["started"])
    assert process.alive()
    assert started.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert Path(str(started.chart), "Chart.yaml").is_file()
    assert started.token
    assert started.token not in repr(started)
    assert {str(started.kubeconfig), str(started.second_kubeconfig)} <= set(entry.find["places"])
    assert {trace.split()[0] for trace in provider.traces()} == {"process", "folder", "an"}
    provider.stop(60)
    assert not process.alive()
    assert provider.traces() == []
    assert own_ledger.owed() == []


def test_what_the_sandbox_said_when_it_could_not_start_is_told(
    own_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaint = "import sys; sys.exit('no room for a sandbox')"
    monkeypatch.setattr(serving, "python_command", lambda *_: [sys.executable, "-c", complaint])
    with pytest.raises(OperationFailed) as failure:
        SandboxProvider().start(kubeconfig=None, context=None, timeout=120, keep=False)
    assert "exit status 1: no room for a sandbox" in str(failure.value)
    assert failure.value.cause.name == "cluster-start"


def test_a_sandbox_that_says_nothing_is_not_waited_for_for_ever(
    own_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = "import time; time.sleep(60)"
    monkeypatch.setattr(serving, "python_command", lambda *_: [sys.executable, "-c", silent])
    with pytest.raises(OperationFailed, match="no answer"):
        SandboxProvider().start(kubeconfig=None, context=None, timeout=0.3, keep=False)
    (entry,) = own_ledger.owed()
    assert SandboxRemover().exists(entry)


def test_the_remover_ends_the_very_process_and_no_other(own_ledger: Ledger) -> None:
    me = ProcessId.of(os.getpid())
    entry = own_ledger.intend("sandbox", "another process that has the pid now", pid=me.pid, started=me.started - 1)
    assert not SandboxRemover().exists(entry)
    own_ledger.gone(entry)


def test_a_sandbox_that_was_never_started_is_gone(own_ledger: Ledger) -> None:
    entry = own_ledger.intend("sandbox", "never started")
    assert not SandboxRemover().exists(entry)
    own_ledger.gone(entry)


def test_no_credential_of_ours_reaches_the_sandboxs_environment(
    own_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEDANA_AUTH_TOKEN", "t0ken-of-this-process")
    provider = SandboxProvider()
    provider.start(kubeconfig=None, context=None, timeout=120, keep=False)
    (entry,) = own_ledger.owed()
    environment = Path(f"/proc/{entry.find['pid']}/environ").read_bytes()
    provider.stop(60)
    assert b"PYTHONPATH=" in environment
    assert b"t0ken-of-this-process" not in environment
    assert processes.clean_environment().get("CEDANA_AUTH_TOKEN") is None
