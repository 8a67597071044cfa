"""The containers of one pod: how they are started, restarted and ended."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ...runtime import Container, Setup, StartError
from ...runtime.images import Image, PullError
from .environment import environment
from .hooks import run_hook
from .missing import Missing
from .probes import PodProbes
from .security import refusal_of
from .status import UNKNOWN, Known, terminated_state

if TYPE_CHECKING:
    from ...stock.images import CheckpointImage
    from .worker import PodWorker

Object = dict[str, Any]
_BACK_OFF_LIMIT = 300
_NEXT_SYNC = 0.3
_RETRY = 10


class Containers:
    """Works for a PodWorker, which holds the pod, the timers and the status."""

    def __init__(self, worker: PodWorker) -> None:
        self.worker = worker
        self.runtime = worker.runtime
        spec = worker.pod["spec"]
        self.inits = [Known(each, init=True) for each in spec.get("initContainers") or []]
        self.mains = [Known(each) for each in spec["containers"]]
        self.probes = PodProbes(self)

    @property
    def all(self) -> tuple[Known, ...]:
        """The init containers, then the others."""
        return (*self.inits, *self.mains)

    def take_spec(self, spec: Object) -> None:
        """A changed pod spec: a container with another image is started again."""
        specs = {c["name"]: c for c in (*(spec.get("initContainers") or []), *spec["containers"])}
        for known in self.all:
            old, known.spec = known.spec, specs[known.name]
            if known.container and known.running and old["image"] != known.spec["image"]:
                self.worker.event(known, "Killing", f"Container {known.name} definition changed, will be restarted")
                self.kill(known)

    def retry(self) -> None:
        """Something that a container may have waited for has come."""
        for known in self.all:
            if known.waiting and known.waiting[0] == "CreateContainerConfigError":
                self._start_after(known, 0)

    def next(self) -> None:
        """Starts what is to be started next: the first init container that is not done, or else all containers."""
        self.worker.publish()
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
        self.worker.publish()

    # the start

    def _start_after(self, known: Known, seconds: float) -> None:
        self.worker.after(f"start/{known.name}", seconds, partial(self._start, known))

    def _start(self, known: Known) -> None:
        worker = self.worker
        if worker.stopping:
            return
        try:
            worker.cluster.points.pulling(worker.pod, known.spec)
            found = self._image(known)
            if found is None:
                return
            image, checkpoint = found
            address = {"podIP": worker.pod_ip, "hostIP": worker.host_ip}
            env = environment(worker.cluster, worker.pod, known.spec, address)
        except PullError as error:
            self._not_pulled(known, error)
            return
        except Missing as missing:
            self._not_created(known, "CreateContainerConfigError", str(missing))
            return
        refusal = refusal_of(worker.pod, known.spec, image.reference)
        broken = worker.trouble.refusal or (checkpoint.create_error if checkpoint else "")
        if refusal or broken:
            reason = "CreateContainerConfigError" if refusal else "CreateContainerError"
            self._not_created(known, reason, refusal or broken)
            return
        mounts = worker.volumes.mounts(known.spec, env)
        self._run(known, worker.setup(known.spec, image, env, mounts), checkpoint)

    def _image(self, known: Known) -> tuple[Image, CheckpointImage | None] | None:
        """A container's image, and whether it is a checkpoint; None where it is on its way. Raises PullError."""
        worker, event = self.worker, partial(self.worker.event, known)
        checkpoints, reference = worker.cluster.checkpoint_images, known.spec["image"]
        if not checkpoints or not checkpoints.concerns(reference):
            return worker.kubelet.images.fetch(worker.node, known.spec, event), None
        found = checkpoints.get(worker.node, reference, event, partial(self._start_after, known, 0))
        return (found.base, found) if found else None

    def _run(self, known: Known, setup: Setup, checkpoint: CheckpointImage | None) -> None:
        worker = self.worker
        known.image_id, known.user = setup.image.image_id, setup.surroundings.user
        known.image = setup.image.reference if checkpoint else known.spec["image"]
        known.pulls = 0
        worker.event(known, "Created", f"Created container: {known.name}")
        if known.terminated:
            known.last, known.terminated = known.terminated, None
            known.restarts += 1
        known.waiting, known.ready, known.started = None, False, False
        try:
            worker.cluster.points.starting(worker.pod, known.spec)
            known.container = self._container(setup, checkpoint)
        except StartError as error:
            self._not_started(known, setup, str(error))
            return
        worker.event(known, "Started", f"Started container {known.name}")
        worker.cluster.points.has_started(worker.pod, known.container)
        if self.hook(known, "postStart"):
            worker.event(known, "Killing", "FailedPostStartHook")
            self.kill(known)
            return
        known.started = not known.spec.get("startupProbe")
        known.ready = known.started and not known.spec.get("readinessProbe") and (not known.init or known.sidecar)
        self.probes.begin(known)
        worker.publish()
        if known.sidecar and known.started:
            worker.after("next", 0, self.next)

    def _container(self, setup: Setup, checkpoint: CheckpointImage | None) -> Container:
        """Starts a container, or restores it. Raises StartError."""
        if checkpoint and checkpoint.start_error:
            raise StartError(checkpoint.start_error)
        origin = checkpoint.origin if checkpoint else None
        return self.runtime.start(self.worker.uid, setup, (origin.snapshot, origin.at) if origin else None)

    def _not_created(self, known: Known, reason: str, message: str) -> None:
        known.waiting = (reason, message)
        self.worker.event(known, "Failed", f"Error: {message}", warning=True)
        self._start_after(known, _RETRY)
        self.worker.publish()

    def _not_pulled(self, known: Known, error: PullError) -> None:
        reference, message, event = known.spec["image"], str(error), partial(self.worker.event, known, warning=True)
        known.waiting = (error.reason, message)
        if error.reason == "ErrImagePull":
            event("Failed", f'Failed to pull image "{reference}": {message}')
            self.worker.after(f"start/{known.name}", _NEXT_SYNC * 4, lambda: self._pull_back_off(known, message))
        elif error.reason == "InvalidImageName":
            event("InspectFailed", message)
        else:
            event("ErrImageNeverPull", message)
            self._start_after(known, _RETRY)
        event("Failed", f"Error: {error.reason}")
        self.worker.publish()

    def _pull_back_off(self, known: Known, message: str) -> None:
        known.pulls += 1
        reference = known.spec["image"]
        known.waiting = ("ImagePullBackOff", f'Back-off pulling image "{reference}": ErrImagePull: {message}')
        self.worker.event(known, "BackOff", f'Back-off pulling image "{reference}"')
        self.worker.event(known, "Failed", "Error: ImagePullBackOff", warning=True)
        self.worker.publish()
        self._start_after(known, self._back_off(known.pulls))

    def _back_off(self, times: int) -> float:
        return float(min(self.worker.cluster.latencies.back_off * 2 ** (times - 1), _BACK_OFF_LIMIT))

    def _not_started(self, known: Known, setup: Setup, message: str) -> None:
        self.worker.event(known, "Failed", f"Error: {message}", warning=True)
        failed = Container(setup, known.restarts, self.runtime.now())
        failed.stop(self.runtime.now(), 128)
        known.terminated = terminated_state(failed, reason="StartError", message=message)
        self._ended(known)

    # the end

    def exited(self, container: Container) -> None:
        """A container has ended by itself."""
        for known in self.all:
            if known.container is container and known.running:
                known.terminated = terminated_state(container)
                self._ended(known)

    def kill(self, known: Known, exit_code: int | None = None) -> None:
        """Ends a container from outside: with SIGTERM, or so that it has this exit code."""
        if known.container and known.running:
            container = self.runtime.stop(self.worker.uid, known.name, exit_code)
            if container:
                known.terminated = terminated_state(container)
                self._ended(known)

    def kill_all(self) -> None:
        """Ends all that run."""
        for known in self.all:
            self.kill(known)

    def settle(self) -> None:
        """After the end of the pod nothing waits: what ran shows how it ended, and of what never did nobody knows.

        Containers before which an init container is not done stay as they are (TerminatePod of
        pkg/kubelet/status/status_manager.go, Kubernetes 1.33).
        """
        tried = max((n for n, known in enumerate(self.inits) if known.terminated), default=0)
        begun = not self.inits or self.inits[-1].succeeded or any(known.terminated for known in self.mains)
        for known in (*self.inits[: tried + 1], *(self.mains if begun else ())):
            known.waiting, known.terminated = None, known.terminated or dict(UNKNOWN)

    def _ended(self, known: Known) -> None:
        self.probes.stop(known)
        ended_well = known.succeeded
        known.container, known.ready, known.started = None, known.init and ended_well, False
        if self._restarts(known):
            known.crashes = 0 if self._ran_long(known) else known.crashes
            self.worker.after(f"start/{known.name}", _NEXT_SYNC, lambda: self._restart(known))
        elif known.init and ended_well:
            self.worker.after("next", 0, self.next)
        else:
            self._end_of_pod()
        self.worker.publish()

    def _restarts(self, known: Known) -> bool:
        policy = "Always" if known.sidecar else self.worker.pod["spec"].get("restartPolicy", "Always")
        if self.worker.stopping or known.terminated is None:
            return False
        if known.init and known.succeeded and not known.sidecar:
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
        worker = self.worker
        seconds = int(min(10 * 2 ** (known.crashes - 2), _BACK_OFF_LIMIT))
        shown = f"{seconds}s" if seconds < 60 else f"{seconds // 60}m{seconds % 60}s"
        pod = f"{worker.name}_{worker.namespace}({worker.uid})"
        known.last = known.terminated
        known.waiting = ("CrashLoopBackOff", f"back-off {shown} restarting failed container={known.name} pod={pod}")
        worker.event(known, "BackOff", f"Back-off restarting failed container {known.name} in pod {pod}", warning=True)
        worker.publish()
        self._start_after(known, self._back_off(known.crashes - 1))

    def _end_of_pod(self) -> None:
        if self.worker.stopping or any(k.running or k.waiting for k in self.mains):
            return
        if all(k.terminated for k in self.mains):
            for known in self.inits:
                if known.sidecar:
                    self.kill(known)

    def hook(self, known: Known, name: str) -> str:
        """Runs a lifecycle hook; gives what went wrong, or nothing."""
        failed = run_hook(self.runtime, self.worker.uid, known, name)
        if failed:
            reason = f"Failed{name[0].upper()}{name[1:]}Hook"
            self.worker.event(known, reason, f"{reason.removeprefix('Failed')} failed: {failed}", warning=True)
        return failed
