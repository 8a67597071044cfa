"""Many pods at once: the pods restored from many others, and the end of many, each waited for by one watch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from kubernetes.client.exceptions import ApiException

from harness.failures import E2EFailure, NotAsExpected
from harness.kube import Cluster, api_errors, pods
from harness.kube.objects import entry_of
from harness.kube.pods import is_ready, list_pods, state_of
from harness.kube.watching import Objects, watch_until
from harness.ledger import LEDGER
from harness.side_by_side import each
from harness.waiting import Done, Look, Pending

from . import lookup
from .lookup import LOOK_AT_RESTORE, RESTORED, Wanted

Obj = dict[str, Any]
SHOWN = 5
"""How many pods a text names before it only counts the others."""


def expect(cluster: Cluster, originals: Sequence[Obj]) -> list[Obj]:
    """Writes down that a restore of each is about to make a pod; gives the pods that are there before.

    Raises:
        OperationFailed: the API refuses.
    """
    known: list[Obj] = []
    for namespace in {one["metadata"]["namespace"] for one in originals}:
        there = lookup.pods_of(cluster, namespace)
        known += there
        by_base = _by_base(there)
        for original in originals:
            if original["metadata"]["namespace"] == namespace:
                name = original["metadata"]["name"]
                lookup.note_expected(cluster, original, None, by_base[_base(name)])
    return known


def wait_until_restored(cluster: Cluster, originals: Sequence[Obj], known: Iterable[Obj], timeout: float) -> list[Obj]:
    """Waits by one watch until the pod restored from each of `originals`, of one namespace, is there and Ready.

    The ledger owes the removal of each as soon as it is seen.

    Args:
        known: the pods that were there before the restores were asked for.
        timeout: seconds, for all of them.

    Returns:
        The restored pods, in the order of their originals.

    Raises:
        WaitTimedOut: some are not there (cause `restored-pod-missing`) or not Ready; says which, and their states.
        NotAsExpected: several pods could be one of them, or one has ended.
    """
    namespace = originals[0]["metadata"]["namespace"]
    crowd = _Restored(cluster, originals, known)
    with api_errors(f"watch the pods of namespace {namespace}"):
        return watch_until(
            list_pods(cluster, namespace),
            crowd.judge,
            timeout=timeout,
            expected=f"the pods restored from {len(originals)} others to be Ready",
            look_next=LOOK_AT_RESTORE,
            cause="restored-pod-not-ready",
        )


class _Restored:
    """The restored pods that were found so far, and those that are still waited for; each change is looked at once."""

    def __init__(self, cluster: Cluster, originals: Sequence[Obj], known: Iterable[Obj]) -> None:
        self._cluster = cluster
        before = list(known)
        self._all = [lookup.sought(original, None, before, None) for original in originals]
        self._waiting = list(self._all)
        self._found: dict[str, Obj] = {}
        self._owed: set[str] = set()

    def judge(self, there: Objects) -> Look[list[Obj]]:
        """All of them, or what the others are."""
        by_base = _by_base(there)
        looks = [(wanted, self._look(wanted, by_base[wanted.base])) for wanted in self._waiting]
        self._found |= {wanted.original_uid: look.value for wanted, look in looks if isinstance(look, Done)}
        pending = [(wanted, look) for wanted, look in looks if isinstance(look, Pending)]
        self._waiting = [wanted for wanted, _ in pending]
        if not pending:
            return Done([self._found[wanted.original_uid] for wanted in self._all])
        texts = [f"of {wanted.original}: {look.seen}" for wanted, look in pending]
        return Pending(f"{len(self._found)} of {len(self._all)} are; {_some(texts)}", pending[0][1].cause)

    def _look(self, wanted: Wanted, there: list[Obj]) -> Look[Obj]:
        answer = lookup.judge(wanted, there)
        if isinstance(answer, Pending):
            return answer
        uid = answer.value["metadata"]["uid"]
        if uid not in self._owed:
            self._owed.add(uid)
            lookup.owe(self._cluster, answer.value)
        return lookup.readiness(wanted, answer.value)


def wait_until_named_are_ready(cluster: Cluster, namespace: str, names: Sequence[str], timeout: float) -> list[Obj]:
    """Waits by one watch until each of the pods of these names is Ready.

    Returns:
        The pods, in the order of their names.

    Raises:
        WaitTimedOut: says which are not, and their states.
    """

    def judge(there: Objects) -> Look[list[Obj]]:
        by_name = {one["metadata"]["name"]: one for one in there}
        unready = [name for name in names if name not in by_name or not is_ready(by_name[name])]
        if not unready:
            return Done([by_name[name] for name in names])
        states = [state_of(by_name[name]) for name in unready if name in by_name]
        texts = [one.seen for one in states] + [f"there is no pod {name}" for name in unready if name not in by_name]
        causes = [one.cause for one in states if one.cause]
        done = f"{len(names) - len(unready)} of {len(names)} are"
        return Pending(f"{done}; {_some(texts)}", causes[0] if causes else "")

    with api_errors(f"watch the pods of namespace {namespace}"):
        return watch_until(
            list_pods(cluster, namespace),
            judge,
            timeout=timeout,
            expected=f"{len(names)} pods to be Ready",
            look_next=pods.LOOK_AT_EVENTS,
            cause="not-ready",
        )


def delete(cluster: Cluster, doomed: Sequence[Obj], at_once: int, timeout: float) -> None:
    """Deletes the pods of one namespace, by UID, and waits by one watch until all are gone. Some may be already.

    Raises:
        WaitTimedOut: some are still there; cause `stuck-terminating`.
        E2EFailure: the API refuses; that of the first that it refused.
    """
    if not doomed:
        return
    namespace = doomed[0]["metadata"]["namespace"]
    uids = {one["metadata"]["uid"] for one in doomed}
    asked = each(partial(_ask_for_deletion, cluster), doomed, at_once)
    if refused := next((one.failure for one in asked if isinstance(one.failure, E2EFailure)), None):
        raise refused

    def judge(there: Objects) -> Look[None]:
        left = [pod for pod in there if pod["metadata"]["uid"] in uids]
        return Pending(f"{len(left)} are there; {_some([state_of(pod).seen for pod in left])}") if left else Done(None)

    with api_errors(f"watch the pods of namespace {namespace}"):
        watch_until(
            list_pods(cluster, namespace),
            judge,
            timeout=timeout,
            expected=f"{len(doomed)} pods to be gone",
            look_next="their finalizers, and whether their nodes are Ready",
            cause="stuck-terminating",
        )
    for pod in doomed:
        metadata = pod["metadata"]
        while entry := entry_of(cluster, "Pod", namespace, metadata["name"], metadata["uid"]):
            LEDGER.gone(entry)


def same_namespace(of: Sequence[Obj]) -> None:
    """Refuses pods of several namespaces, which one watch does not see.

    Raises:
        NotAsExpected: names the namespaces.
    """
    there = sorted({one["metadata"]["namespace"] for one in of})
    if len(there) > 1:
        raise NotAsExpected("pods of one namespace", ", ".join(there), cause="suite-error")


def _ask_for_deletion(cluster: Cluster, pod: Obj) -> None:
    metadata = pod["metadata"]
    body = {"preconditions": {"uid": metadata["uid"]}}
    with api_errors(f"delete pod {metadata['namespace']}/{metadata['name']}"):
        try:
            cluster.core.delete_namespaced_pod(
                metadata["name"], metadata["namespace"], body=body, _preload_content=False
            )
        except ApiException as problem:
            if problem.status not in (404, 409):  # gone, or another pod has the name by now
                raise


def _by_base(there: Iterable[Obj]) -> defaultdict[str, list[Obj]]:
    found: defaultdict[str, list[Obj]] = defaultdict(list)
    for pod in there:
        found[_base(pod["metadata"]["name"])].append(pod)
    return found


def _base(name: str) -> str:
    return name.split(RESTORED, maxsplit=1)[0]


def _some(texts: Sequence[str]) -> str:
    more = f"; and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
    return "; ".join(texts[:SHOWN]) + more
