"""The life of one pod on its node: sandbox, containers, status, termination."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ... import kinds
from ...api import objects
from ...runtime import Container, Setup
from ...runtime.files import Mount
from ...runtime.images import Image
from ...runtime.logs import rfc3339
from ...runtime.surroundings import Surroundings
from .containers import Containers
from .environment import hostname, hosts_file, resolver_file
from .missing import Missing
from .security import rights_of, user_of
from .status import ENDED, Known, write_status
from .trouble import Trouble
from .volumes import Volumes

if TYPE_CHECKING:
    from . import Kubelet

Object = dict[str, Any]
_MOUNT_RETRY = 1.0


class PodWorker:
    """Runs one pod. All methods are called on the event loop; what takes time is a timer."""

    def __init__(self, kubelet: Kubelet, pod: Object) -> None:
        self.kubelet = kubelet
        self.cluster = kubelet.cluster
        self.runtime = self.cluster.runtime
        self.uid: str = pod["metadata"]["uid"]
        self.namespace: str = pod["metadata"]["namespace"]
        self.name: str = pod["metadata"]["name"]
        self.node: str = pod["spec"]["nodeName"]
        self.pod = pod
        self.volumes = Volumes(self.cluster, pod)
        self.sandbox = False
        self.pod_ip = ""
        self.start_time = rfc3339(self.runtime.now() + self.runtime.host(self.node).ahead)
        self.stopping = False
        self.over = False
        self.containers = Containers(self)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._held: dict[str, Callable[[], None]] = {}
        self._publishing: asyncio.Handle | None = None

    @property
    def trouble(self) -> Trouble:
        """What is wrong with the node."""
        return self.kubelet.trouble[self.node]

    @property
    def host_ip(self) -> str:
        """The node's address."""
        return self.cluster.node_address(self.node)

    def begin(self) -> None:
        """Takes the pod over from the scheduler."""
        self.runtime.add(self.uid)
        self.publish()
        self.after("setup", self.cluster.latencies.pod_start + self.cluster.points.delaying(self.pod), self._set_up)
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds:
            self.after("deadline", seconds, self._deadline)

    def update(self, pod: Object) -> None:
        """Takes a change of the pod in: deletion, a new image in place, conditions of readiness gates."""
        before, self.pod = self.pod["metadata"], pod
        self.volumes.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            self.terminate(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
            return
        if any(before.get(key) != pod["metadata"].get(key) for key in ("labels", "annotations")):
            self.refresh()
        self.containers.take_spec(pod["spec"])
        if pod["spec"].get("readinessGates"):
            self.publish()

    def retry(self) -> None:
        """Something that the pod may have waited for has come."""
        if "mount" in self._timers:
            self.after("mount", 0, self._set_up)
        self.containers.retry()

    def refresh(self) -> None:
        """An object that volumes may show has changed."""
        if not self.trouble.down:
            self.volumes.refresh()

    def forget(self) -> None:
        """The pod is gone from the API: everything of it ends at once."""
        self._cancel_timers()
        if self._publishing:
            self._publishing.cancel()
        for known in self.containers.all:
            self.containers.probes.stop(known)
        self.runtime.forget(self.uid)
        self.kubelet.addresses.release(self.pod_ip)

    def resume(self) -> None:
        """The node's kubelet acts again: what came due meanwhile is done."""
        held, self._held = self._held, {}
        for known in self.containers.all:
            if known.container and not known.container.running:
                self.containers.exited(known.container)
        for act in held.values():
            act()
        self.publish()

    def setup(self, spec: Object, image: Image, env: dict[str, str], mounts: tuple[Mount, ...]) -> Setup:
        """What a container of the pod is started with."""
        etc = {"/etc/hosts": hosts_file(self.pod, self.pod_ip), "/etc/resolv.conf": resolver_file(self.pod)}
        network = self.cluster.network.of_pod(self.uid, self.namespace)
        around = Surroundings(self.runtime.host(self.node), network, user_of(self.pod, spec))
        return Setup(spec, image, env, mounts, hostname(self.pod), etc, around, rights_of(self.pod, spec))

    def _set_up(self) -> None:
        if self.stopping:
            return
        try:
            self.volumes.prepare()
        except Missing as missing:
            self.pod_event("FailedMount", self.volumes.mount_failed(str(missing)), warning=True)
            self.after("mount", _MOUNT_RETRY, self._set_up)
            return
        own_network = not self.pod["spec"].get("hostNetwork")
        self.pod_ip = self.kubelet.addresses.allocate(self.node) if own_network else self.host_ip
        self.sandbox = True
        self.containers.next()

    # the end

    def running(self) -> list[Container]:
        """The containers that run."""
        return [k.container for k in self.containers.all if k.container and k.container.running]

    def exited(self, container: Container) -> None:
        """A container has ended by itself."""
        if not self.trouble.down:
            self.containers.exited(container)

    def terminate(self, grace: float) -> None:
        """Ends the pod gracefully: containers get their time (at most `pod_stop`), then the pod fails or succeeds, and
        leaves the API unless a finalizer holds it."""
        if self.stopping:
            return
        self.stopping = True
        self._cancel_timers()
        for known in self.containers.all:
            self.containers.probes.stop(known)
            if known.running:
                self.event(known, "Killing", f"Stopping container {known.name}")
                self.containers.hook(known, "preStop")
        self.after("stop", min(grace, self.cluster.latencies.pod_stop), self._stopped)

    def _stopped(self) -> None:
        self.containers.kill_all()
        if self.pod.get("status", {}).get("phase") not in ENDED:
            self.over = True
            self.containers.settle()
            self._publish_now()
        objects.delete(self.cluster, kinds.POD, self.namespace, self.name, grace=0)

    def _deadline(self) -> None:
        """The pod's activeDeadlineSeconds are over: it fails."""
        message = "Pod was active on the node longer than the specified deadline"
        self.pod_event("DeadlineExceeded", message)
        self.fail("DeadlineExceeded", message)

    def fail(self, reason: str, message: str, conditions: tuple[Object, ...] = ()) -> None:
        """Ends the containers and lets the pod fail (deadline, eviction by the node)."""
        self.stopping = True
        self._cancel_timers()
        self.containers.kill_all()

        def failed(pod: Object) -> None:
            pod["status"] |= {"phase": "Failed", "reason": reason, "message": message}
            pod["status"]["conditions"] = [*conditions, *(pod["status"].get("conditions") or [])]

        self._publish_now()
        self.cluster.store.change(kinds.POD, self.namespace, self.name, failed)

    # status, events, timers

    def publish(self) -> None:
        """Writes the status soon: changes of one moment make one write."""
        if self._publishing is None:
            self._publishing = asyncio.get_running_loop().call_soon(self._publish_now)

    def _publish_now(self) -> None:
        if self._publishing:
            self._publishing.cancel()
            self._publishing = None
        stored = self.cluster.store.get(kinds.POD, self.namespace, self.name)
        if stored and stored["metadata"]["uid"] == self.uid and not self.trouble.down:
            self.cluster.store.change(kinds.POD, self.namespace, self.name, self._write_status)

    def _write_status(self, pod: Object) -> None:
        address = {"hostIP": self.host_ip, **({"podIP": self.pod_ip} if self.pod_ip else {})}
        inits, mains = self.containers.inits, self.containers.mains
        write_status(pod, inits, mains, address, self.start_time, sandbox=self.sandbox, over=self.over)

    def event(self, known: Known, reason: str, message: str, *, warning: bool = False) -> None:
        """An event about one container."""
        path = f"spec.{'initContainers' if known.init else 'containers'}{{{known.name}}}"
        self.pod_event(reason, message, warning=warning, field_path=path)

    def pod_event(self, reason: str, message: str, *, warning: bool = False, field_path: str = "") -> None:
        """An event about the pod."""
        self.cluster.events.event(
            self.pod, reason, message, component="kubelet", host=self.node, warning=warning, field_path=field_path
        )

    def after(self, name: str, seconds: float, act: Callable[[], None]) -> None:
        """Does something later, in place of what was to be done under this name; not while the kubelet is down."""
        timer = self._timers.pop(name, None)
        if timer:
            timer.cancel()

        def fire() -> None:
            self._timers.pop(name, None)
            if self.trouble.down:
                self._held[name] = act
            else:
                act()

        self._timers[name] = asyncio.get_running_loop().call_later(seconds, fire)

    def _cancel_timers(self) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        self._held.clear()
