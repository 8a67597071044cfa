"""What a container is started with, and whether it can be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..schemas import quantity
from . import clocks
from .files import FileTree, Mount
from .images import Image
from .process import Rights, shown
from .shell.builtins import BUILTINS
from .shell.commands import COMMANDS
from .shell.launch import SHELLS, base_name
from .surroundings import Surroundings

_BIN = ("/bin/", "/usr/bin/", "/usr/local/bin/", "/sbin/", "/usr/sbin/")
_NOT_EMULATED_NAMES = """
awk sed grep egrep find xargs sort uniq ping top ps kill killall dd df du mount ln cp mv tee nproc httpd basename
free uptime yes expr readlink realpath timeout nohup ip ifconfig route netstat gzip apk apt apt-get dpkg sync umask
perl bc diff vi less more watch hexdump base64 dirname mktemp which time nice openssl python python3
"""
_NOT_EMULATED = frozenset(_NOT_EMULATED_NAMES.split())
CREATE_FAILED = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: "
    "unable to start container process: error during container init: "
)
RESTORE_FAILED = (
    "failed to restore containerd task: failed to create shim task: OCI runtime restore failed: criu failed: type "
    "RESTORE errno 0"
)


class StartError(Exception):
    """The container cannot be started; the message is the runtime's."""


@dataclass(frozen=True)
class Setup:
    """What the kubelet gives a container: its spec, image, environment, mounts, host name, and what is around it.

    etc: the files of /etc that the kubelet writes (hosts, resolv.conf). rights: what its process may.
    """

    spec: dict[str, Any]
    image: Image
    env: dict[str, str]
    mounts: tuple[Mount, ...]
    hostname: str
    etc: Mapping[str, bytes] = field(default_factory=dict)
    surroundings: Surroundings = field(default_factory=Surroundings)
    rights: Rights = field(default_factory=Rights)

    @property
    def argv(self) -> list[str]:
        """What runs: the spec's command and args over the image's, with $(NAME) of the environment put in."""
        command, args = self.spec.get("command") or [], self.spec.get("args") or []
        if not command and not args:
            # Args alone replace the image's command: the entrypoints of the known images run what they are given.
            args = list(self.image.command)
        elif not command and args[0].startswith("-"):
            args = [*self.image.command[:1], *args]
        return [with_env(text, self.env) for text in (*command, *args)]

    @property
    def cwd(self) -> str:
        """The directory that it starts in."""
        return self.spec.get("workingDir") or "/"

    def limit(self, resource: str) -> float | None:
        """A limit in bytes or cores, or None."""
        value = ((self.spec.get("resources") or {}).get("limits") or {}).get(resource)
        return None if value is None else float(quantity.parse(str(value)))

    def file_tree(self, started: int) -> FileTree:
        """The container's files at its start (ns)."""
        read_only = bool((self.spec.get("securityContext") or {}).get("readOnlyRootFilesystem"))
        hostname = {"/etc/hostname": f"{self.hostname}\n".encode()}
        times = clocks.shown(self._name, started, self.surroundings.host)
        files = {**self.image.files, **self._cgroup(), **self.process(), **times, **hostname, **self.etc}
        return FileTree(files, self.mounts, read_only=read_only)

    def process(self) -> dict[str, bytes]:
        """What a process that is started shows of itself, by the path below /proc."""
        return shown(self._name, self.env, self.surroundings.user, self.rights)

    @property
    def _name(self) -> str:
        return base_name((self.argv or ["sh"])[0])

    def _cgroup(self) -> dict[str, bytes]:
        memory, cpu = self.limit("memory"), self.limit("cpu")
        quota = "max" if cpu is None else str(int(cpu * 100_000))
        return {
            "/sys/fs/cgroup/memory.max": f"{'max' if memory is None else int(memory)}\n".encode(),
            "/sys/fs/cgroup/cpu.max": f"{quota} 100000\n".encode(),
        }


def with_env(text: str, env: dict[str, str]) -> str:
    """A text with $(NAME) replaced by the environment's values."""
    for name, value in env.items():
        if "$(" not in text:
            break
        text = text.replace(f"$({name})", value)
    return text


def is_emulated(name: str) -> bool:
    """Whether a container can run a command of this name."""
    return base_name(name) in COMMANDS or base_name(name) in (*BUILTINS, *SHELLS)


def check_exists(image: Image, files: FileTree, name: str) -> None:
    """Raises StartError for a command that a known image does not hold."""
    base = base_name(name)
    if not image.complete or files.exists(name) or base == "pause":
        return
    known = (is_emulated(name) or base in _NOT_EMULATED) and not (base == "nginx" and not image.has_nginx)
    if "/" not in name:
        if not known:
            raise StartError(f'{CREATE_FAILED}exec: "{name}": executable file not found in $PATH')
    elif not (known and name.startswith(_BIN)):
        raise StartError(f'{CREATE_FAILED}exec: "{name}": stat {name}: no such file or directory')
