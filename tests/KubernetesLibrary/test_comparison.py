"""The pod as it was against the pod as it is: what must not differ is found, what may differ is not."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import BadInput
from KubernetesLibrary import KubernetesLibrary
from KubernetesLibrary.comparison import MAY_DIFFER, Difference, differences, fields

Obj = dict[str, Any]
TOKEN = {"name": "kube-api-access-x1y2z", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}


def pod() -> Obj:
    """A pod with something in every field that is told apart."""
    return {
        "metadata": {
            "name": "web",
            "namespace": "my-tests",
            "uid": "1",
            "resourceVersion": "7",
            "labels": {"app.kubernetes.io/name": "web"},
            "annotations": {"team": "blue"},
            "ownerReferences": [{"kind": "ReplicaSet", "name": "web-5d4", "uid": "9", "controller": True}],
        },
        "spec": {
            "nodeName": "n1",
            "restartPolicy": "Always",
            "serviceAccountName": "default",
            "priority": 0,
            "nodeSelector": {"disk": "ssd"},
            "securityContext": {"runAsUser": 10, "supplementalGroups": [3, 4]},
            "tolerations": [{"key": "spot", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}],
            "volumes": [{"name": "data", "emptyDir": {}}, TOKEN],
            "containers": [
                {
                    "name": "web",
                    "image": "docker.io/library/nginx:1.28.0",
                    "command": ["sh", "-c", "nginx"],
                    "env": [{"name": "A", "value": "1"}, {"name": "B"}],
                    "envFrom": [{"configMapRef": {"name": "more"}}, {"prefix": "X_", "secretRef": {"name": "s"}}],
                    "ports": [{"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"}],
                    "resources": {"limits": {"cpu": "500m"}, "requests": {"memory": "1Gi"}},
                    "securityContext": {"capabilities": {"drop": ["ALL"], "add": ["CHOWN", "KILL"]}},
                    "volumeMounts": [
                        {"name": "data", "mountPath": "/data"},
                        {"name": TOKEN["name"], "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"},
                    ],
                },
                {"name": "log", "image": "alpine:3.22", "resources": {}},
            ],
        },
        "status": {
            "qosClass": "Burstable",
            "containerStatuses": [
                {"name": "web", "imageID": "docker.io/library/nginx@sha256:aa", "restartCount": 2},
                {"name": "log", "imageID": "docker.io/library/alpine@sha256:bb", "restartCount": 0},
            ],
        },
    }


def restored() -> Obj:
    """The same after a good restore."""
    copied = copy.deepcopy(pod())
    copied["metadata"].update(name="web-restored", uid="2", resourceVersion="70")
    copied["spec"].update(nodeName="n2", runtimeClassName="cedana", hostname="web")
    copied["spec"]["volumes"][1]["name"] = "kube-api-access-abcde"
    copied["spec"]["containers"][0]["volumeMounts"][1]["name"] = "kube-api-access-abcde"
    for status in copied["status"]["containerStatuses"]:
        status["restartCount"] = 0
    return copied


def web(one: Obj) -> Obj:
    return one["spec"]["containers"][0]


def test_a_good_restore_has_no_difference() -> None:
    assert differences(pod(), restored()) == []


def test_order_and_notation_are_no_difference() -> None:
    now = restored()
    now["spec"]["containers"].reverse()
    web_now = now["spec"]["containers"][1]
    web_now["env"].reverse()
    web_now["ports"].reverse()
    web_now["volumeMounts"].reverse()
    web_now["securityContext"]["capabilities"]["add"].reverse()
    web_now["resources"] = {"limits": {"cpu": "0.5"}, "requests": {"memory": "1024Mi"}}
    now["spec"]["containers"][0].pop("resources")
    now["spec"]["volumes"].reverse()
    now["spec"]["affinity"] = {}
    assert differences(pod(), now) == []


CHANGES: dict[str, Callable[[Obj], Any]] = {
    "metadata.namespace": lambda one: one["metadata"].update(namespace="default"),
    "metadata.labels[app.kubernetes.io/name]": lambda one: one["metadata"].pop("labels"),
    "metadata.annotations[team]": lambda one: one["metadata"]["annotations"].update(team="red"),
    "metadata.labels[e2e.cedana.ai/run]": lambda one: one["metadata"]["labels"].update({"e2e.cedana.ai/run": "x"}),
    "metadata.ownerReferences[ReplicaSet/web-5d4].uid": lambda one: one["metadata"]["ownerReferences"][0].update(
        uid="8"
    ),
    "spec.containers[web].image": lambda one: web(one).update(image="docker.io/library/nginx:latest"),
    "spec.containers[web].command": lambda one: web(one)["command"].append("x"),
    "spec.containers[web].env[A].value": lambda one: web(one)["env"].pop(0),
    "spec.containers[web].env[B]": lambda one: web(one)["env"].pop(1),
    "spec.containers[web].env[A].value#2": lambda one: web(one)["env"].append({"name": "A", "value": "1"}),
    "spec.containers[web].envFrom[1].secretRef.name": lambda one: web(one)["envFrom"][1]["secretRef"].update(name="t"),
    "spec.containers[web].ports[80/UDP]": lambda one: web(one)["ports"].pop(1),
    "spec.containers[web].resources.limits[cpu]": lambda one: web(one).update(
        resources={"requests": {"memory": "1Gi"}}
    ),
    "spec.containers[web].securityContext.capabilities.drop": lambda one: web(one)["securityContext"][
        "capabilities"
    ].pop("drop"),
    "spec.containers[web].volumeMounts[/data].name": lambda one: web(one)["volumeMounts"].pop(0),
    "spec.containers[web].volumeMounts[/data].subPath": lambda one: web(one)["volumeMounts"][0].update(subPath="x"),
    "spec.containers[log].image": lambda one: one["spec"]["containers"][1].update(image="alpine:3.21"),
    "spec.volumes[data].emptyDir": lambda one: one["spec"]["volumes"][0].pop("emptyDir"),
    "spec.volumes[kube-api-access].projected.sources[0].serviceAccountToken.path": lambda one: one["spec"][
        "volumes"
    ].pop(1),
    "spec.nodeSelector[disk]": lambda one: one["spec"].pop("nodeSelector"),
    "spec.tolerations[spot/Exists/NoExecute].tolerationSeconds": lambda one: one["spec"].pop("tolerations"),
    "spec.runtimeClassName": lambda one: one["spec"].update(runtimeClassName="gvisor"),
    "spec.hostname": lambda one: one["spec"].update(hostname="other"),
    "spec.fieldOfTomorrow.inner": lambda one: one["spec"].update(fieldOfTomorrow={"inner": True}),
    "status.qosClass": lambda one: one["status"].update(qosClass="BestEffort"),
    "status.containerStatuses[web].imageID": lambda one: one["status"]["containerStatuses"][0].update(
        imageID="docker.io/library/nginx@sha256:cc"
    ),
    "status.containerStatuses[web].restartCount": lambda one: one["status"]["containerStatuses"][0].update(
        restartCount=1
    ),
}


@pytest.mark.parametrize("path", CHANGES)
def test_a_changed_field_is_found(path: str) -> None:
    now = restored()
    CHANGES[path](now)
    assert path in [one.field for one in differences(pod(), now)]


def test_a_difference_has_both_values() -> None:
    now = restored()
    web(now)["env"] = [{"name": "A", "value": "2"}]
    assert differences(pod(), now) == [
        Difference("spec.containers[web].env[A].value", "1", "2"),
        Difference("spec.containers[web].env[B]", '{"name": "B"}', None),
    ]


def test_a_checkpoint_image_is_the_same_image_under_another_repository() -> None:
    now = restored()
    web(now).update(image="127.0.0.1:5999/ck/web@sha256:ff", imagePullPolicy="IfNotPresent")
    now["status"]["containerStatuses"][0]["imageID"] = "localhost:5000/made-up@sha256:aa"
    assert differences(pod(), now) == []
    now["status"]["containerStatuses"][0]["imageID"] = "docker.io/library/nginx@sha256:cc"
    assert [one.field for one in differences(pod(), now)] == [
        "spec.containers[web].image",
        "spec.containers[web].imagePullPolicy",
        "status.containerStatuses[web].imageID",
    ]


def test_what_comes_with_the_products_runtime_class_may_be_added_and_nothing_taken_away() -> None:
    now = restored()
    now["spec"]["nodeSelector"]["cedana.ai/enabled"] = "true"
    now["spec"]["overhead"] = {"memory": "1Mi"}
    now["spec"]["tolerations"].append({"key": "cedana.ai/not-ready", "operator": "Exists"})
    now["metadata"]["labels"]["cedana.ai/restored-from"] = "web"
    now["metadata"]["annotations"]["node.example/ip"] = "10.0.0.1"
    assert differences(pod(), now) == []
    now["spec"]["runtimeClassName"] = "other"
    assert len(differences(pod(), now)) == 4


def test_callers_name_more_that_may_differ() -> None:
    now = restored()
    now["metadata"].pop("ownerReferences")
    web(now)["image"] = "nginx:mine"
    now["spec"]["containers"][1]["image"] = "alpine:mine"
    assert differences(pod(), now, ["metadata.ownerReferences", "spec.containers[*].image"]) == []
    left = differences(pod(), now, ["metadata.ownerReferences", "spec.containers[web].image"])
    assert [one.field for one in left] == ["spec.containers[log].image"]
    assert len(differences(pod(), now, ["metadata.owner", "spec.containers[*].im"])) == len(differences(pod(), now))


@pytest.mark.parametrize("path", ["", "image", "specs.containers", "metadatalabels"])
def test_a_path_that_can_be_none_is_refused(path: str) -> None:
    with pytest.raises(BadInput, match=r"may_differ is .*such as spec\.containers"):
        differences(pod(), pod(), [path])


def test_the_keyword_names_what_may_differ() -> None:
    told = KubernetesLibrary.restored_pod_should_match.__doc__ or ""
    for rule in MAY_DIFFER:
        assert rule.field.partition("[")[0].rpartition(".")[2] in told


NAMES = st.text("abcxyz", min_size=1, max_size=3)
LEAVES = st.one_of(NAMES, st.integers(0, 3), st.booleans())
SPECS = st.recursive(
    st.dictionaries(NAMES, LEAVES, min_size=1, max_size=3),
    lambda inner: st.dictionaries(
        NAMES, st.one_of(inner, st.lists(inner, min_size=1, max_size=3)), min_size=1, max_size=3
    ),
    max_leaves=12,
)


def with_spec(spec: Obj) -> Obj:
    return {"metadata": {"name": "web", "namespace": "n"}, "spec": spec}


def holders(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a spec whose value is a leaf."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in pairs:
        if isinstance(inner, (dict, list)):
            yield from holders(inner)
        else:
            yield value, key


@given(SPECS)
def test_a_pod_does_not_differ_from_itself(spec: Obj) -> None:
    assert differences(with_spec(spec), with_spec(copy.deepcopy(spec))) == []


@given(SPECS, st.data())
def test_no_changed_leaf_is_overlooked(spec: Obj, data: st.DataObject) -> None:
    changed = copy.deepcopy(spec)
    holder, key = data.draw(st.sampled_from(list(holders(changed))))
    holder[key] = "changed"
    assert differences(with_spec(spec), with_spec(changed)) != []


@given(SPECS, st.data())
def test_no_lost_field_is_overlooked(spec: Obj, data: st.DataObject) -> None:
    changed = copy.deepcopy(spec)
    holder, key = data.draw(st.sampled_from([one for one in holders(changed) if isinstance(one[0], dict)]))
    del holder[key]
    assert differences(with_spec(spec), with_spec(changed)) != []


@given(SPECS, SPECS)
def test_a_difference_is_one_from_both_sides(one: Obj, other: Obj) -> None:
    there, back = differences(with_spec(one), with_spec(other)), differences(with_spec(other), with_spec(one))
    assert [(d.field, d.was, d.now) for d in there] == [(d.field, d.now, d.was) for d in back]


def test_every_leaf_has_a_path_of_its_own() -> None:
    assert len(fields(pod())) == len(set(fields(pod())))
    assert fields(pod())["spec.containers[web].resources.limits[cpu]"] == "500m"


@pytest.mark.parametrize(
    "name",
    [
        "cni.projectcalico.org/podIP",
        "k8s.v1.cni.cncf.io/networks-status",
        "k8s.ovn.org/pod-networks",
        "ovn.kubernetes.io/ip_address",
    ],
)
def test_what_the_source_got_from_its_network_need_not_come_back(name: str) -> None:
    before = pod()
    before["metadata"]["annotations"][name] = "10.0.0.1"
    assert differences(before, restored()) == []
    before["metadata"]["annotations"]["mine"] = "x"
    assert [one.field for one in differences(before, restored())] == ["metadata.annotations[mine]"]
