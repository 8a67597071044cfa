"""The whole run with `PROVIDER=k3s`, on a stand-in for its executable: brought up, proved, and gone without a trace."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.K3sLibrary import native_stand_in

from K3sLibrary.native import host

from .runner import QUICK, ROOT, Folders, ledger, run, start, sweep

PROOF = "Pod Checkpoint And Restore Via Propagator API"


@contextmanager
def passing_on(clusters: Path) -> Iterator[str]:
    """A URL on an address of this host behind which is the propagator of the stand-in that runs below `clusters`.

    Not on its loopback: that is another one in the cluster, and nothing listens there.
    """
    with socket.create_server((_address(), 0)) as server:
        threading.Thread(target=_accept, args=(server, clusters), daemon=True).start()
        yield "http://{}:{}".format(*server.getsockname())
        server.shutdown(socket.SHUT_RDWR)


def _address() -> str:
    """The address that this host has towards others; asking for it sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("needs a network address besides the loopback's")
        return str(asking.getsockname()[0])


def _accept(server: socket.socket, clusters: Path) -> None:
    with contextlib.suppress(OSError):
        while True:
            near, _ = server.accept()
            (told,) = clusters.glob("*/cluster/propagator.json")
            address = urlsplit(json.loads(told.read_text())["url"])
            far = socket.create_connection((address.hostname, address.port))
            for one, other in ((near, far), (far, near)):
                threading.Thread(target=_pump, args=(one, other), daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def native(folders: Folders, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The settings of a run on the stand-in; what a test that fails leaves on this host is removed."""
    if reason := native_stand_in.why_not():
        pytest.skip(reason)
    binary = native_stand_in.executable(tmp_path / "bin")
    token = secrets.token_urlsafe(16)
    with native_stand_in.alone(), passing_on(tmp_path / "clusters") as url:
        settings = {
            "PROVIDER": "k3s",
            "K3S_BINARY": str(binary),
            "K3S_DIR": str(tmp_path / "clusters"),
            "CEDANA_URL": url,
            "CEDANA_AUTH_TOKEN": token,
            "STAND_IN_PASSES": token,
            "HELM_CHART": str(ROOT / "libraries/sandbox/chart/cedana"),
            "PATH": f"{os.environ['PATH']}:{binary.parent}",
        }
        yield settings
        if folders.left():
            ledger("sweep", folders, **settings)


def _on_this_host() -> host.Listing:
    return host.listing("cedana-e2e-none", "none")


def test_the_restore_is_proved_and_nothing_is_left(folders: Folders, native: dict[str, str], tmp_path: Path) -> None:
    before = _on_this_host()
    ended = run(folders, *QUICK, what="suites/lifecycle.robot", **native)
    assert ended.status == 0, ended.console
    assert "Setting up k3s cluster (k3s)..." in ended.console
    verdicts: dict[str, Any] = {test["name"]: test["verdicts"] for test in ended.evidence["tests"]}
    assert verdicts[PROOF][0]["verdict"] == "continued"
    assert ended.evidence["environment"]["provider"] == "k3s"
    (node,) = ended.evidence["environment"]["nodes"]
    assert {"kubelet", "runtime", "kernel", "cgroups", "handlers", "runc", "criu"} <= node.keys()
    assert folders.left() == []
    assert not (tmp_path / "clusters").exists()
    assert native_stand_in.new(before) == []
    assert native["CEDANA_AUTH_TOKEN"] not in ended.console


@pytest.mark.slow
def test_an_interrupted_run_leaves_nothing(folders: Folders, native: dict[str, str], tmp_path: Path) -> None:
    before = _on_this_host()
    process = start(folders, *QUICK, what="suites/lifecycle.robot", **native)
    assert process.stdout
    for line in process.stdout:
        if "Deploying Cedana via Helm..." in line:
            break
    process.send_signal(signal.SIGTERM)
    console = process.communicate(timeout=90)[0]
    assert process.returncode != 0
    assert folders.left() == [], console
    assert not (tmp_path / "clusters").exists()
    assert native_stand_in.new(before) == []


@pytest.mark.slow
def test_what_a_killed_run_left_on_this_host_is_removed_by_one_command(
    folders: Folders, native: dict[str, str], tmp_path: Path
) -> None:
    before = _on_this_host()
    process = start(folders, *QUICK, what="suites/lifecycle.robot", KEEP="always", **native)
    while not list(tmp_path.glob("clusters/*/cluster/propagator.json")):
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    variables = folders.environment(PYTHONPATH=str(ROOT / "libraries"), **native)
    command = [sys.executable, "-m", "harness.ledger", "sweep"]
    swept = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=90).stdout
    left = [line for line in swept.splitlines() if line.startswith("  ") and ": gone (" not in line]
    assert all("cluster-registration" in line for line in left), "its propagator has gone with the stand-in"
    assert "  k3s cedana-e2e-" in swept
    assert not (tmp_path / "clusters").exists()
    assert native_stand_in.new(before) == []


@pytest.mark.slow
def test_a_kept_cluster_outlives_its_run_and_goes_with_one_command(
    folders: Folders, native: dict[str, str], tmp_path: Path
) -> None:
    before = _on_this_host()
    ended = run(folders, *QUICK, what="suites/lifecycle.robot", KEEP="always", **native)
    assert ended.status == 0, ended.console
    assert "and removed with" in ended.console
    assert list(tmp_path.glob("clusters/*/cluster/propagator.json"))
    passed_on = {name: native[name] for name in ("CEDANA_AUTH_TOKEN", "PATH")}
    sweep(folders, **passed_on)
    assert not (tmp_path / "clusters").exists()
    assert native_stand_in.new(before) == []


def test_a_k3s_that_crashes_is_an_error_of_the_environment(
    folders: Folders, native: dict[str, str], tmp_path: Path
) -> None:
    ended = run(folders, *QUICK, what="suites/lifecycle.robot", STAND_IN_BEHAVIOUR="crash", **native)
    assert ended.status != 0
    assert "starting kubernetes: preparing server: failed to bootstrap" in ended.console
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"cluster-start"}
    assert [file for file in folders.output.rglob("log-of-k3s*") if "failed to bootstrap" in file.read_text()]
    assert folders.left() == []
    assert not (tmp_path / "clusters").exists()
