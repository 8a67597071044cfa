"""A restored process holds the values of its ConfigMap that it was started with; a fault gives it the new ones."""

from __future__ import annotations

import pytest
from tests.sandbox.faults.stage import PODS, Stage, manifest

MAPS = "/api/v1/namespaces/default/configmaps"
VALUE = {"name": "WORD", "valueFrom": {"configMapKeyRef": {"name": "words", "key": "word"}}}
MORE = 5
"""Lines that the source may still print until it is gone, and that its copy's log may begin with."""
TELLER = 'n=0; while :; do n=$((n+1)); echo "$n $WORD"; sleep 0.1; done'


@pytest.mark.parametrize(("fault", "told"), [("", "old"), ("restore-takes-new-configuration", "new")])
async def test_the_values_of_a_config_map(stage: Stage, fault: str, told: str) -> None:
    if fault:
        await stage.fault(fault)
    words = {"metadata": {"name": "words"}, "data": {"word": "old"}}
    await stage.create(MAPS, **words)
    container = {"image": "alpine", "command": ["sh", "-c", TELLER], "env": [VALUE]}
    await stage.create(PODS, **manifest("web", container=container))
    action = await stage.checkpoint(await stage.ready("web"))
    await stage.api("PUT", f"{MAPS}/words", words | {"data": {"word": "new"}})
    source = await stage.lines("web")
    await stage.gone("web")
    await stage.restore(action)
    await stage.ready("web-restored")
    steps = len(source) + MORE
    lines = await stage.until(lambda: stage.lines("web-restored"), lambda lines: len(lines) > steps, "its own lines")
    assert lines[-1].split()[1] == told
    assert {line.split()[1] for line in lines} == {"old", told}
