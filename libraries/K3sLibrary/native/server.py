"""A k3s server's command line, its files, and the process that runs it in namespaces of its own."""

from __future__ import annotations

import json
import os
import re
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.children import MARK
from harness.failures import OperationFailed
from harness.processes import clean_environment

from . import cgroups, inside
from .network import Way

FILES = "/cluster"
"""Where the cluster sees the directory that it shares with the run."""
DATA = "/var/lib/rancher/k3s"
LEFT_OUT = ("metrics-server", "servicelb", "traefik")
"""Parts of k3s that no suite needs."""
NOT_FOR_K3S = ("K3S_", "INVOCATION_ID", "NOTIFY_SOCKET", "KUBECONFIG", "PYTHON", "VIRTUAL_ENV", "LEDGER_DIR")
"""Variables that would change what k3s does (its own, and systemd's, by which it takes itself for a service)."""
SECRET = re.compile(r"TOKEN|SECRET|PASSWORD|CREDENTIAL|_KEY")
"""In the names of variables that are none of its business."""
LOG_LINES = 1000
CONTAINERD = """{{ template "base" . }}

[plugins.%s.containerd.runtimes.cedana]
  runtime_type = "io.containerd.runc.v2"
  runtime_path = "/usr/local/bin/cedana-shim-runc-v2"
"""
"""Of the runtime handler of Cedana's RuntimeClass; k3s would have to be started again for one that came later."""
TEMPLATES = {
    "config-v3.toml.tmpl": "'io.containerd.cri.v1.runtime'",
    "config.toml.tmpl": '"io.containerd.grpc.v1.cri"',
}
"""For containerd 2 and for older ones (docs.k3s.io/advanced)."""


@dataclass(frozen=True)
class Machine:
    """What a cluster is made of on this host."""

    directory: Path
    binary: Path
    way: Way
    mark: str
    keep: bool

    @property
    def shared(self) -> Path:
        """The directory that the cluster sees as /cluster."""
        return self.directory / "cluster"

    @property
    def log(self) -> Path:
        """What k3s says."""
        return self.shared / "k3s.log"

    @property
    def written(self) -> Path:
        """The kubeconfig that k3s writes, for those inside."""
        return self.shared / "k3s.yaml"

    @property
    def data(self) -> Path:
        """The data directory, as this host sees it."""
        return self.directory / DATA[1:]


def command(machine: Machine, snapshotter: str) -> list[str]:
    """The command line, as k3s sees it inside."""
    options = {
        "config": f"{FILES}/config.yaml",  # an empty one: the host's own k3s may have its there
        "data-dir": DATA,
        "write-kubeconfig": f"{FILES}/k3s.yaml",
        "write-kubeconfig-mode": "600",
        "node-name": machine.way.name,
        "node-ip": machine.way.address,
        "tls-san": machine.way.address,
        "snapshotter": snapshotter,
        "kubelet-arg": "runtime-request-timeout=10m",  # a restore takes longer than a start; Cedana sets it elsewhere
    }
    words = [f"--{name}={value}" for name, value in options.items()]
    return ["/usr/local/bin/k3s", "server", *words, *(f"--disable={name}" for name in LEFT_OUT)]


def prepare(machine: Machine, images: Path | None) -> None:
    """Makes the directory and what k3s finds in it."""
    for folder in ("root", "spare", "layers"):
        (machine.directory / folder).mkdir(parents=True)
    machine.directory.chmod(0o700)
    machine.shared.mkdir(mode=0o700)
    (machine.shared / "config.yaml").write_text("{}\n")
    containerd = machine.data / "agent/etc/containerd"
    containerd.mkdir(parents=True)
    for name, plugin in TEMPLATES.items():
        (containerd / name).write_text(CONTAINERD % plugin)
    if images:
        place = machine.data / "agent/images"
        place.mkdir(parents=True)
        _copy(images, place / images.name)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as read, target.open("wb") as write:
        while chunk := read.read(1 << 22):
            write.write(chunk)


def launch(machine: Machine, snapshotter: str) -> subprocess.Popen[bytes]:
    """Starts the process that makes the namespaces; `first_word` and `go` of it lead on."""
    made = cgroups.create(machine.way.name)
    mounted = cgroups.hierarchies()
    plan = {
        "name": machine.way.name,
        "directory": str(machine.directory),
        "binary": str(machine.binary),
        "cgroups": [str(folder) for folder in made],
        "leaf": cgroups.LEAF,
        "delegate": [str(folder / "cgroup.subtree_control") for folder in made if (folder / "cgroup.type").exists()],
        "controllers": [[one.folder, one.kind, one.options] for one in mounted],
        "resolver": resolver(),
        "link": machine.way.inner,
        "address": machine.way.address,
        "gateway": machine.way.gateway,
        "command": command(machine, snapshotter),
        "environment": _environment(machine.mark),
        "keep": machine.keep,
    }
    file = machine.directory / "plan.json"
    file.write_text(json.dumps(plan))
    return subprocess.Popen(
        [sys.executable, str(Path(inside.__file__)), str(file)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=(machine.shared / "first.log").open("wb"),
        env=clean_environment(**{MARK: machine.mark}),
        start_new_session=True,  # Ctrl-C is for the run, which takes the cluster down in order
    )


def _environment(mark: str) -> dict[str, str]:
    usable = clean_environment().items()
    kept = {name: value for name, value in usable if not name.startswith(NOT_FOR_K3S) and not SECRET.search(name)}
    standard = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return kept | {"PATH": standard, "HOME": "/root", MARK: mark}


def word(process: subprocess.Popen[bytes], timeout: float) -> dict[str, Any]:
    """The next JSON line of it; none where it has ended or says nothing in time."""
    assert process.stdout
    deadline, text = time.monotonic() + timeout, b""
    while not text.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        chunk = os.read(process.stdout.fileno(), 1) if ready else b""
        if not chunk:
            return {}
        text += chunk
    told: dict[str, Any] = json.loads(text)
    return told


def go(process: subprocess.Popen[bytes]) -> None:
    """Its network is there: it may go on."""
    assert process.stdin
    process.stdin.write(b"go\n")
    process.stdin.flush()


def resolver(places: tuple[Path, ...] = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))) -> str:
    """A resolv.conf without name servers on the host's loopback, which no other network reaches."""
    texts = [place.read_text() for place in places if place.is_file()]
    usable = [text for text in texts if any(_reachable(line) for line in text.splitlines())]
    lines = (usable or texts or [""])[0].splitlines()
    return "".join(f"{line}\n" for line in lines if not line.startswith("nameserver") or _reachable(line))


def _reachable(line: str) -> bool:
    words = line.split()
    return words[:1] == ["nameserver"] and len(words) > 1 and not words[1].startswith(("127.", "::1"))


def snapshotter_for(directory: Path) -> str:
    """`overlayfs` where the directory's file system can hold layers, else `native`, which copies.

    The try is made in mount namespaces of its own, so that nothing of it is left.
    """
    folders = [directory / "try" / name for name in ("lower", "upper", "work", "merged")]
    for folder in folders:
        folder.mkdir(parents=True)
    lower, upper, work, merged = folders
    options = f"lowerdir={lower},upperdir={upper},workdir={work}"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "overlay", "-o", options, "overlay", str(merged)],
        capture_output=True,
        check=False,
        timeout=30,
    )
    return "overlayfs" if tried.returncode == 0 else "native"


def kubeconfig(machine: Machine, target: Path) -> bool:
    """Writes the kubeconfig with which this host reaches the cluster, mode 0600; whether k3s has written its own yet.

    Raises:
        OperationFailed: what k3s wrote is no kubeconfig.
    """
    try:
        text = machine.written.read_text()
        content = yaml.safe_load(text) if text.strip() else None
        if not content:
            return False
        for cluster in content["clusters"]:
            scheme, _, rest = cluster["cluster"]["server"].partition("://")
            cluster["cluster"]["server"] = f"{scheme}://{machine.way.address}:{rest.rpartition(':')[2]}"
    except FileNotFoundError:
        return False
    except (yaml.YAMLError, TypeError, KeyError, AttributeError) as problem:
        raise OperationFailed("k3s to write a kubeconfig", str(problem), cause="cluster-start") from None
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        yaml.safe_dump(content, out)
    return True


def drop_tar(machine: Machine) -> None:
    """Removes the `tar` of k3s' busybox, with which CRIU cannot keep files; the host's takes its place."""
    for file in machine.data.glob("data/*/bin/tar"):
        file.unlink(missing_ok=True)


def last_words(machine: Machine, lines: int = LOG_LINES) -> str:
    """The end of what k3s said."""
    try:
        text = machine.log.read_text(errors="replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:]) + "\n"
