"""A listing of this host, to see what a cluster left there: taken before its start and compared after its end.

Only what can come from a cluster is listed: by names that k3s, containerd, CNI, Cedana and this project use. Where
Kubernetes or a container runtime runs on the host anyway, it goes on making things of these names, and only those with
the cluster's own name count. What has the name of another cluster of this project is that one's.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.children import MARK

from . import cgroups, network

PROCESSES = re.compile(
    r"(^|/)(k3s(-server|-agent)?|containerd(-shim[-a-z0-9]*)?|cedana[-a-z]*|criu|flanneld|kubelet|kube-proxy|pause|runc)$"
)
PLACES = (
    "/run/k3s",
    "/run/containerd",
    "/run/flannel",
    "/run/netns/cni-",
    "/var/lib/rancher",
    "/var/lib/kubelet",
    "/var/lib/cni",
    "/var/lib/cedana",
    "/etc/rancher",
    "/etc/cni",
    "/etc/containerd",
    "/etc/cedana",
    "/opt/cni",
    "/var/log/pods",
    "/var/log/containers",
)
LINKS = re.compile(r"cni\d+|flannel[.-].*|kube-.*|cilium.*|nodelocaldns")
RULES = re.compile(r"KUBE-|CNI-|FLANNEL|flannel")
LOOKED_INTO = ("/usr/local/bin", "/usr/local/lib", "/var/log", "/etc/systemd/system", "/run/systemd/system", "/root")
FILES = re.compile(r"k3s.*|kubectl|crictl|ctr|criu|libcedana.*|cedana.*|\.cedana|\.kube")
SHARED = "cedana-e2e"
"""A directory that other clusters of this project may have made meanwhile, and may still be in."""
RUNTIMES = re.compile(r"(^|/)(kubelet|k3s(-server|-agent)?|kube-apiserver|k0s|crio|containerd|dockerd|podman)$")
OF_A_RUN = re.compile(r"cedana-e2e-[-0-9a-z]+")
LINK_OF_A_RUN = re.compile(r"\bce[0-9a-f]{8}[hc]\b")
PORTS = frozenset({6443, 6444, 10010, 10248, 10249, 10250, 10256, 10257, 10258, 10259})


@dataclass
class Listing:
    """What is there, a line each. `busy`: containers are run on this host by others, too."""

    lines: set[str] = field(default_factory=set)
    busy: bool = False


def listing(name: str, mark: str) -> Listing:
    """What is there now.

    Args:
        name: the cluster's own, which its cgroups, rules and directories have.
        mark: that its processes carry in their environment.
    """
    found = Listing()
    for process in _processes(name, mark, found):
        found.lines.add(process)
    for line in (*_mounts(), *_links(), *_rules(), *_sockets(), *_files(), *_cgroups(name)):
        found.lines.add(line)
    return found


def difference(before: Listing, after: Listing, name: str, link: str) -> list[str]:
    """What there is after and was not there before, and can be the cluster's."""
    new = sorted(line for line in after.lines - before.lines if not _of_another(line, name, link))
    return [line for line in new if not before.busy or name in line or link in line]


def _of_another(line: str, name: str, link: str) -> bool:
    named, links = OF_A_RUN.findall(line), LINK_OF_A_RUN.findall(line)
    return (bool(named) and name not in named) or (bool(links) and link not in links)


def _processes(name: str, mark: str, found: Listing) -> Iterator[str]:
    variable, me = f"{MARK}={mark}".encode(), os.getpid()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            command = words[0].decode(errors="replace")
            variables, cgroup = (folder / "environ").read_bytes().split(b"\0"), (folder / "cgroup").read_text()
            ours = variable in variables or name in cgroup
            if not ours and (OF_A_RUN.search(cgroup) or any(one.startswith(MARK.encode()) for one in variables)):
                continue
            found.busy = found.busy or (bool(RUNTIMES.search(command)) and not ours)
            if int(folder.name) != me and words != [b""] and (ours or PROCESSES.search(command)):
                whose = f" of {name}" if ours else ""
                yield f"process {folder.name} ({command}){whose}"


def _mounts() -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        place = line.split()[4]
        if place.startswith(PLACES) or "cedana-e2e-" in place:
            yield f"mount {place}"


def _links() -> Iterator[str]:
    for link in network.links():
        name, master = link["ifname"], link.get("master", "")
        if LINKS.fullmatch(master) or LINKS.fullmatch(name) or LINK_OF_A_RUN.fullmatch(name):
            yield f"link {name}"


def _rules() -> Iterator[str]:
    for line in network.rules():
        if RULES.search(line) or "cedana-e2e-" in line:
            yield f"rule {line}"


def _sockets() -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                port = int(fields[1].rpartition(":")[2], 16)
                if fields[3] == "0A" and port in PORTS:
                    yield f"socket that listens on port {port}"
    with contextlib.suppress(OSError):
        for line in Path("/proc/net/unix").read_text().splitlines()[1:]:
            path = line.partition("/")[1] + line.partition("/")[2]
            if path.startswith(PLACES):
                yield f"socket {path}"


def _files() -> Iterator[str]:
    for place in PLACES:
        path = Path(place)
        beside = [path] if path.exists() else []
        with contextlib.suppress(OSError):
            beside += path.iterdir() if path.is_dir() else path.parent.glob(f"{path.name}*")
        yield from (_told(one) for one in beside if one.name != SHARED)
    for folder in LOOKED_INTO:
        with contextlib.suppress(OSError):
            yield from (_told(one) for one in Path(folder).iterdir() if FILES.fullmatch(one.name))


def _told(path: Path) -> str:
    kind = "unit" if path.suffix in (".service", ".scope", ".slice", ".mount") and "systemd" in str(path) else "file"
    return f"{kind} {path}"


def _cgroups(name: str) -> Iterator[str]:
    for one in cgroups.hierarchies():
        for folder in (name, "kubepods", "kubepods.slice", "k3s"):
            if (one.place / folder).exists():
                yield f"cgroup {one.place / folder}"
