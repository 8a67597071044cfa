"""A stand-in for the k3s executable: its command line over the embedded sandbox, and the traces that a real one makes.

It honours `--version`, `server --help` and `server` with the flags that the provider uses, by their rules: data
directory, kubeconfig with its mode, port, node name; an unknown flag, a port that is taken and what
`STAND_IN_BEHAVIOUR` asks for end it with an exit status and a line like k3s' own. On SIGTERM it ends itself and, as k3s
does, leaves its containers, mounts, links and rules to `k3s-killall.sh`. `STAND_IN_PASSES` is the propagator's token;
where that serves is told in `propagator.json` beside the kubeconfig.

`agent` runs and does nothing.

Variables: STAND_IN_NODES is how many nodes the server has. STAND_IN_BEHAVIOUR is `crash` (ends at once), `crash-later`
(ends when it serves), `mute` (never serves), `slow` (serves after a second), `unready` (its own pods never come).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "libraries"))

VERSION = "v1.34.2+k3s1"
LINE = 'time="2026-01-01T00:00:00Z" level={} msg="{}"'
PROPAGATOR_PORT = 8091


def say(text: str, level: str = "info") -> None:
    """A line as k3s writes them."""
    print(LINE.format(level, text), file=sys.stderr, flush=True)


class Parser(argparse.ArgumentParser):
    """Refuses what it does not know as k3s does."""

    def error(self, message: str) -> None:  # type: ignore[override]
        print(f"Incorrect Usage: {message}", file=sys.stderr)
        say(f"flag provided but not defined: {message}", "fatal")
        raise SystemExit(1)


def parse(words: list[str]) -> argparse.Namespace:
    """The flags of `k3s server` that there are uses for."""
    parser = Parser(prog="k3s server", allow_abbrev=False)
    parser.add_argument("--server", default="")
    for name, default in {
        "config": "/etc/rancher/k3s/config.yaml",
        "data-dir": "/var/lib/rancher/k3s",
        "write-kubeconfig": "/etc/rancher/k3s/k3s.yaml",
        "write-kubeconfig-mode": "600",
        "node-name": socket.gethostname(),
        "node-ip": "127.0.0.1",
        "snapshotter": "overlayfs",
    }.items():
        parser.add_argument(f"--{name}", default=default)
    parser.add_argument("--https-listen-port", type=int, default=6443)
    for name in ("tls-san", "kubelet-arg", "disable"):
        parser.add_argument(f"--{name}", action="append", default=[])
    return parser.parse_args(words)


def main() -> int:
    """`k3s --version`, `k3s server`."""
    words = sys.argv[1:]
    if words[:1] == ["--version"]:
        print(f"k3s version {VERSION} (stand-in)")
        return 0
    if words[:1] == ["agent"]:
        return join(parse(words[1:]))
    if words[:1] != ["server"]:
        say("this stand-in only has the commands server and agent", "fatal")
        return 1
    given = parse(words[1:])
    if os.geteuid():
        say("k3s must be run as root unless --rootless is specified", "fatal")
        return 1
    behaviour = os.environ.get("STAND_IN_BEHAVIOUR", "")
    say(f"Starting k3s {VERSION} (stand-in)")
    if behaviour == "crash":
        say("starting kubernetes: preparing server: failed to bootstrap", "fatal")
        return 1
    return asyncio.run(serve(given, behaviour))


def join(given: argparse.Namespace) -> int:
    """A node beside the server: it is there as long as it runs. The server has as many nodes as STAND_IN_NODES says."""
    if not given.server or not os.environ.get("K3S_TOKEN"):
        say("--server is required and a token", "fatal")
        return 1
    say(f"Starting k3s agent {VERSION} (stand-in)")
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    return 0


def leave_traces(given: argparse.Namespace) -> None:
    """What a real one makes on its host, and leaves there when it ends."""
    data = Path(given.data_dir)
    tools = data / "data" / "0123456789abcdef" / "bin"
    tools.mkdir(parents=True, exist_ok=True)
    for name in ("tar", "containerd-shim-runc-v2"):
        shutil.copy("/bin/sleep", tools / name)
    for folder in (
        "/run/k3s/containerd",
        "/var/lib/kubelet/pods/one",
        "/var/lib/cni",
        "/etc/rancher/node",
        "/run/flannel",
    ):
        Path(folder).mkdir(parents=True, exist_ok=True)
    Path("/etc/rancher/node/password").write_text("node")
    Path("/usr/local/bin").mkdir(parents=True, exist_ok=True)
    Path("/usr/local/bin/cedana").touch()
    for command in (
        ["mount", "-t", "tmpfs", "tmpfs", "/var/lib/kubelet/pods/one"],
        ["mount", "-t", "tmpfs", "shm", "/run/k3s/containerd"],
        ["ip", "link", "add", "cni0", "type", "bridge"],
        ["ip", "link", "add", "veth1234", "type", "veth", "peer", "name", "veth5678"],
        ["iptables", "-t", "nat", "-N", "KUBE-SERVICES"],
    ):
        if shutil.which(command[0]):
            subprocess.run(command, check=True)
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.Popen([str(tools / "containerd-shim-runc-v2"), "600"], start_new_session=True, **quiet)


async def serve(given: argparse.Namespace, behaviour: str) -> int:
    """The sandbox behind the port that k3s would have."""
    from sandbox.server import Options, Sandbox

    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    leave_traces(given)
    if behaviour == "mute":
        await ended.wait()
        return 0
    if behaviour == "slow":
        await asyncio.sleep(1)
    state = Path(given.data_dir) / "server"
    nodes = int(os.environ.get("STAND_IN_NODES", "1"))
    sandbox = Sandbox(Options(nodes=nodes, name=given.node_name, state_dir=state, outlive_parent=True))
    sandbox.token = os.environ.get("STAND_IN_PASSES") or sandbox.token
    facts = await sandbox.start()
    try:
        await publish(given, facts, state)
    except OSError as problem:
        say(f"failed to listen on port {given.https_listen_port}: {problem.strerror}", "fatal")
        return 1
    if behaviour == "crash-later":
        say("apiserver exited: database is gone", "fatal")
        return 2
    if behaviour != "unready":
        await asyncio.to_thread(deploy, facts["kubeconfig"])
    await ended.wait()
    await sandbox.stop()
    return 0


async def publish(given: argparse.Namespace, facts: dict[str, str], state: Path) -> None:
    """Passes on what comes to the port of k3s, with a certificate for the addresses that it was given."""
    from sandbox.tls import tls_for

    content = await asyncio.to_thread(lambda: yaml.safe_load(Path(facts["kubeconfig"]).read_text()))
    (cluster,) = content["clusters"]
    inner = ssl.create_default_context()
    inner.check_hostname, inner.verify_mode = False, ssl.CERT_NONE
    tls = tls_for(state, ["127.0.0.1", "localhost", given.node_ip, *given.tls_san])
    await forward(given.https_listen_port, cluster["cluster"]["server"], tls.context, inner)
    await forward(PROPAGATOR_PORT, facts["propagator_url"], None, None)
    cluster["cluster"] |= {
        "server": f"https://127.0.0.1:{given.https_listen_port}",
        "certificate-authority-data": base64.b64encode(tls.authority).decode(),
    }
    write(given, yaml.safe_dump(content))


def write(given: argparse.Namespace, kubeconfig: str) -> None:
    """The kubeconfig with its mode, and where the propagator is."""
    place = Path(given.write_kubeconfig)
    place.parent.mkdir(parents=True, exist_ok=True)
    told = {"url": f"http://{given.node_ip}:{PROPAGATOR_PORT}"}
    place.with_name("propagator.json").write_text(json.dumps(told))
    place.write_text(kubeconfig)
    place.chmod(int(given.write_kubeconfig_mode, 8))


async def forward(port: int, url: str, outside: ssl.SSLContext | None, inside: ssl.SSLContext | None) -> asyncio.Server:
    """Passes on connections."""
    target = int(url.rpartition(":")[2])

    async def pump(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        try:
            while chunk := await read.read(65536):
                write.write(chunk)
                await write.drain()
        except OSError:
            pass
        finally:
            write.close()

    async def connected(read: asyncio.StreamReader, write: asyncio.StreamWriter) -> None:
        far_read, far_write = await asyncio.open_connection("127.0.0.1", target, ssl=inside)
        await asyncio.gather(pump(read, far_write), pump(far_read, write), return_exceptions=True)

    return await asyncio.start_server(connected, "0.0.0.0", port, ssl=outside)


def deploy(kubeconfig: str) -> None:
    """The pods that a k3s brings along."""
    read = yaml.safe_load(Path(kubeconfig).read_text())
    (cluster,), (user,) = read["clusters"], read["users"]
    authority = base64.b64decode(cluster["cluster"]["certificate-authority-data"]).decode()
    labels = {"k8s-app": "kube-dns"}
    container = {"name": "coredns", "image": "docker.io/library/nginx:1.28.0"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "coredns"}, "spec": spec}
    request = urllib.request.Request(
        f"{cluster['cluster']['server']}/apis/apps/v1/namespaces/kube-system/deployments",
        json.dumps(body).encode(),
        {"Authorization": f"Bearer {user['user']['token']}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, context=ssl.create_default_context(cadata=authority)):
        pass


if __name__ == "__main__":
    raise SystemExit(main())
