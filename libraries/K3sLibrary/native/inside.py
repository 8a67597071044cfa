"""The machine that a k3s lives in, made of namespaces; a script of its own: `python inside.py PLAN.json`.

A k3s that runs on the bare host shares with every other one the socket and state of its containerd (`/run/k3s`), the
kubelet's directory, the names of its links (`cni0`, `flannel.1`) and the chains of its rules (`KUBE-*`), and no flag
changes that. So each gets namespaces for mounts, processes, network, cgroups, IPC and host name, as a container has:
the well-known paths hold inside, two do not meet, and with the last process the kernel removes mounts, links and rules.

The file system is the host's. What is written into system directories goes to layers of the cluster's own; what k3s
and its containers need a real file system for lies in directories of the cluster's own.

It speaks JSON lines on standard output: `{"pid": ...}` of the first process as the host counts it, then
`{"ended": ...}` with the exit status of k3s. It goes on from the first when a line comes on standard input, and ends
k3s and everything else when standard input ends (unless the plan says `keep`) or on SIGTERM.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

NAMESPACES = 0x00020000 | 0x20000000 | 0x40000000 | 0x02000000 | 0x08000000 | 0x04000000
"""Mounts, processes, network, cgroups, IPC and host name: CLONE_NEW... of `linux/sched.h`."""
SET_PARENT_DEATH_SIGNAL = 1
STOP_SECONDS = 8.0
"""That k3s gets to end by itself."""
OVERLAID = ("etc", "usr", "opt", "root", "tmp", "var", "bin", "sbin", "lib", "lib64", "lib32")
"""Directories of the host that are there to read, while what is written to them is the cluster's own."""
OWN = ("var/lib/rancher", "var/lib/kubelet", "var/lib/cni", "var/lib/containerd", "var/log")
"""Directories of the cluster's own, on a real file system: a layer can be no layer of another."""
LEFT_OUT = ("proc", "sys", "dev", "run", "lost+found")
PRETENDED = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
}
"""Kernel settings of the whole host that a kubelet sets if they differ (setupKernelTunables in pkg/kubelet/cm of
kubernetes/kubernetes): it finds them as it wants them, and the host keeps its own."""
SHIELDED = ("kernel/io_uring_disabled", "fs/pipe-user-pages-soft", "fs/pipe-max-size")
"""Those that Cedana's node scripts set (plugins/k8s/scripts and scripts/ of cedana/cedana) and nobody sets back."""


def main() -> int:
    """The process outside: enters the cluster's cgroup and new namespaces, and waits for the first process in them."""
    plan: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())
    _join(plan["cgroups"], "")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(NAMESPACES):
        _say(error=f"new namespaces: {os.strerror(ctypes.get_errno())}")
        return 1
    _join(plan["cgroups"], plan["leaf"])
    for file in plan["delegate"]:
        _enable(Path(file))
    child = os.fork()
    if child == 0:
        libc.prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        os._exit(_first_process(plan))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGTERM))
    _say(pid=child)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _join(cgroups: list[str], leaf: str) -> None:
    for folder in cgroups:
        Path(folder, leaf, "cgroup.procs").write_text(str(os.getpid()))


def _enable(file: Path) -> None:
    """Hands the controllers that there are to what is below; one that cannot be handed on is left out."""
    for controller in file.with_name("cgroup.controllers").read_text().split():
        with contextlib.suppress(OSError):
            file.write_text(f"+{controller}")


def _say(**facts: Any) -> None:
    with contextlib.suppress(OSError):  # whoever started it may be gone
        print(json.dumps(facts), flush=True)


def _first_process(plan: dict[str, Any]) -> int:
    """The first process in the new namespaces: sets them up, runs k3s, and reaps what loses its parent."""
    try:
        _host_name(plan["name"])
        _files(plan)
        if not sys.stdin.readline():
            return 1
        _network(plan)
        return _serve(plan)
    except (OSError, subprocess.CalledProcessError) as problem:
        words = getattr(problem, "stderr", "") or ""
        _say(error=f"{problem} {words.strip()}".strip())
        return 1


def _host_name(name: str) -> None:
    Path("/proc/sys/kernel/hostname").write_text(name)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)


def _mount(*arguments: str | Path) -> None:
    _run("mount", *map(str, arguments))


def _files(plan: dict[str, Any]) -> None:
    """A root of its own, made of the host's, and into it."""
    home = Path(plan["directory"])
    root = home / "root"
    _mount("--make-rprivate", "/")
    _mount("-t", "tmpfs", "-o", "mode=755", "cluster", root)
    spare = home / "spare"
    _mount("-t", "tmpfs", "-o", "mode=755", "layers", spare)
    for entry in sorted(Path("/").iterdir()):
        if entry.name not in LEFT_OUT:
            _take_over(entry, root, (spare, home / "layers"), home)
    for path in OWN:
        (home / path).mkdir(parents=True, exist_ok=True)
        _bind(home / path, root / path)
    _bind(home / "cluster", root / "cluster")
    _bind(Path(plan["binary"]), root / "usr/local/bin/k3s")
    _system(root, plan["controllers"])
    _names(root, plan)
    # Cedana's node scripts change and restart a kubelet and a containerd that are services of the host, and fail where
    # there are none, as with k3s; this file tells them that there are none (plugins/k8s/scripts of cedana/cedana).
    (root / ".dockerenv").touch()
    (root / "old").mkdir()
    os.chdir(root)
    _run("pivot_root", ".", "old")
    os.chdir("/")
    _run("umount", "--lazy", "/old")
    Path("/old").rmdir()
    _mount("--make-rshared", "/")


def _take_over(entry: Path, root: Path, layers: tuple[Path, Path], home: Path) -> None:
    place = root / entry.name
    if entry.is_symlink():
        place.symlink_to(entry.readlink())
    elif entry.name in OVERLAID:
        place.mkdir()
        spare, disk = layers
        # A layer must not lie in the directory that it covers, and not every file system can hold one.
        if home.is_relative_to(entry) or not _overlay(entry, disk, place):
            _overlay(entry, spare, place, check=True)
    elif entry.is_dir():
        place.mkdir()
        _mount("--rbind", entry, place)
    elif entry.is_file():
        _bind(entry, place)


def _overlay(lower: Path, layers: Path, place: Path, *, check: bool = False) -> bool:
    upper, work = layers / lower.name / "upper", layers / lower.name / "work"
    for folder in (upper, work):
        folder.mkdir(parents=True, exist_ok=True)
    upper.chmod(lower.stat().st_mode & 0o7777)
    try:
        _mount("-t", "overlay", "-o", f"lowerdir={lower},upperdir={upper},workdir={work}", "overlay", place)
    except subprocess.CalledProcessError:
        if check:
            raise
        return False
    return True


def _bind(source: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        place.mkdir(exist_ok=True)
    elif not place.exists():
        place.touch()
    _mount("--bind", source, place)


def _system(root: Path, controllers: list[list[str]]) -> None:
    for name in ("proc", "sys", "dev", "run"):
        (root / name).mkdir()
    _mount("-t", "proc", "proc", root / "proc")
    _mount("-t", "sysfs", "sysfs", root / "sys")
    _mount("--rbind", "/dev", root / "dev")
    _mount("-t", "tmpfs", "-o", "mode=755", "run", root / "run")
    (root / "run/lock").mkdir(mode=0o1777)
    # Where Cedana looks for containerd if nobody says where it is.
    (root / "run/containerd").mkdir(mode=0o711)
    (root / "run/containerd/containerd.sock").symlink_to("/run/k3s/containerd/containerd.sock")
    _kernel_settings(root)
    _cgroups(root / "sys/fs/cgroup", controllers)


def _kernel_settings(root: Path) -> None:
    for name in (*PRETENDED, *SHIELDED):
        setting, stand_in = root / "proc/sys" / name, root / "run/sysctl" / name
        if setting.exists():
            stand_in.parent.mkdir(parents=True, exist_ok=True)
            stand_in.write_text(PRETENDED.get(name, setting.read_text().strip()) + "\n")
            _mount("--bind", stand_in, setting)


def _cgroups(base: Path, controllers: list[list[str]]) -> None:
    """The hierarchies as the host has them, each with the cluster's own cgroup for its root."""
    if any(folder for folder, _, _ in controllers):
        _mount("-t", "tmpfs", "-o", "mode=755", "cgroup", base)
    for folder, kind, options in controllers:
        place = base / folder if folder else base
        place.mkdir(exist_ok=True)
        _mount("-t", kind, *(["-o", options] if options else []), "cgroup", place)
        if "," in folder:  # such as cpu,cpuacct, which is looked for by either name
            for name in folder.split(","):
                (base / name).symlink_to(folder)


def _names(root: Path, plan: dict[str, Any]) -> None:
    """Name servers that can be reached from a network of its own, and the machine's own name."""
    file = root / "etc/resolv.conf"
    file.unlink(missing_ok=True)
    file.write_text(plan["resolver"])
    with (root / "etc/hosts").open("a") as hosts:
        hosts.write(f"\n{plan['address']} {plan['name']}\n")


def _network(plan: dict[str, Any]) -> None:
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "link", "set", plan["link"], "name", "eth0")
    _run("ip", "address", "add", f"{plan['address']}/30", "dev", "eth0")
    _run("ip", "link", "set", "eth0", "up")
    _run("ip", "route", "add", "default", "via", plan["gateway"])


def _serve(plan: dict[str, Any]) -> int:
    """Runs k3s until it ends or the end is asked for."""
    ending: list[float] = []
    signal.signal(signal.SIGTERM, lambda *_: ending.append(time.monotonic()))
    with Path("/cluster/k3s.log").open("ab") as log:
        k3s = subprocess.Popen(
            plan["command"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=plan["environment"]
        )
    watched = [] if plan["keep"] else [sys.stdin]
    told = False
    while True:
        if (status := _reap(k3s.pid)) is not None:
            _say(ended=status)
            return status if not ending else 0
        if watched and select.select(watched, [], [], 0.1)[0]:
            watched = []
            ending.append(time.monotonic())
        elif not watched:
            time.sleep(0.1)
        if ending and not told:
            told = True
            k3s.terminate()
        if ending and time.monotonic() - ending[0] > STOP_SECONDS:
            return 0  # the kernel ends all others with the first process


def _reap(awaited: int) -> int | None:
    """Takes the status of every ended child; that of the awaited one is the answer."""
    status = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == awaited:
                status = os.waitstatus_to_exitcode(ended[1])
    return status


if __name__ == "__main__":
    raise SystemExit(main())
