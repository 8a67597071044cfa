"""Broken bodies: each is refused with a Status, none fails the server."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

POD = {
    "containers": [{"name": "c", "image": "i", "ports": [{"containerPort": 80}], "env": [{"name": "A", "value": "b"}]}]
}
LABELS = {"matchLabels": {"a": "b"}}
TEMPLATE = {"metadata": {"labels": {"a": "b"}}, "spec": POD}
DEFINITION = {
    "group": "fuzz.test",
    "scope": "Namespaced",
    "names": {"plural": "things", "kind": "Thing"},
    "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": {"type": "object"}}}],
}
SUBJECT = {"kind": "User", "name": "u"}
REFERENCE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"}
BODIES: list[tuple[str, dict[str, Any]]] = [
    ("/api/v1/namespaces/default/pods", {"spec": POD}),
    ("/api/v1/namespaces/default/configmaps", {"data": {"a": "b"}, "binaryData": {"c": "YQ=="}}),
    ("/api/v1/namespaces/default/secrets", {"data": {"a": "YQ=="}, "stringData": {"b": "c"}, "type": "Opaque"}),
    ("/api/v1/namespaces/default/services", {"spec": {"ports": [{"port": 80}], "selector": {"a": "b"}}}),
    ("/api/v1/namespaces/default/limitranges", {"spec": {"limits": [{"type": "Container", "max": {"cpu": "1"}}]}}),
    ("/api/v1/namespaces/default/events", {"involvedObject": {"kind": "Pod", "name": "x", "namespace": "default"}}),
    ("/apis/apps/v1/namespaces/default/deployments", {"spec": {"selector": LABELS, "template": TEMPLATE}}),
    ("/apis/apps/v1/namespaces/default/statefulsets", {"spec": {"selector": LABELS, "template": TEMPLATE}}),
    ("/apis/apps/v1/namespaces/default/daemonsets", {"spec": {"selector": LABELS, "template": TEMPLATE}}),
    ("/apis/batch/v1/namespaces/default/jobs", {"spec": {"template": {"spec": {**POD, "restartPolicy": "Never"}}}}),
    ("/apis/policy/v1/namespaces/default/poddisruptionbudgets", {"spec": {"minAvailable": 1, "selector": LABELS}}),
    (
        "/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings",
        {"roleRef": REFERENCE, "subjects": [SUBJECT]},
    ),
    ("/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {"spec": DEFINITION}),
    ("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {"resourceAttributes": {"verb": "get"}}}),
]  # fmt: skip
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where in a body something can be put."""
    found = [path] if path else []
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, item in pairs for place in places(item, (*path, key))]


def replaced(value: Any, path: tuple[Any, ...], junk: Any) -> Any:
    """The body with junk at a place."""
    result = copy.deepcopy(value)
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = junk
    return result


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_wrong_parts_are_refused_or_dropped(send: Any, data: st.DataObject) -> None:
    path, body = data.draw(st.sampled_from(BODIES))
    body = {"metadata": {"name": "fuzz", "labels": {"x": "y"}}, **body}
    place = data.draw(st.sampled_from(places(body)))
    broken = replaced(body, place, data.draw(JUNK))
    code, answer = send("POST", f"{path}?dryRun=All", json.dumps(broken).encode())
    assert code in (201, 400, 403, 409, 422), f"{code} for {broken}: {answer}"
    if code != 201:
        assert answer["kind"] == "Status"
        assert answer["reason"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=60), kind=st.sampled_from(["json", "yaml", "vnd.kubernetes.protobuf", "x-nonsense"]))
def test_noise_is_refused(send: Any, body: bytes, kind: str) -> None:
    code, answer = send("POST", "/api/v1/namespaces/default/configmaps?dryRun=All", body, f"application/{kind}")
    assert code in (400, 415, 422), f"{code}: {answer}"
    assert re.match("BadRequest|UnsupportedMediaType|Invalid", answer["reason"])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    patch=JUNK,
    media=st.sampled_from(["json-patch+json", "merge-patch+json", "strategic-merge-patch+json", "apply-patch+yaml"]),
)
def test_patches_of_noise(send: Any, patch: Any, media: str) -> None:
    path = "/api/v1/namespaces/kube-system/configmaps/kube-root-ca.crt?dryRun=All&fieldManager=fuzz"
    code, answer = send("PATCH", path, json.dumps(patch).encode(), f"application/{media}")
    assert code in (200, 400, 409, 422, 500), f"{code}: {answer}"
    assert code != 500 or "failed to create typed patch object" in answer["message"]
