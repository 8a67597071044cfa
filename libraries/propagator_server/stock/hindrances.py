"""What a checkpoint cannot come back with, said beforehand: a runtime's own error says nothing of the reason.

Measured on containerd 2.1.9, runc 1.3.6 and CRIU 4.2.1; each of these makes a restore fail with `criu failed: type
RESTORE errno 0`.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from .runtimes import Ability, of_node
from .saved import Saved

Object = dict[str, Any]
ESTABLISHED, LISTENING = 1, 10
_OWN = ("/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/dev/shm", "/dev/termination-log")  # noqa: S108
"""What the kubelet and the runtime mount into every container."""


def of_pod(saved: Saved, pod: Object) -> Iterator[str]:
    """What hinders a restore of that checkpoint as that pod, wherever it runs."""
    volumes = {volume["name"]: volume for volume in pod["spec"].get("volumes") or []}
    for container in pod["spec"]["containers"]:
        record = saved.of_container(container["name"])
        if record is None:
            yield f"container {container['name']} has no checkpoint"
            continue
        mounted = {mount["mountPath"].rstrip("/"): mount for mount in container.get("volumeMounts") or []}
        for path in record.get("volumes") or []:
            if path.rstrip("/") not in {*mounted, *_OWN, _message_path(container)}:
                yield f"container {container['name']}: it had a mount at {path}, and the new pod has none there"
        empty = [path for path, mount in mounted.items() if "emptyDir" in volumes.get(mount["name"], {})]
        yield from _files(container["name"], record, [] if pod["spec"].get("initContainers") else empty)
        yield from _sockets(container["name"], record)


def of_nodes(saved: Saved, nodes: Sequence[Object], helped: Collection[str]) -> dict[str, str]:
    """The nodes on which it cannot be restored, each with the reason. `helped`: where an agent is Ready.

    A cordoned node is not among them: the scheduler keeps off it by itself.
    """
    found = {}
    for node in nodes:
        name = node["metadata"]["name"]
        reason = _of_node(saved, node, name in helped)
        if reason:
            found[name] = reason
    return found


def _of_node(saved: Saved, node: Object, helped: bool) -> str:
    info = node.get("status", {}).get("nodeInfo", {})
    taken = {str(record.get("architecture")) for record in saved.records.values()}
    if taken - {info.get("architecture")}:
        return f"is {info.get('architecture')}, and the checkpoint of {', '.join(sorted(taken))}"
    runtime = of_node(node)
    if runtime.restores is Ability.NO:
        return f"has {runtime.version}: {runtime.why}"
    return "" if helped else "has no node agent that is Ready"


def _files(container: str, record: Object, empty: Sequence[str]) -> Iterator[str]:
    for file in record.get("files") or []:
        path = file["path"]
        if path.startswith("/dev/shm/"):  # noqa: S108
            yield f"container {container}: {path} was open; /dev/shm belongs to the pod and comes back empty"
        elif any(path.startswith(f"{place}/") for place in empty):
            yield f"container {container}: {path} was open in an emptyDir, which comes back empty"


def _sockets(container: str, record: Object) -> Iterator[str]:
    for socket in record.get("sockets") or []:
        if socket["state"] == ESTABLISHED and not _is_loopback(socket["peer"]):
            yield (
                f"container {container}: a connection with {socket['peer']}:{socket['peer_port']} was established; "
                "it cannot be taken up from another pod's address"
            )
        elif socket["state"] == LISTENING and not _is_any(socket["address"]):
            yield (
                f"container {container}: it listened on {socket['address']}:{socket['port']}, the source pod's own "
                "address, which the new pod does not have; on 0.0.0.0 it would come back"
            )


def _message_path(container: Object) -> str:
    return str(container.get("terminationMessagePath") or "/dev/termination-log")


def _is_any(address: str) -> bool:
    return _known(address).is_unspecified or _is_loopback(address)


def _is_loopback(address: str) -> bool:
    return _known(address).is_loopback


def _known(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address of version 4 may be written as one of version 6, as Java's sockets do."""
    known = ipaddress.ip_address(address)
    return getattr(known, "ipv4_mapped", None) or known
