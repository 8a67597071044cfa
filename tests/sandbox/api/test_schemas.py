"""Quantities, types and bodies as the API's own code has them."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import kinds
from sandbox.schemas import protobuf, quantity, types
from sandbox.schemas.codec import Codec, DecodeError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("1000m", "1"), ("0.5", "500m"), ("1024Mi", "1Gi"), ("1.5Gi", "1536Mi"), ("100M", "100M"), ("1e3", "1e3"),
        ("0", "0"), ("0.0001", "100u"), ("12E", "12E"), ("128974848", "128974848"), ("1536Mi", "1536Mi"), ("-1", "-1"),
    ],
)  # fmt: skip
def test_quantities_are_canonical(text: str, canonical: str) -> None:
    assert quantity.canonical(text) == canonical


@given(st.integers(0, 10**9), st.sampled_from(["", "m", "k", "M", "G", "Ki", "Mi", "Gi"]))
def test_canonical_keeps_the_value(number: int, suffix: str) -> None:
    text = f"{number}{suffix}"
    assert quantity.parse(quantity.canonical(text)) == quantity.parse(text)


@pytest.mark.parametrize("text", ["", "12 apples", "1Zi", "--1", "Mi"])
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(quantity.QuantityError):
        quantity.parse(text)


def test_every_built_in_kind_has_a_type() -> None:
    without = {kind.kind for kind in kinds.BUILTIN.all() if types.of_kind(kind) is None}
    assert without == {"NodeMetrics", "PodMetrics"}, "these are of another API server than the one with the schemas"


def test_unknown_fields_are_named() -> None:
    codec = Codec()
    pod = types.of_kind(kinds.POD)
    assert pod is not None
    made = codec.decode({"metadata": {}, "spec": {"containers": [{"name": "a", "imagee": "x"}]}, "x": 1}, pod)
    assert codec.unknown == ["x", "spec.containers[0].imagee"]
    assert "x" not in made


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        ({"spec": {"replicas": "2"}}, "string into Go struct field DeploymentSpec.spec.replicas of type int32"),
        ({"spec": []}, "array into Go struct field Deployment.spec of type v1.DeploymentSpec"),
        ({"metadata": {"labels": {"a": 1}}}, "number into Go struct field ObjectMeta.metadata.labels of type string"),
    ],
)
def test_wrong_types_are_refused_in_gos_words(obj: dict[str, Any], words: str) -> None:
    deployment = types.of_kind(kinds.DEPLOYMENT)
    assert deployment is not None
    with pytest.raises(DecodeError) as refused:
        Codec().decode(obj, deployment)
    assert words in str(refused.value)


def test_protobuf_of_a_config_map() -> None:
    def field(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2, len(data)]) + data

    meta = field(1, b"name")
    entry = field(1, b"k") + field(2, b"v")
    message = field(1, meta) + field(2, entry)
    body = protobuf.MAGIC + field(1, field(1, b"v1") + field(2, b"ConfigMap")) + field(2, message)
    version, kind, raw = protobuf.unwrap(body)
    assert (version, kind) == ("v1", "ConfigMap")
    assert protobuf.decode(raw, types.struct("core/v1.ConfigMap")) == {"metadata": {"name": "name"}, "data": {"k": "v"}}


@given(st.binary(max_size=60))
def test_bytes_that_are_no_protobuf_are_refused(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        protobuf.decode(data, types.struct("core/v1.Pod"))
