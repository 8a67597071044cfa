"""A Docker daemon of the tests' own, and an image of the stand-in k3s for it."""

from __future__ import annotations

import importlib.metadata
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from python_on_whales import DockerClient
from python_on_whales.exceptions import DockerException

from harness.waiting import Done, Look, Pending, wait_until

ROOT = Path(__file__).resolve().parents[2]
IMAGE = "stand-in/k3s:v1.34.2-k3s1"
NEEDED = ("aiohttp", "PyYAML", "cryptography")
"""What the sandbox and the stand-in import; their requirements come along."""
PROGRAMS = ("/bin/sh", "/bin/sleep", "/bin/mount")
LEFT_OUT = {"test", "tests", "idlelib", "tkinter", "ensurepip", "site-packages", "lib2to3", "turtledemo", "config-3.11"}
LEAVE_THE_HOST_ALONE = ("--iptables=false", "--ip6tables=false", "--ip-forward=false", "--bridge=none")
"""A daemon sets the policy of forwarded packets to DROP, and its bridge and chains outlive it. The stand-in needs none:
ports are published by Docker's own proxy, and the containers of one network meet on its bridge."""
CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
"""By number (include/uapi/linux/capability.h)."""
START = f"""#!/bin/sh
exec {sys.base_prefix}/bin/python3 /project/tests/K3sLibrary/stand_in/k3s.py "$@"
"""

RUNTIME = f"""#!{sys.executable}
import json, os, sys
from pathlib import Path

NAMES = {[f"CAP_{name}" for name in CAPABILITIES.split()]!r}
bounding = int(next(line for line in open("/proc/self/status") if line.startswith("CapBnd")).split()[1], 16)
allowed = {{name for number, name in enumerate(NAMES) if bounding >> number & 1}}
if "--bundle" in sys.argv:
    config = Path(sys.argv[sys.argv.index("--bundle") + 1], "config.json")
    spec = json.loads(config.read_text())
    sets = spec["process"].get("capabilities", {{}})
    spec["process"]["capabilities"] = {{kind: [one for one in has if one in allowed] for kind, has in sets.items()}}
    config.write_text(json.dumps(spec))
os.execv({shutil.which("runc")!r}, ["runc", *sys.argv[1:]])
"""


def why_not() -> str:
    """Why no daemon can be started on this machine; empty where one can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "needs root on Linux to start a Docker daemon"
    if lacking := [name for name in ("docker", "dockerd", "containerd", "runc") if not shutil.which(name)]:
        return f"needs {', '.join(lacking)} (Debian: docker.io)"
    return ""


@contextmanager
def daemon(folder: Path) -> Iterator[str]:
    """Starts a daemon with everything of its own in `folder`; gives the address for DOCKER_HOST."""
    address = f"unix://{folder}/docker.sock"
    own = {"data-root": "data", "exec-root": "exec", "pidfile": "docker.pid"}
    options = [f"--{name}={folder / place}" for name, place in own.items()]
    options += [*LEAVE_THE_HOST_ALONE, f"--add-runtime=allowed={_runtime(folder)}", "--default-runtime=allowed"]
    with (folder / "dockerd.log").open("wb") as log:
        process = subprocess.Popen(["dockerd", f"--host={address}", *options], stdout=log, stderr=log)

    def look() -> Look[None]:
        if process.poll() is not None:
            raise RuntimeError(f"dockerd ended: {(folder / 'dockerd.log').read_text()[-1500:]}")
        try:
            DockerClient(host=address).system.info()
        except DockerException as problem:
            return Pending(problem.stderr or "no answer")
        return Done(None)

    try:
        wait_until(look, timeout=60, expected="dockerd to answer")
        yield address
    finally:
        process.terminate()
        process.wait(60)


def _runtime(folder: Path) -> Path:
    """runc for a machine that has not all capabilities itself, and so cannot give them to privileged containers."""
    script = folder / "runc"
    script.write_text(RUNTIME)
    script.chmod(0o755)
    return script


def build(address: str, folder: Path, *, nodes: int = 1) -> None:
    """Puts the image together from files of this machine: Python, the project, and what they need."""
    archive = folder / "image.tar"
    with tarfile.open(archive, "w", dereference=True) as tar:
        for file, place in sorted(_files().items()):
            tar.add(file, place, recursive=False)
        _add(tar, "bin/k3s", START)
        _add(tar, "etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
    docker = DockerClient(host=address)
    changes = ['ENTRYPOINT ["/bin/k3s"]', 'CMD ["agent"]', f"ENV STAND_IN_NODES={nodes} PATH=/bin"]
    docker.image.import_(archive, IMAGE, changes=changes)
    archive.unlink()


def _files() -> dict[Path, str]:
    """Files of this machine and their places in the image."""
    prefix = Path(sys.base_prefix)
    found = {prefix / "bin" / "python3": f"{prefix}/bin/python3"}
    library = Path(sysconfig.get_path("stdlib", vars={"installed_base": sys.base_prefix}))
    packages = f"{library}/site-packages"
    for path in library.rglob("*"):
        if path.is_file() and not LEFT_OUT & set(path.relative_to(library).parts):
            found[path] = str(path)
    for name in _closure(NEEDED):
        for path in importlib.metadata.files(name) or []:
            located = Path(str(path.locate())).resolve()
            if located.is_file() and ".." not in path.parts:
                found[located] = f"{packages}/{path}"
    for part in ("libraries", "tests/K3sLibrary/stand_in"):
        found |= {path: f"project/{path.relative_to(ROOT)}" for path in (ROOT / part).rglob("*") if path.is_file()}
    found |= {Path(program).resolve(): program.lstrip("/") for program in PROGRAMS}
    return found | {Path(path): path for path in _shared(found)}


def _closure(names: tuple[str, ...]) -> set[str]:
    """The distributions, and those that they require here."""
    found: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name.lower() in found:
            continue
        found.add(name.lower())
        for requirement in importlib.metadata.requires(name) or []:
            wanted = re.match(r"[\w.-]+", requirement)
            if wanted and "extra ==" not in requirement and _is_here(wanted[0]):
                waiting.append(wanted[0])
    return found


def _is_here(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _shared(files: dict[Path, str]) -> set[str]:
    """The shared libraries that these files load."""
    programs = [str(file) for file, place in files.items() if ".so" in file.name or place.startswith("bin/")]
    programs.append(str(Path(sys.base_prefix, "bin", "python3").resolve()))
    told = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"(/\S+) \(0x", told))


def _add(tar: tarfile.TarFile, name: str, text: str) -> None:
    data = text.encode()
    entry: Any = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o755
    tar.addfile(entry, io.BytesIO(data))
