"""The catalogue as a whole: what it promises of itself, and how faults are switched and limited."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.sandbox.faults.conftest import staged
from tests.sandbox.faults.stage import PODS, Stage, manifest

from harness.causes import CAUSES
from sandbox import kinds
from sandbox.commandline import parse
from sandbox.faults import catalogue
from sandbox.faults.catalogue import CATALOGUE
from sandbox.faults.declaration import Fault, Group
from sandbox.faults.limits import PHASES, FaultError, settings

HERE = Path(__file__).parent
LIBRARIES = HERE.parents[2] / "libraries"


def test_there_are_many_and_each_group_has_some() -> None:
    assert len(CATALOGUE) >= 60
    assert {fault.group for fault in CATALOGUE.values()} == set(Group)


@pytest.mark.parametrize("fault", CATALOGUE.values(), ids=lambda fault: fault.name)
def test_a_fault_says_what_it_is(fault: Fault) -> None:
    assert fault.what[0].isupper()
    assert fault.what.endswith(".")
    assert fault.cause is None or fault.cause in CAUSES, "a cause that the harness knows"
    assert settings(fault, {})[1].phase in ("", *PHASES)


def test_each_name_is_declared_once() -> None:
    modules = [getattr(catalogue, name) for name in dir(catalogue) if hasattr(getattr(catalogue, name), "FAULTS")]
    names = [fault.name for module in modules for fault in module.FAULTS.all]
    assert len(names) == len(set(names)) == len(CATALOGUE)


def test_each_fault_has_a_test() -> None:
    text = "".join(file.read_text() for file in HERE.glob("test_*.py"))
    assert [name for name in CATALOGUE if f'"{name}"' not in text] == []


def test_the_command_line_lists_them() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "sandbox", "--list-faults"],
        env=os.environ | {"PYTHONPATH": str(LIBRARIES)},
        capture_output=True,
        text=True,
        check=True,
    )
    listed = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["name"] for each in listed] == list(CATALOGUE)
    assert {tuple(each) for each in listed} == {
        ("name", "group", "what", "expect", "cause", "suite", "test", "verdict")
    }
    assert all((each["cause"] is None) == (each["expect"] == "tolerated") for each in listed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("nonsense", "no fault 'nonsense'; there are restore-starts-afresh"),
        ("propagator-503:counts=2", "has no parameter 'counts'; allowed are count, each, phase, probability, seed"),
        ("propagator-503:count=none", "count is 'none'; allowed is a whole number from 1 on"),
        ("propagator-503:count", "'count' is not key=value"),
        ("propagator-503:probability=2", "probability is '2'; allowed is a number from 0 to 1"),
        ("propagator-503:phase=never", "phase is 'never'; allowed is one of before-checkpoint"),
        ("propagator-503:pod=web", "has no parameter 'pod'"),
        ("node-not-ready:count=1", "has no parameter 'count'; allowed are phase"),
        ("propagator-slow:seconds=soon", "seconds is 'soon'; allowed is a number"),
    ],
)
def test_a_wrong_one_is_refused_on_the_command_line(text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse(["--fault", text])
    assert words in capsys.readouterr().err


def test_a_right_one_is_taken() -> None:
    asked = parse(["--fault", "propagator-slow:seconds=2:count=3", "--fault", "restore-frozen"]).faults
    assert [(fault.name, dict(given)) for fault, given in asked] == [
        ("propagator-slow", {"seconds": "2", "count": "3"}),
        ("restore-frozen", {}),
    ]


@pytest.mark.parametrize("value", [True, [], {}, None, -1, 1.5])
def test_limits_take_no_other_types(value: Any) -> None:
    with pytest.raises(FaultError):
        settings(CATALOGUE["propagator-503"], {"count": value})


@pytest.mark.parametrize("body", [[], "text", {"name": 5}, {}, {"name": "propagator-503", "parameters": []}])
async def test_the_admin_server_refuses_what_is_wrong(bare: Stage, body: Any) -> None:
    answer = await bare.admin("POST", "/faults", body)
    assert answer.status == 400
    assert answer.json["message"]
    assert (await bare.admin("GET", "/faults")).json == []


async def test_faults_are_switched_on_and_off(bare: Stage) -> None:
    first = await bare.fault("propagator-401")
    second = (await bare.admin("POST", "/faults", {"name": "propagator-slow", "seconds": 0.01})).json
    assert second["parameters"] == {"seconds": 0.01}
    assert (await bare.propagator("GET", "/user")).status == 401
    on = (await bare.admin("GET", "/faults")).json
    assert [(each["id"], each["hits"]) for each in on] == [(first["id"], 1), (second["id"], 0)]
    assert (await bare.admin("DELETE", f"/faults/{first['id']}")).json == {"ended": [first["id"]]}
    assert (await bare.admin("DELETE", f"/faults/{first['id']}")).status == 404
    assert (await bare.propagator("GET", "/user")).status == 200
    assert (await bare.admin("DELETE", "/faults")).json == {"ended": [second["id"]]}


async def test_one_that_is_on_from_the_start(bare: Stage) -> None:
    del bare
    asked = parse(["--fault", "propagator-tls-expired"]).faults
    async with staged(faults=asked) as stage:
        assert stage.facts["propagator_url"].startswith("https://")
        assert (await stage.propagator("GET", "/user", ssl=False)).status == 200


async def test_count_and_each(bare: Stage) -> None:
    await bare.fault("propagator-401", count=2)
    assert [(await bare.propagator("GET", "/user")).status for _ in range(3)] == [401, 401, 200]
    await bare.admin("DELETE", "/faults")
    await bare.fault("propagator-401", each=1)
    paths = ["/user", "/user", "/cluster", "/cluster"]
    assert [(await bare.propagator("GET", path)).status for path in paths] == [401, 200, 401, 200]


async def test_probability_is_repeatable(bare: Stage) -> None:
    rounds = []
    for seed in (7, 7, 8):
        await bare.fault("propagator-401", probability=0.5, seed=seed)
        rounds.append([(await bare.propagator("GET", "/user")).status for _ in range(20)])
        await bare.admin("DELETE", "/faults")
    assert rounds[0] == rounds[1] != rounds[2]
    assert set(rounds[0]) == {200, 401}


async def test_namespace_and_pod(bare: Stage) -> None:
    await bare.fault("api-webhook-refuses", pod="web")
    await bare.create(PODS, **manifest("other"))
    assert (await bare.api("POST", PODS, manifest("web"))).status == 400
    await bare.admin("DELETE", "/faults")
    await bare.fault("api-webhook-refuses", namespace="elsewhere")
    await bare.create(PODS, **manifest("web"))


@pytest.mark.parametrize(
    ("phase", "holds"),
    [
        ("before-checkpoint", (True, False, False, False, False)),
        ("during-checkpoint", (False, True, False, False, False)),
        ("after-checkpoint", (False, False, True, True, True)),
        ("before-restore", (True, True, True, False, False)),
        ("during-restore", (False, False, False, True, False)),
        ("after-restore", (False, False, False, False, True)),
    ],
)
async def test_phases(stage: Stage, phase: str, holds: tuple[bool, ...]) -> None:
    """The work is held, so that there is a time during it; a harmless fault shows whether its phase is."""
    checkpoint, restore = stage.hold("checkpoint"), stage.hold("restore")
    await stage.fault("propagator-unknown-fields", phase=phase)
    seen = []

    async def look(status: str = "") -> None:
        if status:
            await stage.until(lambda: latest(stage), lambda row: row["status"] == status, status)
        seen.append("x_future" in (await stage.propagator("GET", "/cluster")).text)

    pod = await stage.workload()
    await look()
    action = (await stage.begin_checkpoint(pod)).id
    await look("processing")
    checkpoint.set()
    await look("ready")
    await stage.begin_restore(action)
    await look("processing")
    restore.set()
    await look("ready")
    assert tuple(seen) == holds


async def latest(stage: Stage) -> Any:
    return (await stage.propagator("GET", "/actions")).json[-1]


async def test_the_journal_has_every_change_and_every_strike(stage: Stage) -> None:
    await stage.fault("propagator-status-500")
    pod = await stage.workload()
    action = (await stage.begin_checkpoint(pod)).id
    await stage.until(lambda: stage.status(action), lambda seen: seen["status"] == "ready", "the checkpoint")

    async def journal(query: str) -> Any:
        return (await stage.admin("GET", f"/journal?{query}")).json

    own = [entry for entry in await journal("kind=pod") if entry["name"] == "web"]
    assert own[0]["phase"] == "Pending"
    assert (own[-1]["phase"], own[-1]["ready"]) == ("Running", True)
    changes = [entry["status"] for entry in await journal("kind=action")]
    assert changes == ["initialized", "processing", "checkpoint_created", "ready"]
    assert [entry["status"] for entry in await journal("kind=checkpoint")][-1] == "ready"
    assert len(await journal("kind=fault")) == 2
    times = [entry["time"] for entry in await journal("kind=pod,action")]
    assert times == sorted(times)
    late = await journal(f"since={times[-1]}")
    assert late
    assert all(entry["time"] >= times[-1] for entry in late)
    asked = await journal("kind=request")
    assert {"server", "client", "verb", "path", "status", "ms"} <= set(asked[0])
    assert stage.facts["token"] not in json.dumps(await journal(""))


@pytest.mark.parametrize("query", ["since=yesterday", "kind=nothing"])
async def test_a_wrong_filter_is_refused(bare: Stage, query: str) -> None:
    assert (await bare.admin("GET", f"/journal?{query}")).status == 400


async def test_faults_hold_in_each_cluster() -> None:
    async with staged(clusters=2) as stage:
        await stage.fault("node-not-ready")
        for cluster in stage.sandbox.clusters:
            states = [node["status"]["conditions"][-1]["status"] for node in cluster.store.list(kinds.NODE)]
            assert states == ["False", "False"]
