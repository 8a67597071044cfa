"""Whom a container runs as, by the pod's and its own securityContext."""

from __future__ import annotations

from typing import Any

from ...runtime.process import FILTERED, Rights, capabilities
from ...runtime.surroundings import User

Object = dict[str, Any]


def user_of(pod: Object, container: Object) -> User:
    """User and groups; the emulated images run as root."""
    of_pod = pod["spec"].get("securityContext") or {}
    both = {**of_pod, **{k: v for k, v in (container.get("securityContext") or {}).items() if v is not None}}
    uid, gid = int(both.get("runAsUser") or 0), int(both.get("runAsGroup") or 0)
    more = [*(of_pod.get("supplementalGroups") or []), *([of_pod["fsGroup"]] if of_pod.get("fsGroup") else [])]
    return User(uid, gid, tuple(dict.fromkeys((gid, *map(int, more)))))


def rights_of(pod: Object, container: Object) -> Rights:
    """What its process may. Without a seccomp profile there is none, as kubelets have it by default."""
    of_pod, own = pod["spec"].get("securityContext") or {}, container.get("securityContext") or {}
    privileged = bool(own.get("privileged"))
    changes = own.get("capabilities") or {}
    profile = (own.get("seccompProfile") or of_pod.get("seccompProfile") or {}).get("type", "Unconfined")
    return Rights(
        capabilities(changes.get("add") or (), changes.get("drop") or (), privileged=privileged),
        own.get("allowPrivilegeEscalation") is False,
        0 if privileged or profile == "Unconfined" else FILTERED,
    )


def refusal_of(pod: Object, container: Object, image: str) -> str:
    """Why the kubelet does not create the container, or nothing: runAsNonRoot, and it would run as root."""
    both = {**(pod["spec"].get("securityContext") or {}), **(container.get("securityContext") or {})}
    if not both.get("runAsNonRoot") or user_of(pod, container).uid:
        return ""
    name = f'"{pod["metadata"]["name"]}_{pod["metadata"]["namespace"]}({pod["metadata"]["uid"]})"'
    if "runAsUser" in both:
        what = "container's runAsUser breaks non-root policy"
    elif "unprivileged" in image:
        return ""
    else:
        what = "container has runAsNonRoot and image will run as root"
    return f"{what} (pod: {name}, container: {container['name']})"
