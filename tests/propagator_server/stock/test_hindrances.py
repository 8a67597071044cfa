"""What cannot come back is known beforehand, from the archive and from the specs."""

from __future__ import annotations

from typing import Any

import pytest

from propagator_server.backend import RestoreRequest
from propagator_server.stock import hindrances
from propagator_server.stock.explained import explained
from propagator_server.stock.restored import restored_pod
from propagator_server.stock.runtimes import Ability, of_version
from propagator_server.stock.saved import Saved

Object = dict[str, Any]
MOUNTED = [{"name": "data", "mountPath": "/data"}, {"name": "kube-api-access-1", "mountPath": "/var/run/secrets/token"}]


def saved(volume: Object | None = None, **record: Any) -> Saved:
    """A checkpoint of a pod with one container and two mounts."""
    spec = {
        "nodeName": "a",
        "containers": [{"name": "main", "image": "nginx", "volumeMounts": MOUNTED}],
        "volumes": [{"name": "data", **(volume or {"emptyDir": {}})}, {"name": "kube-api-access-1", "projected": {}}],
    }
    known = {
        "container": "main", "image": "127.0.0.1:5999/ck/x", "architecture": "amd64", "cut": 1.0,
        "volumes": ["/data", "/var/run/secrets/token", "/etc/hosts", "/dev/termination-log"],
        "files": [], "sockets": [], **record,
    }  # fmt: skip
    return Saved("action", "cluster", {"metadata": {"name": "w", "namespace": "n"}, "spec": spec}, {"k": known})


def found(of: Saved, spec: Object | None = None) -> list[str]:
    """What hinders it, with the pod's spec as it was or as it is uploaded."""
    uploaded = {"pod_spec": spec} if spec else {}
    return list(hindrances.of_pod(of, restored_pod(of, RestoreRequest("r", "action", None, None, {}, uploaded))))


def socket(address: str, state: int, peer: str = "0.0.0.0") -> Object:
    """A socket as an agent tells of it."""
    return {"address": address, "port": 80, "peer": peer, "peer_port": 5, "state": state}


def node(name: str = "a", runtime: str = "containerd://2.1.9", architecture: str = "amd64", **spec: Any) -> Object:
    """A node object."""
    info = {"containerRuntimeVersion": runtime, "architecture": architecture}
    return {"metadata": {"name": name}, "spec": spec, "status": {"nodeInfo": info}}


def test_a_copy_of_the_spec_has_nothing_against_it() -> None:
    assert found(saved(sockets=[socket("0.0.0.0", 10), socket("::", 10), socket("127.0.0.1", 10)])) == []


@pytest.mark.parametrize("address", ["::ffff:127.0.0.1", "::ffff:0.0.0.0", "::1"])
def test_loopback_comes_back_however_it_is_written(address: str) -> None:
    assert found(saved(sockets=[socket(address, 10)])) == []
    if "0.0.0.0" not in address:
        assert found(saved(sockets=[socket(address, 1, address)])) == []


def test_a_mount_that_is_missing_is_named() -> None:
    container = {"name": "main", "image": "nginx", "volumeMounts": MOUNTED[:1]}
    (reason,) = found(saved(), {"containers": [container], "volumes": [{"name": "data", "emptyDir": {}}]})
    assert "/var/run/secrets/token" in reason and "main" in reason


def test_a_container_without_a_checkpoint_is_named() -> None:
    containers = [{"name": "main", "image": "nginx", "volumeMounts": MOUNTED}, {"name": "other", "image": "x"}]
    assert found(saved(), {"containers": containers}) == ["container other has no checkpoint"]


@pytest.mark.parametrize("path", ["/data/log", "/dev/shm/s"])  # noqa: S108
def test_a_file_that_comes_back_empty_must_not_be_open(path: str) -> None:
    (reason,) = found(saved(files=[{"path": path, "size": 3}]))
    assert path in reason and "empty" in reason


def test_a_file_in_another_volume_may_be_open() -> None:
    assert found(saved({"hostPath": {"path": "/x"}}, files=[{"path": "/data/log", "size": 3}])) == []
    assert found(saved(files=[{"path": "/database", "size": 3}])) == []


def test_an_init_container_may_fill_an_empty_dir() -> None:
    of = saved(files=[{"path": "/data/log", "size": 3}])
    of.pod["spec"]["initContainers"] = [{"name": "fill"}]
    assert found(of) == []


def test_sockets_that_cannot_be_taken_up_are_named() -> None:
    (listener,) = found(saved(sockets=[socket("10.1.2.3", 10)]))
    assert "10.1.2.3:80" in listener and "own" in listener
    (connection,) = found(saved(sockets=[socket("10.1.2.3", 1, "10.9.9.9")]))
    assert "10.9.9.9:5" in connection
    assert found(saved(sockets=[socket("127.0.0.1", 1, "127.0.0.1")])) == []


def test_nodes_that_cannot_restore_are_told_apart() -> None:
    other, old, cordoned = (
        node("b", architecture="arm64"),
        node("c", "containerd://2.0.5"),
        node("d", unschedulable=True),
    )
    nodes = [node(), other, old, cordoned, node("e")]
    reasons = hindrances.of_nodes(saved(), nodes, ["a", "b", "c", "d"])
    assert set(reasons) == {"b", "c", "e"}, "the scheduler keeps off a cordoned node by itself"
    assert "arm64" in reasons["b"] and "2.0.5" in reasons["c"] and "agent" in reasons["e"]


@pytest.mark.parametrize(
    ("version", "ability"),
    [
        ("containerd://2.1.0", Ability.YES),
        ("containerd://2.1.9", Ability.YES),
        ("containerd://2.1.9-k3s1", Ability.YES),
        ("containerd://2.1.10", Ability.UNTRIED),
        ("containerd://2.2.6", Ability.YES),
        ("containerd://2.2.7", Ability.OFF),
        ("containerd://2.3.3", Ability.YES),
        ("containerd://2.3.4", Ability.OFF),
        ("containerd://2.4.0", Ability.NO),
        ("containerd://1.7.27", Ability.NO),
        ("cri-o://1.33.1", Ability.UNTRIED),
        ("cri-o://1.24.0", Ability.NO),
        ("docker://27.0.0", Ability.NO),
        ("", Ability.UNTRIED),
    ],
)
def test_which_runtimes_restore(version: str, ability: Ability) -> None:
    assert of_version(version).restores is ability


def test_the_restored_pod_is_a_copy_that_is_never_restarted() -> None:
    of = saved()
    pod = restored_pod(of, RestoreRequest("r", "action", None, None, {}))
    assert pod["metadata"]["name"] == "w-restored"
    assert pod["spec"]["restartPolicy"] == "Never" and "nodeName" not in pod["spec"]
    assert pod["spec"]["containers"][0]["volumeMounts"] == MOUNTED
    assert of.pod["spec"]["containers"][0]["image"] == "nginx", "what is remembered was changed"


def test_what_the_source_got_from_its_node_and_network_is_its_own() -> None:
    of = saved()
    kept = {"mine": "x", "k8s.v1.cni.cncf.io/networks": "blue", "ovn.kubernetes.io/logical_switch": "s"}
    got = {
        "cni.projectcalico.org/podIPs": "1",
        "ovn.kubernetes.io/ip_address": "10.0.0.1",
        "k8s.ovn.org/pod-networks": "",
    }
    of.pod["metadata"]["annotations"] = kept | got | {"kubernetes.io/config.mirror": "x"}
    of.pod["spec"]["containers"][0] |= {"restartPolicy": "Always", "restartPolicyRules": []}
    pod = restored_pod(of, RestoreRequest("r", "action", None, None, {}))
    ours = {name for name in pod["metadata"]["annotations"] if name.startswith("stock.cedana.ai/")}
    assert set(pod["metadata"]["annotations"]) - ours == set(kept)
    assert not {"restartPolicy", "restartPolicyRules"} & set(pod["spec"]["containers"][0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rpc error: code = DeadlineExceeded desc = context deadline exceeded", "agent.dumpTimeout"),
        ("pinging container registry: http: server gave HTTP response to HTTPS client", "registries.conf"),
    ],
)
def test_what_a_runtime_says_is_explained(text: str, words: str) -> None:
    assert explained(text).startswith(text) and words in explained(text)
