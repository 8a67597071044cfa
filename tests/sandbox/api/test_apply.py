"""Server-side apply: owners, conflicts, what goes when an owner lets go."""

from __future__ import annotations

import json
from typing import Any

import pytest

MEDIA = "application/apply-patch+yaml"


@pytest.fixture
def apply(send: Any, namespace: str) -> Any:
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/d"

    def send_apply(manager: str, *containers: dict[str, Any], force: bool = False, **spec: Any) -> tuple[int, Any]:
        template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": list(containers)}}
        body = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "d"},
            "spec": {"selector": {"matchLabels": {"a": "b"}}, "template": template, **spec},
        }
        query = f"?fieldManager={manager}" + ("&force=true" if force else "")
        code, answer = send("PATCH", path + query, json.dumps(body).encode(), MEDIA)
        return code, answer

    return send_apply


def names(answer: Any) -> list[str]:
    return [container["name"] for container in answer["spec"]["template"]["spec"]["containers"]]


def owners(answer: Any) -> dict[str, str]:
    return {entry["manager"]: entry["operation"] for entry in answer["metadata"]["managedFields"]}


MAIN = {"name": "c", "image": "nginx:1.27"}
SIDE = {"name": "side", "image": "busybox:1"}


def test_items_go_with_their_last_owner(apply) -> None:
    code, made = apply("one", MAIN, SIDE)
    assert (code, names(made)) == (201, ["c", "side"])
    assert apply("two", MAIN)[0] == 200
    code, less = apply("one", MAIN)
    assert (code, names(less)) == (200, ["c"])
    assert owners(less).items() >= {"one": "Apply", "two": "Apply"}.items()


def test_conflicts_name_every_field(apply) -> None:
    apply("one", MAIN, replicas=0)
    code, refused = apply("two", {**MAIN, "image": "nginx:2"}, replicas=1)
    assert code == 409
    assert refused["message"] == (
        'Apply failed with 2 conflicts: conflicts with "one":\n- .spec.replicas\n'
        '- .spec.template.spec.containers[name="c"].image'
    )
    assert {cause["reason"] for cause in refused["details"]["causes"]} == {"FieldManagerConflict"}
    code, taken = apply("two", {**MAIN, "image": "nginx:2"}, replicas=1, force=True)
    assert (code, taken["spec"]["replicas"]) == (200, 1)
    assert apply("one", MAIN, replicas=0)[0] == 409


def test_the_same_again_changes_nothing(apply) -> None:
    first = apply("one", MAIN, replicas=0, paused=True)[1]
    again = apply("one", MAIN, replicas=0, paused=True)[1]
    assert again["metadata"]["generation"] == first["metadata"]["generation"]


def test_what_others_update_is_theirs(apply, send, namespace) -> None:
    apply("one", MAIN)
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/d"
    body = json.dumps({"spec": {"replicas": 0}}).encode()
    changed = send("PATCH", f"{path}?fieldManager=hand", body, "application/merge-patch+json")[1]
    assert owners(changed)["hand"] == "Update"
    code, refused = apply("one", MAIN, replicas=2)
    assert code == 409
    assert 'conflict with "hand" using apps/v1' in refused["message"]
