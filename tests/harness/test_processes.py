"""Processes are known beyond their number, and end."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from harness.processes import ProcessId, clean_environment, python_command

SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEPER}"


def started(code: str) -> subprocess.Popen[str]:
    """A Python that runs `code` and has printed a line."""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline()
    return process


def test_this_process_is_alive_and_one_with_its_pid_from_another_time_is_not() -> None:
    me = ProcessId.of(os.getpid())
    assert me.alive()
    assert not ProcessId(me.pid, me.started - 1).alive()


@pytest.mark.parametrize("number", [0, -1])
def test_a_number_that_means_a_group_of_processes_is_no_process(number: int) -> None:
    assert not ProcessId(number, 0).alive()
    ProcessId(number, 0).end(0.1)


@pytest.mark.parametrize("code", [SLEEPER, STUBBORN])
def test_a_process_ends_also_when_it_does_not_heed_sigterm(code: str) -> None:
    with started(code) as process:
        known = ProcessId.of(process.pid)
        assert known.alive()
        known.end(grace=0.3)
        assert not known.alive()


def test_a_zombie_is_not_alive() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not ProcessId.of(process.pid).alive()
    process.wait()


def test_a_process_of_somebody_else_with_the_same_pid_is_not_ended() -> None:
    with started(SLEEPER) as process:
        ProcessId(process.pid, 1).end(0.1)
        assert process.poll() is None
        process.kill()


def test_child_processes_do_not_inherit_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEDANA_AUTH_TOKEN", "secret")
    monkeypatch.setenv("KUBECONFIG", "/somewhere")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "of the cloud that a kubeconfig's command logs in to")
    environment = clean_environment(PYTHONPATH="libraries")
    assert "CEDANA_AUTH_TOKEN" not in environment
    assert environment["KUBECONFIG"] == "/somewhere"
    assert "AWS_SECRET_ACCESS_KEY" in environment
    assert environment["PYTHONPATH"] == "libraries"


def test_modules_run_with_this_python() -> None:
    assert python_command("sandbox", "--nodes", "2") == [sys.executable, "-m", "sandbox", "--nodes", "2"]
