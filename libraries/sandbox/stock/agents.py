"""Node agents as real processes: one for each agent pod, in the place of its emulated container."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import shutil
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from propagator_server.stock.chart import node_agent

from .. import kinds
from ..runtime import Container
from .cgroups import Cgroups
from .nodes_network import HOST, RealPorts, loopback

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ..cluster import Cluster
    from .kubelet import Kubelets

Object = dict[str, Any]
COMMAND = ["python3", "-B", "-m", "node_agent"]
WATCHDOG = ["python3", "-B", "-m", "node_agent.watchdog"]
CODE = Path(node_agent.__file__).parent
LIBRARIES = Path(__file__).resolve().parents[2]
_STOP_SECONDS = 3.0
_SECRET, _ACCOUNT = "secret", "account"


@dataclass
class _Running:
    """An agent's process, by the pod that it is of."""

    process: asyncio.subprocess.Process
    folder: Path
    listens: list[tuple[str, int]] = field(default_factory=list)


class NodeAgents:
    """Starts the process of each agent's container, and ends it with the container.

    The code in the pod's ConfigMap is compared with this repository's, which is what runs: the sandbox runs no other.
    """

    def __init__(
        self,
        cluster: Cluster,
        kubelets: Kubelets,
        ports: RealPorts,
        reach: Callable[[str], Awaitable[str]],
    ) -> None:
        self._cluster, self._kubelets, self._ports, self._reach = cluster, kubelets, ports, reach
        self._running: dict[tuple[str, str], _Running] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._followed: set[str] = set()
        cluster.points.started.append(self._started)

    def process_of(self, node: str) -> int | None:
        """The pid of the agent's process on a node."""
        for (uid, _), running in self._running.items():
            worker = self._cluster.kubelet.workers.get(uid)
            if worker and worker.node == node and running.listens:
                return running.process.pid
        return None

    async def stop(self) -> None:
        """Ends all."""
        for task in list(self._tasks):
            if not task.cancelling():  # else it is waiting for the end of its process
                task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _started(self, pod: Object, container: Container) -> None:
        if container.setup.argv not in (COMMAND, WATCHDOG):
            return
        container.process_ports = set()
        container.log.lines.clear()  # which said that a stand-in runs
        task = asyncio.get_running_loop().create_task(self._run(pod, container))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # As a kubelet does at a container's end, whatever ends it.
        container.at_end.append(task.cancel)

    async def _run(self, pod: Object, container: Container) -> None:
        uid, node = pod["metadata"]["uid"], pod["spec"]["nodeName"]
        if wrong := self._foreign_code(pod):
            container.write(self._cluster.runtime.now(), "stderr", f"emulated container: {wrong}\n".encode())
            self._cluster.runtime.process_ended(uid, container.name, 1)
            return
        folder = self._kubelets.disk(node) / "agent" / container.id[:12]
        self._lay_out(pod, folder)
        proxy = await self._reach(node)
        environment = self._environment(node, container, folder, proxy)
        if _volume(pod, "cgroup"):
            environment["CGROUP_DIR"] = str(self._follow_cgroups(node))
        part = ["watchdog"] if container.setup.argv == WATCHDOG else []
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-B", "-m", "sandbox.stock.process", *part,
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env=environment, start_new_session=True,
        )  # fmt: skip
        running = self._running[uid, container.name] = _Running(process, folder)
        try:
            await asyncio.gather(self._follow_stdout(pod, container, running), self._follow_stderr(container, running))
            code = await process.wait()
            container.at_end.clear()
            self._cluster.runtime.process_ended(uid, container.name, code if code >= 0 else 128 - code)
        finally:
            self._running.pop((uid, container.name), None)
            for address, port in running.listens:
                self._ports.close(address, port)
            await _end(process)
            shutil.rmtree(folder, ignore_errors=True)

    async def _follow_stdout(self, pod: Object, container: Container, running: _Running) -> None:
        assert running.process.stdout is not None
        async for line in running.process.stdout:
            container.write(self._cluster.runtime.now(), "stdout", line)
            if container.setup.argv == COMMAND and not running.listens:
                self._serves(pod["spec"]["nodeName"], container, running, json.loads(line))

    async def _follow_stderr(self, container: Container, running: _Running) -> None:
        assert running.process.stderr is not None
        async for line in running.process.stderr:
            container.write(self._cluster.runtime.now(), "stderr", line)

    def _serves(self, node: str, container: Container, running: _Running, told: Object) -> None:
        """It listens: the emulated network has it from now on, and probes find it."""
        env = container.setup.env
        service, registry = int(env["SERVICE_PORT"]), int(env["REGISTRY_PORT"])
        running.listens = [(self._cluster.node_address(node), service), (loopback(node), registry)]
        for (address, port), name in zip(running.listens, ("service", "registry"), strict=True):
            self._ports.listen(address, port, int(told[name].rpartition(":")[2]))
        container.process_ports = {service}

    def _environment(self, node: str, container: Container, folder: Path, proxy: str) -> dict[str, str]:
        ours = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        own = {key: value for key, value in container.setup.env.items() if key not in ("PATH", "PYTHONPATH")}
        return {
            **ours,
            **own,
            "PYTHONPATH": str(LIBRARIES),
            "ACCOUNT_DIR": str(folder / _ACCOUNT),
            "SECRET_DIR": str(folder / _SECRET),
            "CHECKPOINT_DIR": str(self._kubelets.checkpoints(node)),
            "CONTENT_DIR": str(self._kubelets.disk(node) / "content"),
            "SERVICE_LISTEN": f"{HOST}:0",
            "REGISTRY_LISTEN": f"{HOST}:0",
            "HTTPS_PROXY": proxy,
        }

    def _lay_out(self, pod: Object, folder: Path) -> None:
        """The files of the pod's Secret and of its ServiceAccount's token."""
        namespace = pod["metadata"]["namespace"]
        secret = self._cluster.store.get(kinds.SECRET, namespace, _volume(pod, "secret").get("secretName", ""))
        files = {name: base64.b64decode(value) for name, value in ((secret or {}).get("data") or {}).items()}
        token = self._cluster.service_account_token(namespace, pod["spec"].get("serviceAccountName", "default"))
        for kind, found in ((_SECRET, files), (_ACCOUNT, {"token": token.encode()})):
            (folder / kind).mkdir(mode=0o700, parents=True, exist_ok=True)
            for name, data in found.items():
                (folder / kind / name).write_bytes(data)
                (folder / kind / name).chmod(0o600)

    def _follow_cgroups(self, node: str) -> Path:
        """The folder with the node's cgroups, which are followed from now on until all ends."""
        root = self._kubelets.disk(node) / "cgroup"
        if node not in self._followed:
            self._followed.add(node)
            task = asyncio.get_running_loop().create_task(Cgroups(self._cluster, root, node).follow())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return root

    def _foreign_code(self, pod: Object) -> str:
        """What makes the pod's code another one than this repository's; empty when it is that."""
        name = _volume(pod, "code").get("name", "")
        config = self._cluster.store.get(kinds.CONFIG_MAP, pod["metadata"]["namespace"], name) or {}
        own = {path.name: path.read_text() for path in CODE.glob("*.py")}
        given = config.get("data") or {}
        other = sorted(each for each in {*own, *given} if own.get(each) != given.get(each))
        return f"{', '.join(other)} in ConfigMap {name} is not this repository's node agent" if other else ""


def _volume(pod: Object, name: str) -> Object:
    """The source of a volume of the pod."""
    volume: Object = next((each for each in pod["spec"].get("volumes") or [] if each["name"] == name), {})
    return dict(next((value for key, value in volume.items() if key != "name"), {}))


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), _STOP_SECONDS)
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
