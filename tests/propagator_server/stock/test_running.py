"""A restored pod that may still run is waited for, and one that never will is given up."""

from __future__ import annotations

from typing import Any

import pytest

from propagator_server.backend import BackendError
from propagator_server.stock import running
from propagator_server.stock.kube import KubeError
from propagator_server.stock.running import problem_of, wait_until_restored

Object = dict[str, Any]
WAITING = {"waiting": {"reason": "ContainerCreating"}}
RUNNING: Object = {"running": {}}
THROTTLED = {"waiting": {"reason": "ErrImagePull", "message": "pull QPS exceeded"}}
BACKING_OFF = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "127.0.0.1:5999/ck/x"'}}
REFUSED = {"waiting": {"reason": "ErrImagePull", "message": "not found"}}


def pod(state: Object) -> Object:
    """A pod with one container in that state."""
    statuses = [{"name": "main", "state": state}, {"name": "other", "state": REFUSED}]
    return {
        "metadata": {"name": "w-restored", "namespace": "n", "uid": "u"},
        "spec": {"nodeName": "a"},
        "status": {"phase": "Pending", "containerStatuses": statuses},
    }


class Cluster:
    """Tells of the pod what stands in a list, one after the other; an error in it is raised."""

    def __init__(self, *told: Object | KubeError) -> None:
        self.told, self.deleted = list(told), False

    async def pod(self, namespace: str, name: str) -> Object:  # noqa: ARG002
        """The next."""
        found = self.told.pop(0) if len(self.told) > 1 else self.told[0]
        if isinstance(found, KubeError):
            raise found
        return pod(found)

    async def delete_pod(self, found: Object) -> None:  # noqa: ARG002
        """Is noted."""
        self.deleted = True

    async def warnings(self, found: Object) -> list[str]:  # noqa: ARG002
        """None."""
        return []


async def wait(cluster: Cluster) -> Object:
    """For the container main."""
    return await wait_until_restored(cluster, pod(WAITING), {"main"}, 0)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LOOK_EVERY", 0.0)


async def test_a_pull_that_the_kubelet_puts_off_is_waited_for() -> None:
    cluster = Cluster(WAITING, THROTTLED, BACKING_OFF, BACKING_OFF, WAITING, RUNNING)
    assert (await wait(cluster))["metadata"]["uid"] == "u"
    assert not cluster.deleted


@pytest.mark.parametrize("states", [(REFUSED,), (BACKING_OFF,), (THROTTLED, BACKING_OFF, REFUSED)])
async def test_a_pull_that_fails_is_given_up_with_its_words(states: tuple[Object, ...]) -> None:
    cluster = Cluster(*states)
    words = states[-1]["waiting"]["message"]
    with pytest.raises(BackendError, match=words):
        await wait(cluster)
    assert cluster.deleted


async def test_a_server_that_is_away_meanwhile_is_waited_for() -> None:
    away = [KubeError(status, "away") for status in (0, 429, 503)]
    assert await wait(Cluster(WAITING, *away, RUNNING))


async def test_a_server_that_refuses_is_not() -> None:
    with pytest.raises(KubeError, match="forbidden"):
        await wait(Cluster(WAITING, KubeError(403, "forbidden")))


async def test_a_server_that_stays_away_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "PATIENCE", 0.0)
    with pytest.raises(KubeError, match="away"):
        await wait(Cluster(KubeError(0, "away")))


def test_another_containers_trouble_is_none_of_a_restored_one() -> None:
    assert problem_of(pod(WAITING), {"main"}) == ""
    assert "other" in problem_of(pod(WAITING), {"other"})
