"""Runs that must not do the same thing at once settle it by a Lease."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from kubernetes import client

from harness.failures import BadInput, WaitTimedOut
from harness.kube import Cluster
from harness.ledger import LEDGER
from harness.removal import remove_all
from harness.waiting import Done, Look, Pending, wait_until
from KubernetesLibrary import KubernetesLibrary, leases

SHORT, LONG = timedelta(seconds=0.5), timedelta(seconds=30)
NAME = "who-installs"


@pytest.fixture
def api(main: Cluster) -> Any:
    return client.CoordinationV1Api(main.api_client)


def theirs(api: Any, namespace: str, *, holder: str = "another run", seconds: int = 3600) -> Any:
    """A Lease that another run holds."""
    spec = {"holderIdentity": holder, "leaseDurationSeconds": seconds, "acquireTime": "2026-01-01T00:00:00.000000Z"}
    return api.create_namespaced_lease(namespace, {"metadata": {"name": NAME}, "spec": spec})


def test_one_that_nobody_holds_is_taken_and_let_go(kube: KubernetesLibrary, namespace: str, api: Any) -> None:
    kube.acquire_lease(NAME, namespace, timeout=SHORT)
    assert api.read_namespaced_lease(NAME, namespace).spec.holder_identity == leases.identity()
    kube.release_lease(NAME)
    assert api.list_namespaced_lease(namespace).items == []
    assert not [entry for entry in LEDGER.owed() if "Lease" in entry.name]
    kube.release_lease(NAME)


def test_one_that_another_run_holds_is_waited_for(kube: KubernetesLibrary, namespace: str, api: Any) -> None:
    theirs(api, namespace)
    with pytest.raises(WaitTimedOut, match="another run since 2026-01-01") as problem:
        kube.acquire_lease(NAME, namespace, timeout=SHORT)
    assert problem.value.cause.name == "cluster-in-use"
    assert api.read_namespaced_lease(NAME, namespace).spec.holder_identity == "another run"
    threading.Timer(0.3, lambda: api.delete_namespaced_lease(NAME, namespace)).start()
    kube.acquire_lease(NAME, namespace, timeout=LONG)
    kube.release_lease(NAME)


def test_one_whose_holder_is_no_more_is_taken_over(kube: KubernetesLibrary, namespace: str, api: Any) -> None:
    theirs(api, namespace, seconds=1)
    kube.acquire_lease(NAME, namespace, timeout=LONG)
    assert api.read_namespaced_lease(NAME, namespace).spec.holder_identity == leases.identity()


def test_one_that_was_let_go_without_being_deleted_is_taken(kube: KubernetesLibrary, namespace: str, api: Any) -> None:
    theirs(api, namespace, holder="")
    kube.acquire_lease(NAME, namespace, timeout=SHORT)


def test_it_is_renewed_while_it_is_held(main: Cluster, namespace: str, api: Any) -> None:
    held = leases.acquire(main, namespace, NAME, duration=0.6, timeout=5)
    first = api.read_namespaced_lease(NAME, namespace).spec.renew_time

    def renewed() -> Look[None]:
        now = api.read_namespaced_lease(NAME, namespace).spec.renew_time
        return Done(None) if now > first else Pending(f"renewed at {now}")

    wait_until(renewed, timeout=20, expected="the Lease to be renewed")
    held.release(5)


def test_one_that_is_not_owed_any_more_is_not_renewed(main: Cluster, namespace: str, api: Any) -> None:
    held = leases.acquire(main, namespace, NAME, duration=0.6, timeout=5)
    (renewing,) = (one for one in threading.enumerate() if one.name == f"lease {namespace}/{NAME}")
    entry = held._entry
    assert entry
    LEDGER.gone(entry)
    renewing.join(20)
    assert not renewing.is_alive()
    assert api.read_namespaced_lease(NAME, namespace).metadata.uid == held.uid


def test_a_renewal_just_before_it_is_taken_over_is_heeded(main: Cluster, namespace: str, api: Any) -> None:
    theirs(api, namespace)
    old = leases.objects.find(main, leases.API, leases.KIND, namespace, NAME)
    assert old
    api.patch_namespaced_lease(NAME, namespace, {"spec": {"renewTime": "2026-01-01T00:00:01.000000Z"}})
    assert not leases._remove(main, old)
    assert api.read_namespaced_lease(NAME, namespace).spec.holder_identity == "another run"


def test_one_that_the_runs_clean_up_removed_can_be_taken_again(
    kube: KubernetesLibrary, main: Cluster, namespace: str, api: Any
) -> None:
    kube.acquire_lease(NAME, namespace)
    assert [str(one) for one in remove_all(LEDGER, budget=60, each=30) if one.left] == []
    kube.create_namespace(namespace)
    kube.acquire_lease(NAME, namespace)
    kube.release_lease(NAME)
    assert api.list_namespaced_lease(namespace).items == []


def test_one_that_was_lost_to_another_is_not_removed(main: Cluster, namespace: str, api: Any) -> None:
    held = leases.acquire(main, namespace, NAME, duration=30, timeout=5)
    api.delete_namespaced_lease(NAME, namespace)
    theirs(api, namespace)
    held.release(5)
    assert api.read_namespaced_lease(NAME, namespace).spec.holder_identity == "another run"


def test_only_one_of_many_at_once_gets_it(main: Cluster, namespace: str) -> None:
    got: list[leases.Held] = []
    missed: list[WaitTimedOut] = []

    def race() -> None:
        try:
            got.append(leases.acquire(main, namespace, NAME, duration=30, timeout=0.5))
        except WaitTimedOut as problem:
            missed.append(problem)

    threads = [threading.Thread(target=race) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(got), len(missed)) == (1, 5)
    got[0].release(5)


def test_bad_input(kube: KubernetesLibrary, namespace: str) -> None:
    with pytest.raises(BadInput, match="duration"):
        kube.acquire_lease(NAME, namespace, duration=timedelta(seconds=2))
    kube.acquire_lease(NAME, namespace)
    with pytest.raises(BadInput, match="does not hold yet"):
        kube.acquire_lease(NAME, namespace)
    kube.release_lease(NAME)
