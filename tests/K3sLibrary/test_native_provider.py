"""The native k3s, with a stand-in for its executable: started, ended without a trace, and clear about trouble."""

from __future__ import annotations

import ipaddress
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from harness.failures import BadInput, OperationFailed, WaitTimedOut
from harness.kube import Cluster
from harness.sources import SOURCES
from K3sLibrary.native import host, network, readiness, remains
from K3sLibrary.nodes import facts
from K3sLibrary.providers.base import Started
from K3sLibrary.providers.k3s import NativeOptions, NativeProvider

from . import native_stand_in

ROOT = Path(__file__).resolve().parents[2]


def start(provider: NativeProvider, timeout: float = 40, keep: bool = False) -> Started:
    """Starts it."""
    return provider.start(kubeconfig=None, context=None, timeout=timeout, keep=keep)


def find(provider: NativeProvider) -> dict[str, object]:
    """What the ledger knows of it."""
    assert provider._entry
    return provider._entry.find


def test_it_is_started_reached_and_ended_without_a_trace(native: NativeProvider, tmp_path: Path) -> None:
    home = Path("~/.kube/config").expanduser()
    before = home.read_bytes() if home.exists() else None
    started = start(native)
    assert started.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert (home.read_bytes() if home.exists() else None) == before
    known = facts(Cluster("one", started.kubeconfig, None, "k3s"))
    assert [node["ready"] for node in known.nodes] == [True]
    traces = native.traces()
    for kind in ("process", "link", "rule", "cgroup", "directory"):
        assert any(trace.startswith(kind) for trace in traces), f"{kind} is not in {traces}"
    assert any("log of k3s" in tale.title and "Starting k3s" in tale.tell() for tale in SOURCES.all())
    native.stop(30)
    assert native.traces() == []
    assert not (tmp_path / "clusters").exists()
    assert not any("log of k3s" in tale.title for tale in SOURCES.all())


def test_what_it_makes_inside_does_not_show_on_the_host(native: NativeProvider) -> None:
    start(native)
    assert not Path("/run/k3s").exists()
    assert not Path("/etc/rancher").exists()
    assert not Path("/usr/local/bin/cedana").exists()
    assert not Path("/sys/class/net/cni0").exists()
    assert str(find(native)["name"]) not in Path("/etc/hosts").read_text()
    inside = Path(str(find(native)["directory"]), "var/lib/rancher/k3s/agent/etc/containerd/config-v3.toml.tmpl")
    assert "cedana-shim-runc-v2" in inside.read_text()
    assert not list(Path(str(find(native)["directory"])).glob("var/lib/rancher/k3s/data/*/bin/tar"))


def test_two_at_once_do_not_meet(native: NativeProvider) -> None:
    forwarded = network.FORWARDING.read_text()
    other = NativeProvider()
    other.options = native.options
    first, second = start(native), start(other)
    servers = {
        yaml.safe_load(one.kubeconfig.read_text())["clusters"][0]["cluster"]["server"] for one in (first, second)
    }
    assert len(servers) == 2
    native.stop(30)
    assert native.traces() == []
    assert facts(Cluster("two", second.kubeconfig, None, "k3s")).nodes
    other.stop(30)
    assert other.traces() == []
    if not Path("/sys/class/net/docker0").exists():  # which turns it on, too
        assert network.FORWARDING.read_text() == forwarded


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (
            "crash",
            'with status 1: time="2026-01-01T00:00:00Z" level=info msg="Starting k3s v1.34.2+k3s1 (stand-in)" | '
            'time="2026-01-01T00:00:00Z" level=fatal msg="starting kubernetes: preparing server',
        ),
        ("crash-later", "with status 2"),
    ],
)
def test_one_that_ends_is_told_with_its_last_words(
    behaviour: str, words: str, native: NativeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAND_IN_BEHAVIOUR", behaviour)
    with pytest.raises(OperationFailed) as failure:
        start(native)
    assert words in failure.value.seen
    assert failure.value.cause.name == "cluster-start"
    native.stop(30)
    assert native.traces() == []


def test_one_that_does_not_serve_says_so(native: NativeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_BEHAVIOUR", "mute")
    with pytest.raises(WaitTimedOut) as failure:
        start(native, timeout=1)
    assert "k3s has written no kubeconfig yet" in failure.value.seen
    assert failure.value.cause.name == "cluster-start"


def test_one_that_does_not_become_ready_says_what_is_missing(
    native: NativeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = readiness.wait_until_ready
    monkeypatch.setattr(readiness, "wait_until_ready", lambda cluster, _, still_there: wait(cluster, 1, still_there))
    monkeypatch.setenv("STAND_IN_BEHAVIOUR", "unready")
    with pytest.raises(WaitTimedOut) as failure:
        start(native)
    assert "there is no Deployment coredns yet" in failure.value.seen
    assert failure.value.cause.name == "cluster-start"


def test_a_slow_one_is_waited_for(native: NativeProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_BEHAVIOUR", "slow")
    assert start(native).kubeconfig.is_file()


def test_nothing_is_made_where_the_host_cannot_carry_it(
    native: NativeProvider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    with pytest.raises(OperationFailed) as failure:
        start(native)
    assert "the commands ip, mount, umount, pivot_root, unshare are missing" in failure.value.seen
    assert "neither iptables nor nft is there" in failure.value.seen
    assert failure.value.cause.name == "host-unfit"
    assert not (tmp_path / "ledger").exists()
    assert not (tmp_path / "clusters").exists()


@pytest.mark.parametrize("name", ["none.tar", "images.zip"])
def test_images_that_cannot_be_imported_are_refused(name: str, native: NativeProvider, tmp_path: Path) -> None:
    (tmp_path / "images.zip").write_bytes(b"images")
    options = native.options
    native.options = NativeOptions(binary=options.binary, images=tmp_path / name, directory=options.directory)
    with pytest.raises(BadInput, match="the path of a tarball with images"):
        start(native)
    assert not (tmp_path / "ledger").exists()


CONNECT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 10).close()"


@pytest.mark.parametrize("filter_", ["iptables", "nft"])
def test_it_reaches_other_networks_through_this_host(
    filter_: str, native: NativeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    if filter_ == "nft":
        if not shutil.which("nft"):
            pytest.skip("needs the command nft")
        monkeypatch.setattr(network, "_has_iptables", lambda: False)
    start(native)
    assert any(line.startswith("rule") for line in remains.left(find(native)))
    way, (first, *_) = network.plan("one", "0" * 16), remains.cgroups.processes(str(find(native)["name"]))[1:]
    assert way.subnet != find(native)["subnet"]
    gateway = str(find(native)["subnet"]).replace("/30", "")
    with socket.create_server(("0.0.0.0", 0)) as server:
        address = str(ipaddress.ip_address(gateway) + 1)
        words = ["nsenter", "--target", str(first.pid), "--net", sys.executable, "-c", CONNECT]
        subprocess.run([*words, address, str(server.getsockname()[1])], check=True, timeout=30)
    native.stop(30)
    assert native.traces() == []


def test_images_are_there_for_k3s_to_import(native: NativeProvider, tmp_path: Path) -> None:
    tarball = tmp_path / "images.tar"
    tarball.write_bytes(b"images")
    options = native.options
    native.options = NativeOptions(binary=options.binary, images=tarball, directory=options.directory)
    start(native)
    place = Path(str(find(native)["directory"]), "var/lib/rancher/k3s/agent/images/images.tar")
    assert place.read_bytes() == b"images"


SCRIPT = """
import sys, time
from pathlib import Path
from K3sLibrary.providers.k3s import NativeOptions, NativeProvider
provider = NativeProvider()
provider.options = NativeOptions(binary=Path(sys.argv[1]), directory=Path(sys.argv[2]))
provider.start(kubeconfig=None, context=None, timeout=240, keep=sys.argv[3] == "keep")
print("started", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("keep", ["keep", "never"])
def test_what_a_killed_run_left_is_found_by_the_ledger(keep: str, native: NativeProvider, tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": str(ROOT / "libraries"), "LEDGER_DIR": str(tmp_path / "of-the-killed")}
    arguments = [str(native.options.binary), str(native.options.directory), keep]
    before = host.listing("cedana-e2e-none", "none")
    run = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *arguments], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert run.stdout
    assert run.stdout.readline() == "started\n"
    run.send_signal(signal.SIGKILL)
    run.wait()
    (folder,) = native.options.directory.iterdir()
    name, deadline = folder.name, time.monotonic() + 120
    if keep == "never":  # then it ends by itself with the run
        while remains.cgroups.processes(name) and time.monotonic() < deadline:
            time.sleep(0.05)
    assert bool(remains.cgroups.processes(name)) == (keep == "keep")
    swept = subprocess.run(
        [sys.executable, "-m", "harness.ledger", "sweep"], env=environment, capture_output=True, text=True, check=True
    )
    assert "nothing is left" in swept.stdout
    assert native_stand_in.new(before) == []
    assert not native.options.directory.exists()
