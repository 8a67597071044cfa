"""Many lifecycles while one request in twelve goes wrong in some way: nothing is done twice, nothing waits for ever."""

import random
from collections import Counter
from typing import Any

import pytest
from aiohttp import web
from tests.propagator_server.fake import TOKEN, FakeBackend, propagator
from tests.PropagatorLibrary.faults import Fault

from harness.causes import Blame
from harness.failures import E2EFailure
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.lost import Caution
from PropagatorLibrary.references import PodRef
from PropagatorLibrary.sending import Patience
from PropagatorLibrary.transport import open_session

LIFECYCLES = 30
SHARE = 1 / 12
FAULTS: list[dict[str, Any]] = [
    {"how": "before", "status": 503},
    {"how": "before", "status": 429},
    {"how": "before", "status": 502},
    {"how": "after", "status": 502},
    {"how": "after", "status": 504},
    {"how": "after", "status": 200, "body": "<html>"},
    {"how": "cut_before"},
    {"how": "cut_after"},
    {"how": "half"},
    {"how": "stall_after", "delay": 0.3},
    {"how": "late", "delay": 0.5},
]


def chaos(dice: random.Random) -> Any:
    @web.middleware
    async def misbehave(request: web.Request, handler: Any) -> web.StreamResponse:
        if dice.random() > SHARE:
            return await handler(request)
        return await Fault(request.method, "", **dice.choice(FAULTS)).middleware(request, handler)

    return misbehave


def lifecycle(client: PropagatorClient, uid: str) -> None:
    action_id = client.checkpoint_pod(PodRef(uid=uid))
    client.wait_until_action_completes(action_id, "checkpoint", timeout=60)
    restore_id = client.restore_pod(action_id)
    client.wait_until_action_completes(restore_id, "restore", timeout=60)
    for checkpoint_id in client.find_action(action_id).checkpoint_ids:
        client.deprecate_checkpoint(checkpoint_id)


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_nothing_is_done_twice(seed: int):
    backend = FakeBackend()
    with propagator(backend, middlewares=[chaos(random.Random(seed))]) as url:  # noqa: S311 - dice
        patience, caution = Patience(least=0.01, most=0.05, total=2.0), Caution(settle=0.15)
        client = PropagatorClient(open_session(url, TOKEN, timeouts=(1, 0.2)), url, patience=patience, caution=caution)
        cluster_id = client.register_cluster("e2e")
        pods = [backend.add_pod(cluster_id, f"web-{number}") for number in range(LIFECYCLES)]
        failures = []
        for pod in pods:
            try:
                lifecycle(client, pod.uid)
            except E2EFailure as failed:
                failures.append(failed)
    checkpoints = Counter(request.pod.uid for request in backend.saved.values())
    restores = Counter(request.checkpoint_action_id for request in backend.restored)
    assert set(checkpoints.values()) == {1}
    assert set(restores.values()) == {1}
    assert {failed.cause.blame for failed in failures} <= {Blame.SERVICE}
    assert len(restores) >= LIFECYCLES - len(failures) > LIFECYCLES / 2
