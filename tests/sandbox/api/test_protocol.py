"""Paths, media types and options beyond what the recordings show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.kinds.custom_limits import unchecked

CORE = "/api/v1/namespaces/default"


@pytest.mark.parametrize(
    ("method", "path", "code"),
    [
        ("GET", f"{CORE}/pods/x/nonsense", 404),
        ("POST", f"{CORE}/pods/x/log", 405),
        ("PUT", "/apis/apps/v1/namespaces/default/deployments", 405),
        ("DELETE", "/api/v1/namespaces", 405),
        ("GET", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", 405),
        ("GET", f"{CORE}/configmaps?resourceVersion=99999999", 504),
    ],
)
def test_what_is_not_there(send: Any, method: str, path: str, code: int) -> None:
    status, answer = send(method, path)
    assert status == code
    assert answer["kind"] == "Status"


def test_what_has_a_version_cannot_be_created(send: Any, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    stale, fresh = ({"metadata": {"name": "c", "resourceVersion": version}} for version in ("12", "0"))
    code, answer = send("POST", path, json.dumps(stale).encode())
    assert (code, answer["message"]) == (500, "resourceVersion should not be set on objects to be created")
    assert "reason" not in answer
    assert send("POST", f"{path}?dryRun=All", json.dumps(stale).encode())[0] == 201
    assert send("POST", path, json.dumps(fresh).encode())[0] == 201


def test_names_of_variables(send: Any, namespace: str) -> None:
    names = ["1=", "my.name", "\u00e9", "with space"]
    container = {"name": "c", "image": "busybox", "env": [{"name": name, "value": ""} for name in names]}
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    code, answer = send("POST", f"/api/v1/namespaces/{namespace}/pods", json.dumps(pod).encode())
    wrong = [cause["field"] for cause in answer["details"]["causes"]]
    assert (code, wrong) == (422, ["spec.containers[0].env[0].name", "spec.containers[0].env[2].name"])


LIMITS = {
    "mode": {"type": "string", "enum": ["a", "b"], "default": "a"},
    "name": {"type": "string", "maxLength": 5, "pattern": "^x"},
    "short": {"type": "string", "minLength": 2},
    "many": {"type": "array", "maxItems": 1, "items": {"type": "string"}},
    "few": {"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
    "size": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "multipleOf": 5},
    "port": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
}


def _define(send: Any, properties: dict[str, Any]) -> tuple[int, Any]:
    names = {"plural": "bounds", "kind": "Bound"}
    spec = {"type": "object", "properties": properties}
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    body = {"metadata": {"name": "bounds.limits.test"}, "spec": {"group": "limits.test", "scope": "Namespaced"}}
    body["spec"] |= {"names": names, "versions": [version]}
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldValidation=Strict"
    return send("POST", path, json.dumps(body).encode())


def test_values_of_a_custom_kind_keep_to_its_schema(send: Any, namespace: str) -> None:
    assert _define(send, LIMITS)[0] == 201
    path = f"/apis/limits.test/v1/namespaces/{namespace}/bounds"

    def make(**spec: Any) -> tuple[int, Any]:
        body = {"apiVersion": "limits.test/v1", "kind": "Bound", "metadata": {"generateName": "b"}, "spec": spec}
        return send("POST", path, json.dumps(body).encode())

    try:
        code, answer = make(name="xy", short="ab", many=["1"], few={"a": "b"}, size=10, port="http")
        assert (code, answer["spec"]["mode"]) == (201, "a")
        code, answer = make(mode="c", name="yyyyyy", short="a", many=["1", "2"], few={}, size=-1)
        assert code == 422
        assert {(cause["field"], cause["message"]) for cause in answer["details"]["causes"]} == {
            ("spec.mode", 'Unsupported value: "c": supported values: "a", "b"'),
            ("spec.name", "Too long: may not be more than 5 bytes"),
            ("spec.name", "Invalid value: \"yyyyyy\": spec.name in body should match '^x'"),
            ("spec.short", 'Invalid value: "a": spec.short in body should be at least 2 chars long'),
            ("spec.many", "Too many: 2: must have at most 1 items"),
            ("spec.few", "Invalid value: 0: spec.few in body should have at least 1 properties"),
            ("spec.size", "Invalid value: -1: spec.size in body should be greater than 0"),
            ("spec.size", "Invalid value: -1: spec.size in body should be a multiple of 5"),
        }
        assert make(size=0)[0] == 422
    finally:
        send("DELETE", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bounds.limits.test")


def test_what_is_not_checked_of_a_schema_is_named() -> None:
    rule = {"rule": "self.size < 10", "message": "too big"}
    nested = {"type": "array", "items": {"type": "object", "properties": {"a": {"type": "string", "format": "uuid"}}}}
    ruled = {"type": "object", "x-kubernetes-validations": [rule], "properties": {"format": nested}}
    assert unchecked({"type": "object", "properties": LIMITS}) == set()
    assert unchecked({"type": "object", "properties": {"spec": ruled}}) == {"x-kubernetes-validations", "format"}


def test_binding_needs_a_pod(send: Any) -> None:
    body = json.dumps({"metadata": {"name": "nobody"}, "target": {"name": "node-1"}}).encode()
    code, answer = send("POST", f"{CORE}/bindings", body)
    assert (code, answer["message"]) == (404, 'pods "nobody" not found')


def test_events_in_both_versions(send: Any, namespace: str) -> None:
    event = {
        "metadata": {"name": "e"},
        "regarding": {"kind": "Pod", "name": "p", "namespace": namespace},
        "note": "hello",
        "reason": "R",
        "type": "Normal",
        "action": "A",
        "reportingController": "c",
        "reportingInstance": "i",
        "eventTime": "2026-11-24T22:42:55.123456Z",
    }
    path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    assert send("POST", path, json.dumps(event).encode())[0] == 201
    core = send("GET", f"/api/v1/namespaces/{namespace}/events/e")[1]
    assert (core["message"], core["involvedObject"]["name"]) == ("hello", "p")
    assert send("GET", f"{path}/e")[1]["note"] == "hello"


def test_delete_options(send: Any, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    made = send("POST", path, b'{"metadata": {"name": "c"}}')[1]
    wrong = {"preconditions": {"resourceVersion": "1"}}
    assert send("DELETE", f"{path}/c", json.dumps(wrong).encode())[0] == 409
    assert send("DELETE", f"{path}/c?dryRun=All")[0] == 200
    assert send("GET", f"{path}/c")[0] == 200
    right = {"preconditions": {"uid": made["metadata"]["uid"], "resourceVersion": made["metadata"]["resourceVersion"]}}
    assert send("DELETE", f"{path}/c", json.dumps(right).encode())[0] == 200
    assert send("GET", f"{path}/c")[0] == 404


def test_a_dry_run_of_an_update_changes_nothing(send: Any, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    send("POST", path, b'{"metadata": {"name": "c"}, "data": {"a": "1"}}')
    patch = b'{"data": {"a": "2"}}'
    code, answer = send("PATCH", f"{path}/c?dryRun=All", patch, "application/merge-patch+json")
    assert (code, answer["data"]) == (200, {"a": "2"})
    assert send("GET", f"{path}/c")[1]["data"] == {"a": "1"}


def test_roles_that_are_there_from_the_start(send: Any) -> None:
    listed = send("GET", "/apis/rbac.authorization.k8s.io/v1/clusterroles")[1]["items"]
    names = {item["metadata"]["name"] for item in listed}
    assert {"cluster-admin", "admin", "edit", "view"} <= names
