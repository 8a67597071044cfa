"""A pod's status as the kubelet writes it, from what the kubelet knows of its containers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ...runtime import Container
from ...runtime.logs import rfc3339
from ...runtime.surroundings import User
from ...store import timestamp

Object = dict[str, Any]
EPOCH = "1970-01-01T00:00:00Z"
ENDED = ("Succeeded", "Failed")
UNKNOWN = {
    "exitCode": 137,
    "reason": "ContainerStatusUnknown",
    "message": "The container could not be located when the pod was terminated",
    "startedAt": None,
    "finishedAt": None,
}
"""How a container ended that had not begun when its pod was ended (pkg/kubelet/status/status_manager.go)."""
OWNED = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")


@dataclass
class Known:
    """What the kubelet knows of one container of a pod. `image`: what it runs, for a restored one its base image."""

    spec: Object
    init: bool = False
    waiting: tuple[str, str] | None = None
    container: Container | None = None
    terminated: Object | None = None
    last: Object | None = None
    restarts: int = 0
    ready: bool = False
    started: bool = False
    crashes: int = 0
    pulls: int = 0
    image: str = ""
    image_id: str = ""
    user: User = field(default_factory=User)
    probes: list[Any] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The container's name."""
        return str(self.spec["name"])

    @property
    def sidecar(self) -> bool:
        """An init container that keeps running (restartPolicy Always)."""
        return self.init and self.spec.get("restartPolicy") == "Always"

    @property
    def running(self) -> bool:
        """Whether it runs now."""
        return self.container is not None and self.terminated is None

    @property
    def succeeded(self) -> bool:
        """Whether it ended with 0."""
        return self.terminated is not None and self.terminated["exitCode"] == 0


def terminated_state(container: Container, *, reason: str = "", message: str = "") -> Object:
    """The `terminated` state of a container that has ended."""
    code = container.exit_code or 0
    message = message or container.termination_message()
    return {
        "exitCode": code,
        "reason": reason or ("OOMKilled" if container.out_of_memory else "Completed" if code == 0 else "Error"),
        **({"message": message} if message else {}),
        "startedAt": EPOCH if reason == "StartError" else rfc3339(container.shown_start),
        "finishedAt": rfc3339(container.clock(container.finished_at)),
        "containerID": f"containerd://{container.id}",
    }


def container_status(known: Known, default_waiting: str) -> Object:
    """One entry of containerStatuses."""
    status: Object = {"name": known.name, "state": _state(known, default_waiting), "lastState": {}}
    if known.last and not (known.terminated and known.last is known.terminated and not known.waiting):
        status["lastState"] = {"terminated": known.last}
    status |= {
        "ready": known.ready,
        "restartCount": known.restarts,
        "image": known.image or known.spec["image"],
        "imageID": known.image_id,
    }
    ran = f"containerd://{known.container.id}" if known.container else (known.terminated or {}).get("containerID", "")
    if ran:
        status["containerID"] = ran
    status["started"] = known.started and known.running
    if ran:
        status |= _applied(known.spec, known.user)
    mounts = [_mount_status(mount) for mount in known.spec.get("volumeMounts") or []]
    return {**status, **({"volumeMounts": mounts} if mounts else {})}


def _state(known: Known, default_waiting: str) -> Object:
    if known.waiting:
        reason, message = known.waiting
        return {"waiting": {"reason": reason, **({"message": message} if message else {})}}
    if known.terminated:
        return {"terminated": known.terminated}
    if known.container:
        return {"running": {"startedAt": rfc3339(known.container.shown_start)}}
    return {"waiting": {"reason": default_waiting}}


def _applied(spec: Object, user: User) -> Object:
    resources = spec.get("resources") or {}
    return {
        **({"allocatedResources": resources["requests"]} if resources.get("requests") else {}),
        "resources": {k: v for k, v in resources.items() if k in ("limits", "requests") and v},
        "user": {"linux": {"uid": user.uid, "gid": user.gid, "supplementalGroups": list(user.groups)}},
    }


def _mount_status(mount: Object) -> Object:
    read_only = bool(mount.get("readOnly"))
    return {
        "name": mount["name"],
        "mountPath": mount["mountPath"],
        **({"readOnly": True, "recursiveReadOnly": "Disabled"} if read_only else {}),
    }


def condition(kind: str, holds: bool, *, reason: str = "", message: str = "") -> Object:
    """A pod condition; `merge_conditions` dates it."""
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "lastProbeTime": None,
        "lastTransitionTime": timestamp(),
        **({"reason": reason} if reason else {}),
        **({"message": message} if message else {}),
    }


def merge_conditions(old: list[Object], new: list[Object]) -> list[Object]:
    """The new conditions with the old transition times where the status is the same, and others' conditions kept."""
    before = {c["type"]: c for c in old}
    merged = []
    for each in new:
        same = before.get(each["type"])
        if same and same["status"] == each["status"]:
            merged.append({**each, "lastTransitionTime": same["lastTransitionTime"]})
        else:
            merged.append(each)
    given = {c["type"] for c in new}
    scheduled = [c for c in old if c["type"] == "PodScheduled" and "PodScheduled" not in given]
    foreign = [c for c in old if c["type"] not in OWNED and c["type"] not in given]
    return merged + scheduled + foreign


def phase_of(pod: Object, inits: list[Known], mains: list[Known], *, over: bool = False) -> str:
    """Pending, Running, Succeeded or Failed; one of the last two where the pod is over, whatever its restartPolicy."""
    if over:
        return "Succeeded" if all(known.succeeded for known in mains) else "Failed"
    policy = pod["spec"].get("restartPolicy", "Always")
    if any(_failed_for_good(known, policy) for known in inits):
        return "Failed"
    if not all(known.container or known.terminated for known in mains):
        return "Pending" if not any(known.running for known in mains) else "Running"
    if all(_ended_for_good(known, policy) for known in mains):
        return "Succeeded" if all(known.succeeded for known in mains) else "Failed"
    return "Running"


def _ended_for_good(known: Known, policy: str) -> bool:
    if known.terminated is None or known.waiting:
        return False
    return policy == "Never" or (policy == "OnFailure" and known.succeeded)


def _failed_for_good(known: Known, policy: str) -> bool:
    return policy == "Never" and not known.sidecar and known.terminated is not None and not known.succeeded


def conditions(pod: Object, phase: str, inits: list[Known], mains: list[Known], sandbox: bool) -> list[Object]:
    """The five conditions that the kubelet and the scheduler keep, in the kubelet's order."""
    ended = {"Succeeded": "PodCompleted", "Failed": "PodFailed"}.get(phase, "")
    waiting = [k.name for k in inits if not (k.succeeded or (k.sidecar and k.started))]
    initialized = condition("Initialized", not waiting)
    if waiting and not ended:
        initialized |= {
            "reason": "ContainersNotInitialized",
            "message": f"containers with incomplete status: [{' '.join(waiting)}]",
        }
    elif ended == "PodCompleted":
        initialized["reason"] = ended
    unready = [k.name for k in [*(i for i in inits if i.sidecar), *mains] if not k.ready]
    ready = condition("ContainersReady", not unready and not ended)
    if ended:
        ready["reason"] = ended
    elif unready:
        ready |= {"reason": "ContainersNotReady", "message": f"containers with unready status: [{' '.join(unready)}]"}
    gates = _gates(pod, ready)
    return [
        condition("PodReadyToStartContainers", sandbox and not ended),
        initialized,
        gates or {**ready, "type": "Ready"},
        ready,
    ]


def _gates(pod: Object, ready: Object) -> Object | None:
    gates = [gate["conditionType"] for gate in pod["spec"].get("readinessGates") or []]
    held = {c["type"]: c["status"] for c in pod.get("status", {}).get("conditions") or []}
    open_gates = [gate for gate in gates if held.get(gate) != "True"]
    if not open_gates or ready["status"] != "True":
        return None
    message = ", ".join(
        f'the status of pod readiness gate "{gate}" is not "True", but {held[gate]}'
        if gate in held
        else f'corresponding condition of pod readiness gate "{gate}" does not exist.'
        for gate in open_gates
    )
    return condition("Ready", False, reason="ReadinessGatesNotReady", message=message)


def write_status(
    pod: Object,
    inits: list[Known],
    mains: list[Known],
    address: dict[str, str],
    start_time: str,
    *,
    sandbox: bool,
    over: bool,
) -> None:
    """Brings the status of a (copied) pod up to date; `address` has hostIP and, once there is one, podIP. `over`: the
    pod was deleted, and its containers have been ended."""
    status = pod.setdefault("status", {})
    if status.get("phase") in ENDED and status.get("reason"):
        return
    phase = phase_of(pod, inits, mains, over=over)
    held = status.get("conditions") or []
    waiting = "PodInitializing" if inits else "ContainerCreating"
    status["phase"] = phase
    status["conditions"] = merge_conditions(held, conditions(pod, phase, inits, mains, sandbox))
    for name, value in address.items():
        status[name] = value
        status[f"{name}s"] = [{"ip": value}]
    status["startTime"] = start_time
    if inits:
        status["initContainerStatuses"] = [container_status(known, waiting) for known in inits]
    status["containerStatuses"] = [container_status(known, waiting) for known in mains]
