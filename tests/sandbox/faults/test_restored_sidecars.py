"""What becomes of a proxy beside an application."""

from __future__ import annotations

import pytest
from tests.sandbox.faults.stage import RESTORED, Stage, Step, lifecycle_of_several, manifest, own_steps


async def lifecycle_of_meshed(stage: Stage, kind: str) -> dict[str, list[Step]]:
    """A pod with a proxy beside its application, restored; the steps of both before."""
    before = await lifecycle_of_several(stage, manifest("web", kind), "mesh-proxy", "app")
    await stage.ready(RESTORED)
    return before


@pytest.mark.parametrize("kind", ["sidecar-native", "sidecar-classic"])
async def test_without_a_fault_a_sidecar_goes_on(stage: Stage, kind: str) -> None:
    before = await lifecycle_of_meshed(stage, kind)
    for name, source in before.items():
        assert (await own_steps(stage, source, container=name))[-1][0] == source[0][0]
    assert "the rules are there" in await stage.lines(RESTORED, "mesh-init")


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("sidecar-native", "restore-starts-native-sidecar-afresh"),
        ("sidecar-classic", "restore-starts-second-container-afresh"),
    ],
)
async def test_a_sidecar_starts_afresh(stage: Stage, kind: str, fault: str) -> None:
    await stage.fault(fault)
    before = await lifecycle_of_meshed(stage, kind)
    proxy = await own_steps(stage, before["mesh-proxy"], container="mesh-proxy")
    app = await own_steps(stage, before["app"], container="app")
    assert app[-1][0] == before["app"][0][0]
    assert proxy[-1][0] != before["mesh-proxy"][0][0]


@pytest.mark.parametrize(
    ("kind", "fault", "there"),
    [
        ("sidecar-native", "restore-loses-native-sidecar", ["mesh-init", "app"]),
        ("sidecar-classic", "restore-injects-sidecar-twice", ["mesh-init", "app", "mesh-proxy", "mesh-proxy-again"]),
    ],
)
async def test_other_containers_than_before(stage: Stage, kind: str, fault: str, there: list[str]) -> None:
    await stage.fault(fault)
    await lifecycle_of_meshed(stage, kind)
    spec = (await stage.pod(RESTORED))["spec"]
    assert [one["name"] for one in (*spec["initContainers"], *spec["containers"])] == there
