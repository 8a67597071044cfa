"""Patches against the rules of their formats."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.api.patches import json_patch, merge_patch
from sandbox.api.status import ApiError
from sandbox.api.strategic import strategic_merge
from sandbox.schemas.types import struct

DEPLOYMENT = struct("apps/v1.Deployment")


def containers(*items: dict[str, Any]) -> dict[str, Any]:
    return {"spec": {"template": {"spec": {"containers": list(items)}}}}


def merged(document: dict[str, Any], patch: dict[str, Any]) -> list[dict[str, Any]]:
    return strategic_merge(document, patch, DEPLOYMENT)["spec"]["template"]["spec"]["containers"]


def test_containers_merge_by_name() -> None:
    before = containers({"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b", "image": "1"})
    after = merged(before, containers({"name": "a", "image": "2", "env": [{"name": "Y", "value": "2"}]}))
    assert [item["name"] for item in after] == ["a", "b"]
    assert after[0]["image"] == "2"
    assert {item["name"] for item in after[0]["env"]} == {"X", "Y"}


def test_new_items_come_first_unless_ordered() -> None:
    before = containers({"name": "a"}, {"name": "b"})
    assert [item["name"] for item in merged(before, containers({"name": "c"}))] == ["c", "a", "b"]
    ordered = containers({"name": "c"})
    ordered["spec"]["template"]["spec"]["$setElementOrder/containers"] = [{"name": "b"}, {"name": "c"}, {"name": "a"}]
    assert [item["name"] for item in merged(before, ordered)] == ["b", "c", "a"]


def test_directives() -> None:
    before = containers({"name": "a"}, {"name": "b"})
    assert merged(before, containers({"name": "a", "$patch": "delete"})) == [{"name": "b"}]
    assert merged(before, containers({"$patch": "replace"}, {"name": "z"})) == [{"name": "z"}]
    held = {"metadata": {"finalizers": ["x/a", "x/b"]}}
    less = strategic_merge(held, {"metadata": {"$deleteFromPrimitiveList/finalizers": ["x/a"]}}, DEPLOYMENT)
    assert less["metadata"]["finalizers"] == ["x/b"]
    more = strategic_merge(held, {"metadata": {"finalizers": ["x/c"]}}, DEPLOYMENT)
    assert set(more["metadata"]["finalizers"]) == {"x/a", "x/b", "x/c"}
    rolling = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    only = strategic_merge(rolling, {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}, DEPLOYMENT)
    assert only["spec"]["strategy"] == {"type": "Recreate"}


def test_null_deletes_and_the_input_stays() -> None:
    before = {"metadata": {"labels": {"a": "1", "b": "2"}}}
    kept = copy.deepcopy(before)
    after = strategic_merge(before, {"metadata": {"labels": {"a": None}}}, DEPLOYMENT)
    assert after["metadata"]["labels"] == {"b": "2"}
    assert before == kept


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/l/-", "value": 3}, {"l": [1, 2, 3], "m": {"a/b": 1}}),
        ({"op": "add", "path": "/l/0", "value": 3}, {"l": [3, 1, 2], "m": {"a/b": 1}}),
        ({"op": "remove", "path": "/l/1"}, {"l": [1], "m": {"a/b": 1}}),
        ({"op": "replace", "path": "/m/a~1b", "value": 2}, {"l": [1, 2], "m": {"a/b": 2}}),
        ({"op": "move", "from": "/l/0", "path": "/n"}, {"l": [2], "m": {"a/b": 1}, "n": 1}),
        ({"op": "copy", "from": "/l", "path": "/n"}, {"l": [1, 2], "m": {"a/b": 1}, "n": [1, 2]}),
        ({"op": "test", "path": "/l/0", "value": 1}, {"l": [1, 2], "m": {"a/b": 1}}),
    ],
)
def test_json_patch(operation: dict[str, Any], expected: dict[str, Any]) -> None:
    assert json_patch({"l": [1, 2], "m": {"a/b": 1}}, [operation]) == expected


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "remove", "path": "/zz"},
        {"op": "replace", "path": "/zz", "value": 1},
        {"op": "add", "path": "/a/b/c", "value": 1},
        {"op": "nonsense", "path": "/a"},
        {"path": "/a"},
        {"op": "add"},
    ],
)
def test_json_patch_that_does_not_fit(operation: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        json_patch({"a": 1}, [operation])
    assert refused.value.code == 422


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.text(max_size=3), JSON, max_size=4)


@given(OBJECTS, OBJECTS)
def test_merge_patch_holds_rfc_7396(document: dict[str, Any], patch: dict[str, Any]) -> None:
    result = merge_patch(document, patch)
    for key, value in patch.items():
        if value is None:
            assert key not in result
        elif not isinstance(value, dict):
            assert result[key] == value
    assert all(result[key] == value for key, value in document.items() if key not in patch)
    assert merge_patch(result, patch) == result
