"""The life of one pod on its node: sandbox, init containers, containers, restarts, termination."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ... import kinds
from ...api import objects
from ...runtime import Container, Setup, StartError
from ...runtime.images import PullError
from ...store import timestamp
from .environment import environment, hostname, hosts_file
from .hooks import run_hook
from .missing import Missing
from .probes import Prober, Target
from .status import Known, terminated_state, write_status
from .volumes import Volumes

if TYPE_CHECKING:
    from . import Kubelet

Object = dict[str, Any]
_BACK_OFF_LIMIT = 300
_NEXT_SYNC = 0.3
_MOUNT_RETRY = 1.0


class PodWorker:
    """Runs one pod. All methods are called on the event loop; what takes time is a timer."""

    def __init__(self, kubelet: Kubelet, pod: Object) -> None:
        self.kubelet = kubelet
        self.cluster = kubelet.cluster
        self.uid: str = pod["metadata"]["uid"]
        self.namespace: str = pod["metadata"]["namespace"]
        self.name: str = pod["metadata"]["name"]
        self.node: str = pod["spec"]["nodeName"]
        self.pod = pod
        self.inits = [Known(spec, init=True) for spec in pod["spec"].get("initContainers") or []]
        self.mains = [Known(spec) for spec in pod["spec"]["containers"]]
        self.volumes = Volumes(self.cluster, pod)
        self.sandbox = False
        self.pod_ip = ""
        self.start_time = timestamp()
        self.stopping = False
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._publishing: asyncio.Handle | None = None
        self.runtime = self.cluster.runtime

    def begin(self) -> None:
        """Takes the pod over from the scheduler."""
        self.runtime.add(self.uid)
        self.publish()
        self._after("setup", self.cluster.latencies.pod_start, self._set_up)
        seconds = self.pod["spec"].get("activeDeadlineSeconds")
        if seconds:
            self._after("deadline", seconds, self._deadline)

    def update(self, pod: Object) -> None:
        """Takes a change of the pod in: deletion, a new image in place."""
        self.pod = pod
        if pod["metadata"].get("deletionTimestamp"):
            self.terminate(pod["metadata"].get("deletionGracePeriodSeconds") or 0)
            return
        specs = {c["name"]: c for c in (*(pod["spec"].get("initContainers") or []), *pod["spec"]["containers"])}
        for known in (*self.inits, *self.mains):
            old, known.spec = known.spec, specs[known.name]
            if known.container and known.running and old["image"] != known.spec["image"]:
                self._event(known, "Killing", f"Container {known.name} definition changed, will be restarted")
                self._kill(known, known.container.term_exit_code())

    def retry(self) -> None:
        """Something that the pod may have waited for has come."""
        if "mount" in self._timers:
            self._after("mount", 0, self._set_up)
        for known in (*self.inits, *self.mains):
            if known.waiting and known.waiting[0] == "CreateContainerConfigError":
                self._after(f"start/{known.name}", 0, partial(self._start, known))

    def forget(self) -> None:
        """The pod is gone from the API: everything of it ends at once."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._publishing:
            self._publishing.cancel()
        for known in (*self.inits, *self.mains):
            self._stop_probes(known)
        self.runtime.forget(self.uid)
        self.kubelet.addresses.release(self.pod_ip)

    # sandbox

    def _set_up(self) -> None:
        if self.stopping:
            return
        try:
            self.volumes.prepare()
        except Missing as missing:
            self._pod_event("FailedMount", self.volumes.mount_failed(str(missing)), warning=True)
            self._after("mount", _MOUNT_RETRY, self._set_up)
            return
        own_network = not self.pod["spec"].get("hostNetwork")
        self.pod_ip = self.kubelet.addresses.allocate(self.node) if own_network else self.host_ip
        self.sandbox = True
        self._next()

    @property
    def host_ip(self) -> str:
        """The node's address."""
        return self.cluster.node_address(self.node)

    def _next(self) -> None:
        """Starts what is to be started next: the first init container that is not done, or else all containers."""
        self.publish()
        for known in self.inits:
            if known.succeeded or (known.sidecar and known.started):
                continue
            if not known.container and not known.waiting:
                self._start(known)
            if not (known.succeeded or (known.sidecar and known.started)):
                return
        for known in self.mains:
            if not known.container and not known.waiting and not known.terminated:
                self._start(known)
        self.publish()

    # one container

    def _start(self, known: Known) -> None:
        if self.stopping:
            return
        try:
            image = self.kubelet.images.fetch(self.node, known.spec, partial(self._event, known))
            address = {"podIP": self.pod_ip, "hostIP": self.host_ip}
            env = environment(self.cluster, self.pod, known.spec, address)
        except PullError as error:
            self._not_pulled(known, error)
            return
        except Missing as missing:
            known.waiting = ("CreateContainerConfigError", str(missing))
            self._event(known, "Failed", f"Error: {missing}", warning=True)
            self._after(f"start/{known.name}", 10, lambda: self._start(known))
            self.publish()
            return
        mounts, hosts = self.volumes.mounts(known.spec, env), hosts_file(self.pod, self.pod_ip)
        self._run(known, Setup(known.spec, image, env, mounts, hostname(self.pod), hosts))

    def _run(self, known: Known, setup: Setup) -> None:
        known.image_id = setup.image.image_id
        known.pulls = 0
        self._event(known, "Created", f"Created container: {known.name}")
        if known.terminated:
            known.last, known.terminated = known.terminated, None
            known.restarts += 1
        known.waiting, known.ready, known.started = None, False, False
        try:
            known.container = self.runtime.start(self.uid, setup)
        except StartError as error:
            self._not_started(known, setup, str(error))
            return
        self._event(known, "Started", f"Started container {known.name}")
        self._hook(known, "postStart")
        known.started = not known.spec.get("startupProbe")
        known.ready = known.started and not known.spec.get("readinessProbe") and (not known.init or known.sidecar)
        kinds_of_probe = ["startup"] if known.spec.get("startupProbe") else ["readiness", "liveness"]
        self._probe(known, kinds_of_probe)
        self.publish()
        if known.sidecar and known.started:
            self._after("next", 0, self._next)

    def _not_pulled(self, known: Known, error: PullError) -> None:
        reference, message = known.spec["image"], str(error)
        known.waiting = (error.reason, message)
        if error.reason == "ErrImagePull":
            self._event(known, "Failed", f'Failed to pull image "{reference}": {message}', warning=True)
            self._after(f"start/{known.name}", _NEXT_SYNC * 4, lambda: self._pull_back_off(known, message))
        elif error.reason == "InvalidImageName":
            self._event(known, "InspectFailed", message, warning=True)
        else:
            self._event(known, "ErrImageNeverPull", message, warning=True)
            self._after(f"start/{known.name}", 10, lambda: self._start(known))
        self._event(known, "Failed", f"Error: {error.reason}", warning=True)
        self.publish()

    def _pull_back_off(self, known: Known, message: str) -> None:
        known.pulls += 1
        reference = known.spec["image"]
        known.waiting = ("ImagePullBackOff", f'Back-off pulling image "{reference}": ErrImagePull: {message}')
        self._event(known, "BackOff", f'Back-off pulling image "{reference}"')
        self._event(known, "Failed", "Error: ImagePullBackOff", warning=True)
        self.publish()
        self._after(f"start/{known.name}", self._back_off(known.pulls), lambda: self._start(known))

    def _back_off(self, times: int) -> float:
        return float(min(self.cluster.latencies.back_off * 2 ** (times - 1), _BACK_OFF_LIMIT))

    def _not_started(self, known: Known, setup: Setup, message: str) -> None:
        self._event(known, "Failed", f"Error: {message}", warning=True)
        failed = Container(setup, known.restarts, self.runtime.now())
        failed.stop(self.runtime.now(), 128)
        known.terminated = terminated_state(failed, reason="StartError", message=message)
        self._ended(known)

    def exited(self, container: Container) -> None:
        """A container has ended by itself."""
        for known in (*self.inits, *self.mains):
            if known.container is container and known.running:
                known.terminated = terminated_state(container)
                self._ended(known)

    def _kill(self, known: Known, exit_code: int) -> None:
        container = self.runtime.stop(self.uid, known.name, exit_code)
        if container:
            known.terminated = terminated_state(container)
            self._ended(known)

    def _ended(self, known: Known) -> None:
        self._stop_probes(known)
        ended_well = known.succeeded
        known.container, known.ready, known.started = None, known.init and ended_well, False
        if self._restarts(known):
            known.crashes = 0 if self._ran_long(known) else known.crashes
            self._after(f"start/{known.name}", _NEXT_SYNC, lambda: self._restart(known))
        elif known.init and ended_well:
            self._after("next", 0, self._next)
        else:
            self._end_of_pod()
        self.publish()

    def _restarts(self, known: Known) -> bool:
        policy = "Always" if known.sidecar else self.pod["spec"].get("restartPolicy", "Always")
        if self.stopping or known.terminated is None or (known.init and known.succeeded and not known.sidecar):
            return False
        return (
            policy == "Always" or (policy == "OnFailure" and not known.succeeded) or (known.init and policy != "Never")
        )

    @staticmethod
    def _ran_long(known: Known) -> bool:
        return bool(known.terminated and known.terminated["startedAt"][:15] < known.terminated["finishedAt"][:15])

    def _restart(self, known: Known) -> None:
        """The kubelet's next look at an ended container: the first restart is at once, later ones back off."""
        known.crashes += 1
        if known.crashes == 1:
            self._start(known)
            return
        seconds = int(min(10 * 2 ** (known.crashes - 2), _BACK_OFF_LIMIT))
        shown = f"{seconds}s" if seconds < 60 else f"{seconds // 60}m{seconds % 60}s"
        pod = f"{self.name}_{self.namespace}({self.uid})"
        known.last = known.terminated
        known.waiting = ("CrashLoopBackOff", f"back-off {shown} restarting failed container={known.name} pod={pod}")
        self._event(known, "BackOff", f"Back-off restarting failed container {known.name} in pod {pod}", warning=True)
        self.publish()
        self._after(f"start/{known.name}", self._back_off(known.crashes - 1), lambda: self._start(known))

    def _end_of_pod(self) -> None:
        if self.stopping or any(k.running or k.waiting for k in self.mains):
            return
        if all(k.terminated for k in self.mains):
            for known in self.inits:
                if known.sidecar and known.container:
                    self._kill(known, known.container.term_exit_code())

    def _hook(self, known: Known, name: str) -> None:
        failed = run_hook(self.runtime, known, name)
        if failed:
            reason = f"Failed{name[0].upper()}{name[1:]}Hook"
            self._event(known, reason, f"{reason.removeprefix('Failed')} failed: {failed}", warning=True)

    # probes

    def _probe(self, known: Known, wanted: list[str]) -> None:
        for kind in wanted:
            if known.container and known.spec.get(f"{kind}Probe"):
                target = Target(self.uid, self.pod_ip, known.container)
                known.probes.append(Prober(self.runtime, target, kind, partial(self._probed, known)))

    def _probed(self, known: Known, prober: Prober, verdict: bool | None, output: str) -> None:
        if known.container is not prober.container or self.stopping:
            return
        if output:
            self._event(known, "Unhealthy", f"{prober.kind.capitalize()} probe failed: {output}", warning=True)
        if verdict is None:
            return
        if prober.kind == "readiness":
            known.ready = verdict
            self.publish()
        elif not verdict:
            message = f"Container {known.name} failed {prober.kind} probe, will be restarted"
            self._event(known, "Killing", message)
            self._kill(known, prober.container.term_exit_code())
        elif prober.kind == "startup":
            self._startup_done(known, prober)

    def _startup_done(self, known: Known, prober: Prober) -> None:
        prober.stop()
        known.started = True
        known.ready = not known.spec.get("readinessProbe")
        self._probe(known, ["readiness", "liveness"])
        self.publish()
        if known.sidecar:
            self._next()

    @staticmethod
    def _stop_probes(known: Known) -> None:
        for prober in known.probes:
            prober.stop()
        known.probes.clear()

    # the end

    def terminate(self, grace: float) -> None:
        """Ends the pod gracefully: containers get their time (at most `pod_stop`), then the pod leaves the API."""
        if self.stopping:
            return
        self.stopping = True
        for timer in self._timers.values():
            timer.cancel()
        for known in (*self.inits, *self.mains):
            self._stop_probes(known)
            if known.running:
                self._event(known, "Killing", f"Stopping container {known.name}")
                self._hook(known, "preStop")
        self._after("stop", min(grace, self.cluster.latencies.pod_stop), self._stopped)

    def _stopped(self) -> None:
        for known in (*self.inits, *self.mains):
            if known.container and known.running:
                self._kill(known, known.container.term_exit_code())
        self._publish_now()
        objects.delete(self.cluster, kinds.POD, self.namespace, self.name, grace=0)

    def _deadline(self) -> None:
        """The pod's activeDeadlineSeconds are over: it fails."""
        self._pod_event("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")
        self.fail("DeadlineExceeded", "Pod was active on the node longer than the specified deadline")

    def fail(self, reason: str, message: str) -> None:
        """Ends the containers and lets the pod fail (deadline, eviction by the node)."""
        self.stopping = True
        for known in (*self.inits, *self.mains):
            if known.container and known.running:
                self._kill(known, known.container.term_exit_code())
        self.publish()

        def failed(pod: Object) -> None:
            pod["status"] |= {"phase": "Failed", "reason": reason, "message": message}

        self._publish_now()
        self.cluster.store.change(kinds.POD, self.namespace, self.name, failed)

    # status and events

    def publish(self) -> None:
        """Writes the status soon: changes of one moment make one write."""
        if self._publishing is None:
            self._publishing = asyncio.get_running_loop().call_soon(self._publish_now)

    def _publish_now(self) -> None:
        if self._publishing:
            self._publishing.cancel()
            self._publishing = None
        stored = self.cluster.store.get(kinds.POD, self.namespace, self.name)
        if stored and stored["metadata"]["uid"] == self.uid:
            self.cluster.store.change(kinds.POD, self.namespace, self.name, self._write_status)

    def _write_status(self, pod: Object) -> None:
        address = {"hostIP": self.host_ip, **({"podIP": self.pod_ip} if self.pod_ip else {})}
        write_status(pod, self.inits, self.mains, address, self.start_time, sandbox=self.sandbox)

    def _event(self, known: Known, reason: str, message: str, *, warning: bool = False) -> None:
        path = f"spec.{'initContainers' if known.init else 'containers'}{{{known.name}}}"
        self._pod_event(reason, message, warning=warning, field_path=path)

    def _pod_event(self, reason: str, message: str, *, warning: bool = False, field_path: str = "") -> None:
        self.cluster.events.event(
            self.pod, reason, message, component="kubelet", host=self.node, warning=warning, field_path=field_path
        )

    def _after(self, name: str, seconds: float, act: Callable[[], None]) -> None:
        timer = self._timers.pop(name, None)
        if timer:
            timer.cancel()

        def fire() -> None:
            self._timers.pop(name, None)
            act()

        self._timers[name] = asyncio.get_running_loop().call_later(seconds, fire)
