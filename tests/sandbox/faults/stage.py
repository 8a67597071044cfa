"""A sandbox in this process, and what clients of it do, in few words."""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from sandbox.cluster import Latencies
from sandbox.faults.works import Work
from sandbox.server import Options, Sandbox

Object = dict[str, Any]
RESOURCES = Path(__file__).parents[3] / "resources" / "workloads"
QUICK = Latencies(
    pod_start=0.01, pod_stop=0.01, checkpoint=0.04, restore=0.02, freeze=0.0, uninstall=0.02, back_off=0.1
)
STEP = re.compile(r"witness/1 nonce=(\w{16}) step=(\d+) chain=(\w{16})")
PODS = "/api/v1/namespaces/default/pods"
RESTORED = "web-restored"
Step = tuple[str, int, str]
"""Nonce, number and chain."""
SECONDS = 60.0
"""How long anything may take on a machine that is busy with something else."""


@dataclass(frozen=True)
class Answer:
    """Status, text and headers of an answer."""

    status: int
    text: str
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.text)

    @property
    def id(self) -> str:
        return self.text.strip('"')


@dataclass
class Stage:
    """One sandbox with one client."""

    sandbox: Sandbox
    facts: dict[str, Any]
    session: aiohttp.ClientSession
    server: str
    trust: ssl.SSLContext
    cluster_id: str = ""
    system: list[str] = field(default_factory=list)

    async def ask(self, method: str, url: str, body: Any = None, **options: Any) -> Answer:
        """One request, with the token, unless other headers are given."""
        options.setdefault("headers", {"Authorization": f"Bearer {self.facts['token']}"})
        options.setdefault("timeout", aiohttp.ClientTimeout(SECONDS))
        async with self.session.request(method, url, json=body, allow_redirects=False, **options) as response:
            return Answer(response.status, await response.text(), dict(response.headers))

    async def api(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """A request to the Kubernetes API."""
        return await self.ask(method, self.server + path, body, ssl=self.trust, **options)

    async def propagator(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        """A request to the propagator."""
        return await self.ask(method, f"{self.facts['propagator_url']}/v2{path}", body, **options)

    async def admin(self, method: str, path: str, body: Any = None) -> Answer:
        """A request to the admin server."""
        return await self.ask(method, self.facts["admin_url"] + path, body)

    async def fault(self, name: str, **parameters: Any) -> Object:
        """Switches a fault on."""
        answer = await self.admin("POST", "/faults", {"name": name, "parameters": parameters})
        assert answer.status == 201, answer.text
        started: Object = answer.json
        return started

    async def again(self, name: str, **parameters: Any) -> Object:
        """Switches every fault off, and this one on with other parameters."""
        await self.admin("DELETE", "/faults")
        return await self.fault(name, **parameters)

    def hold(self, work: str) -> asyncio.Event:
        """Each `checkpoint` or `restore` from now on does not go on before the event is set."""
        go = asyncio.Event()

        async def around(held: Work) -> Any:
            await go.wait()
            return await held.go()

        assert self.sandbox._faults
        self.sandbox._faults._scene.works.around[work].append(around)
        return go

    async def hits(self) -> int:
        """How often the faults that are on have struck."""
        return sum(each["hits"] for each in (await self.admin("GET", "/faults")).json)

    async def install(self) -> None:
        """A registered cluster, with what the propagator needs of Cedana in it."""
        self.cluster_id = (await self.propagator("POST", "/cluster", {"cluster_name": "here"})).id
        await self.create("/api/v1/namespaces", metadata={"name": "cedana-system"})
        await self.create("/apis/node.k8s.io/v1/runtimeclasses", metadata={"name": "cedana"}, handler="cedana")
        place = "/api/v1/namespaces/cedana-system"
        await self.create(
            f"{place}/configmaps", metadata={"name": "cedana-config"}, data={"cluster-id": self.cluster_id}
        )
        nodes = [node["metadata"]["name"] for node in (await self.api("GET", "/api/v1/nodes")).json["items"]]
        for component, name, node in [("manager", "manager", None), *(("helper", f"helper-{n}", n) for n in nodes)]:
            labels = {"app.kubernetes.io/component": component, "app.kubernetes.io/name": "cedana"}
            spec: Object = {"containers": [{"name": component, "image": "busybox", "command": ["sleep", "9999"]}]}
            spec |= {"nodeName": node} if node else {}
            await self.create(f"{place}/pods", metadata={"name": name, "labels": labels}, spec=spec)
            self.system.append(name)
        for name in self.system:
            await self.ready(name, "cedana-system")

    async def create(self, path: str, **body: Any) -> Object:
        """An object that must be taken."""
        answer = await self.api("POST", path, body)
        assert answer.status == 201, answer.text
        made: Object = answer.json
        return made

    async def pod(self, name: str, namespace: str = "default") -> Object:
        """A pod, or {}."""
        answer = await self.api("GET", f"/api/v1/namespaces/{namespace}/pods/{name}")
        return answer.json if answer.status == 200 else {}

    async def ready(self, name: str, namespace: str = "default") -> Object:
        """The pod once it is Ready."""
        return await self.until(lambda: self.pod(name, namespace), is_ready, f"pod {name} to be Ready")

    async def workload(self, name: str = "web", **changes: Any) -> Object:
        """A Ready pod whose witness has printed a step."""
        pod = manifest(name, **changes)
        await self.create(PODS, **pod)
        await self.ready(name)
        await self.until(lambda: self.steps(name), bool, "a step")
        return await self.pod(name)

    async def lines(self, name: str, container: str = "") -> list[str]:
        """The lines of a container's log."""
        answer = await self.api("GET", f"{PODS}/{name}/log", params={"container": container} if container else {})
        assert answer.status == 200, answer.text
        return answer.text.splitlines()

    async def steps(self, name: str, container: str = "") -> list[Step]:
        """Nonce, number and chain value of each step in a container's log."""
        found = [STEP.search(line) for line in await self.lines(name, container)]
        return [(match[1], int(match[2]), match[3]) for match in found if match]

    async def stamps(self, name: str) -> dict[int, str]:
        """When each step was printed, by its number; the last time of one that came twice."""
        answer = await self.api("GET", f"{PODS}/{name}/log", params={"timestamps": "true"})
        found = [(line.split(" ", 1)[0], STEP.search(line)) for line in answer.text.splitlines()]
        return {int(match[2]): stamp for stamp, match in found if match}

    async def took(self, action: str) -> float:
        """Seconds from the beginning to the end of an action, by the journal."""
        entries = (await self.admin("GET", "/journal?kind=action")).json
        times = [entry["time"] for entry in entries if entry["id"] == action]
        return float(times[-1] - times[0])

    async def outlasts(self, name: str = "other") -> None:
        """Waits as long as another pod takes to come up and to be checkpointed."""
        await self.checkpoint(await self.workload(name))

    async def begin_checkpoint(self, pod: Object) -> Answer:
        """Asks for a checkpoint."""
        return await self.propagator("POST", "/checkpoint/pod", {"pod_id": pod["metadata"]["uid"]})

    async def begin_restore(self, action: str) -> Answer:
        """Asks for a restore."""
        return await self.propagator("POST", "/restore/pod", {"action_id": action, "reason": "manual"})

    async def status(self, action: str) -> Object:
        """Status and details of an action."""
        answer = await self.propagator("GET", f"/checkpoint/status/{action}")
        return answer.json if answer.status == 200 else {"status": str(answer.status)}

    async def ended(self, action: str) -> Object:
        """The status once it is a last one."""
        return await self.until(
            lambda: self.status(action), lambda seen: seen["status"] in ("ready", "error"), f"the end of {action}"
        )

    async def checkpoint(self, pod: Object) -> str:
        """A checkpoint that is ready; its action."""
        action = (await self.begin_checkpoint(pod)).id
        status = await self.ended(action)
        assert status["status"] == "ready", status
        return action

    async def restore(self, action: str) -> Object:
        """The status of a restore that has ended."""
        return await self.ended((await self.begin_restore(action)).id)

    async def gone(self, name: str) -> None:
        """Deletes a pod and waits until it is gone."""
        await self.api("DELETE", f"{PODS}/{name}")
        await self.until(lambda: self.pod(name), lambda pod: not pod, f"pod {name} to be gone")

    async def lifecycle(self, name: str = "web", **changes: Any) -> tuple[Object, list[Step]]:
        """A workload checkpointed, deleted and restored: the original, and its steps when the checkpoint was ready."""
        pod = await self.workload(name, **changes)
        await self.until(lambda: self.steps(name), lambda steps: len(steps) > 2, "three steps")
        action = await self.checkpoint(pod)
        steps = await self.steps(name)
        await self.gone(name)
        assert (await self.restore(action))["status"] == "ready"
        return pod, steps

    async def until(self, ask: Callable[[], Awaitable[Any]], good: Callable[[Any], Any], what: str) -> Any:
        """The first answer that is good."""
        seen = None
        try:
            async with asyncio.timeout(SECONDS):
                while not good(seen := await ask()):  # noqa: ASYNC110 - one wait for anything
                    await asyncio.sleep(0.01)
        except TimeoutError:
            raise AssertionError(f"waited for {what}; last seen: {str(seen)[:2000]}") from None
        return seen


async def own_steps(stage: Stage, source: list[Step], name: str = RESTORED, container: str = "") -> list[Step]:
    """The steps of the restored process's own, once there are any."""
    await stage.ready(name)
    return await stage.until(
        lambda: stage.steps(name, container), lambda steps: set(steps) - set(source), "steps of its own"
    )


async def lifecycle_of_several(stage: Stage, pod: Object, *containers: str) -> dict[str, list[Step]]:
    """A pod `web` with several witnesses checkpointed when the last of them had four steps, and restored.

    Gives the steps of each when the checkpoint was ready.
    """
    await stage.create(PODS, **pod)
    there = await stage.ready("web")
    await stage.until(lambda: stage.steps("web", containers[-1]), lambda steps: len(steps) > 3, "four steps")
    action = await stage.checkpoint(there)
    before = {name: await stage.steps("web", name) for name in containers}
    await stage.gone("web")
    await stage.restore(action)
    return before


def manifest(name: str, kind: str = "witness", **changes: Any) -> Object:
    """The project's own workload under another name; `changes` to its spec, `container` to its container."""
    pod: Object = next(iter(yaml.safe_load_all((RESOURCES / f"{kind}.yaml").read_text())))
    pod["metadata"] |= {"name": name} | changes.pop("metadata", {})
    pod["spec"]["containers"][0] |= changes.pop("container", {})
    pod["spec"] |= changes
    return {"metadata": pod["metadata"], "spec": pod["spec"]}


def restarted(pod: Object) -> bool:
    """Whether the first container has been started anew."""
    states = pod.get("status", {}).get("containerStatuses") or [{}]
    return bool(states[0].get("restartCount"))


def is_ready(obj: Object) -> bool:
    """Whether a pod or node is Ready."""
    conditions = obj.get("status", {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def options(**changes: Any) -> Options:
    """A quick sandbox."""
    return Options(latencies=QUICK, **changes)
