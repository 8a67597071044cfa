"""The listing of the host: each kind of trace that a cluster could leave is found, and what is another's is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from K3sLibrary.native.host import Listing, difference

from . import native_stand_in

ROOT = Path(__file__).resolve().parents[2]
NAME, LINK = "cedana-e2e-00000000-abcd", "ceabcd0123h"
SCRIPT = r"""
import json, os, socket, sys
from harness.children import MARK
from K3sLibrary.native import host, network

name, link, mark = sys.argv[1:]
kept = []

def run(*command):
    return lambda: subprocess.run(command, check=True)

def process(command, **variables):
    def start():
        kept.append(one := subprocess.Popen(command, executable="/bin/sleep", env={**os.environ, **variables}))
        while not Path(f"/proc/{one.pid}/cmdline").read_bytes():  # empty for a moment of its start
            pass
    return start

def listen():
    kept.append(socket.create_server(("127.0.0.1", 10250)))

def local():
    Path("/run/k3s").mkdir()
    kept.append(one := socket.socket(socket.AF_UNIX))
    one.bind("/run/k3s/containerd.sock")

def mount():
    Path("/var/lib/kubelet/pods").mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/var/lib/kubelet/pods"], check=True)

def unit():
    Path("/etc/systemd/system").mkdir(parents=True, exist_ok=True)
    Path("/etc/systemd/system/k3s.service").touch()

def port_of_a_pod():
    subprocess.run(["ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1"], check=True)
    subprocess.run(["ip", "link", "set", "veth0", "master", "cni0"], check=True)

made = {
    "process by name": process(["/var/lib/rancher/k3s/data/1/bin/containerd-shim-runc-v2", "60"]),
    "process by mark": process(["sleep", "60"], **{MARK: mark}),
    "mount": mount,
    "bridge": run("ip", "link", "add", "cni0", "type", "bridge"),
    "link of a pod": port_of_a_pod,
    "own link": run("ip", "link", "add", link, "type", "bridge"),
    "chain": run("iptables", "-t", "nat", "-N", "KUBE-SERVICES"),
    "rule": run("iptables", "-I", "FORWARD", "-m", "comment", "--comment", name, "-j", "ACCEPT"),
    "port": listen,
    "socket": local,
    "file": lambda: Path("/usr/local/bin/cedana").touch(),
    "directory": lambda: Path("/var/lib/rancher").mkdir(),
    "log": lambda: Path("/var/log/cedana-daemon.log").touch(),
    "unit": unit,
}
before = host.listing(name, mark)
before.busy = False  # whatever else this machine runs
found = {}
for what, make in made.items():
    make()
    after = host.listing(name, mark)
    found[what] = host.difference(before, after, name, link)
    before.lines = after.lines
for one in kept:
    if isinstance(one, subprocess.Popen):
        one.kill()
print(json.dumps(found))
"""
EXPECTED = {
    "process by name": "containerd-shim-runc-v2)",
    "process by mark": f"(sleep) of {NAME}",
    "mount": "mount /var/lib/kubelet/pods",
    "bridge": "link cni0",
    "link of a pod": "link veth0",
    "own link": f"link {LINK}",
    "chain": "KUBE-SERVICES",
    "rule": NAME,
    "port": "socket that listens on port 10250",
    "socket": "socket /run/k3s/containerd.sock",
    "file": "file /usr/local/bin/cedana",
    "directory": "file /var/lib/rancher",
    "log": "file /var/log/cedana-daemon.log",
    "unit": "unit /etc/systemd/system/k3s.service",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What is found of each trace, all of them left in namespaces that end with the script."""
    if reason := native_stand_in.why_not():
        pytest.skip(reason)
    tools = native_stand_in.executable(tmp_path_factory.mktemp("bin")).parent
    script = native_stand_in.SHIELD + SCRIPT
    command = [*native_stand_in.NAMESPACES, sys.executable, "-c", script, NAME, LINK, "0123456789abcdef"]
    environment = native_stand_in.environment(tools) | {"PYTHONPATH": str(ROOT / "libraries")}
    with native_stand_in.alone():
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    told: dict[str, list[str]] = json.loads(ended.stdout)
    return told


@pytest.mark.parametrize(("what", "words"), EXPECTED.items())
def test_every_trace_is_found(what: str, words: str, found: dict[str, list[str]]) -> None:
    assert any(words in line for line in found[what]), found[what]


@pytest.mark.parametrize(
    ("line", "busy", "is_ours"),
    [
        (f"directory /var/lib/cedana-e2e/{NAME}", True, True),
        (f"link {LINK}", True, True),
        ("link cni0", False, True),
        ("link cni0", True, False),
        ("link ce99999999h", False, False),
        ("rule -A FORWARD -i ce99999999h -m comment --comment cedana-e2e-11111111-9999 -j ACCEPT", False, False),
        ("cgroup /sys/fs/cgroup/cedana-e2e-11111111-9999", False, False),
    ],
)
def test_what_others_make_meanwhile_is_not_ours(line: str, busy: bool, is_ours: bool) -> None:
    before = Listing(busy=busy)
    assert difference(before, Listing({line}), NAME, LINK) == ([line] if is_ours else [])


def test_what_was_there_before_is_nobodys() -> None:
    assert difference(Listing({"link cni0"}), Listing({"link cni0"}), NAME, LINK) == []
