"""Finding the pod that a restore made: which of a namespace's pods it can be, and why not the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from harness.failures import NotAsExpected
from harness.kube import Cluster, api_errors
from harness.kube.objects import RUN_LABEL, entry_of, intend
from harness.kube.pods import LOOK_AT_EVENTS, condition, is_ready, list_pods, raw, state_of
from harness.kube.watching import Objects, watch_until
from harness.ledger import LEDGER, Entry
from harness.waiting import Done, Look, Pending

Obj = dict[str, Any]
RESTORED = "-restored"
EXPECTED = "restored-pod"
"""The kind of ledger entries for pods that a restore is about to make."""
LOOK_AT_RESTORE = "the restore action at the propagator, and the log of the Cedana manager"


@dataclass(frozen=True)
class Wanted:
    """What is known of a restored pod before it is found.

    Attributes:
        original: name of the pod that was checkpointed.
        original_uid: its UID; the restored pod has another.
        name: the name that the restore asked for; None when it asked for none.
        known: UIDs of pods that were there before the restore was asked for.
        asked_at: when it was asked for, by the cluster's clock.
        original_gone: the original was not there any more when the restore was asked for.
    """

    original: str
    original_uid: str
    name: str | None = None
    known: frozenset[str] = frozenset()
    asked_at: datetime | None = None
    original_gone: bool = False

    def __str__(self) -> str:
        names = f"{self.base}{RESTORED}... or {self.original}"
        return f"a pod restored from {self.original}, named {self.name or names}"

    @property
    def base(self) -> str:
        """The original's name before any restore."""
        return self.original.split(RESTORED, maxsplit=1)[0]

    def objection(self, pod: Obj) -> str:
        """Why the pod cannot be the restored one; empty when it can."""
        return self.difference(pod) or ("it is being deleted" if "deletionTimestamp" in pod["metadata"] else "")

    def difference(self, pod: Obj) -> str:
        """Why the pod is not the restored one, on its way out or not; empty when it may be."""
        metadata = pod["metadata"]
        if not self._named(metadata["name"]):
            return "another name"
        if metadata["uid"] == self.original_uid:
            return "it is the original itself"
        if metadata["uid"] in self.known:
            return "it was there before the restore"
        if self.asked_at and _created(pod) < self.asked_at.replace(microsecond=0):
            return f"created at {metadata['creationTimestamp']}, before the restore was asked for"
        return ""

    def _named(self, name: str) -> bool:
        if self.name:
            return name == self.name
        return name == self.original or name.startswith(f"{self.base}{RESTORED}")


def sought(original: Obj, name: str | None, known: Iterable[Obj] | None, asked_at: datetime | None) -> Wanted:
    """What is known of the pod restored from `original`.

    Args:
        known: the pods of before; None where they were not noted.
        asked_at: without a zone it counts as UTC, the only zone that Kubernetes writes.
    """
    metadata = original["metadata"]
    uids = frozenset(pod["metadata"]["uid"] for pod in known or ())
    gone = known is not None and metadata["uid"] not in uids
    if asked_at and asked_at.tzinfo is None:
        asked_at = asked_at.replace(tzinfo=UTC)
    return Wanted(metadata["name"], metadata["uid"], name or None, uids, asked_at, gone)


def expect(cluster: Cluster, original: Obj, name: str | None) -> list[Obj]:
    """Writes down that a restore of `original` is about to make a pod; gives the pods that are there before."""
    known = pods_of(cluster, original["metadata"]["namespace"])
    note_expected(cluster, original, name, known)
    return known


def note_expected(cluster: Cluster, original: Obj, name: str | None, known: Iterable[Obj]) -> None:
    """Writes down that a restore of `original` is about to make a pod that is none of `known`."""
    metadata = original["metadata"]
    LEDGER.intend(
        EXPECTED,
        f"of {metadata['namespace']}/{metadata['name']}",
        **cluster.where,
        namespace=metadata["namespace"],
        original=metadata["name"],
        original_uid=metadata["uid"],
        name=name or None,
        known=[pod["metadata"]["uid"] for pod in known],
        run=LEDGER.run_id,
    )


def expected(cluster: Cluster, entry: Entry) -> list[Obj]:
    """The pods that can only be what the restore of the entry made; none that another run has labelled."""
    find = entry.find
    wanted = Wanted(find["original"], find["original_uid"], find["name"], frozenset(find["known"]))
    labels = [(pod, pod["metadata"].get("labels") or {}) for pod in pods_of(cluster, find["namespace"])]
    ours = [pod for pod, label in labels if label.get(RUN_LABEL, find["run"]) == find["run"]]
    return [pod for pod in ours if not wanted.difference(pod)]


def judge(wanted: Wanted, pods: Iterable[Obj]) -> Look[Obj]:
    """The restored pod among `pods`, or which pods there are instead.

    Raises:
        NotAsExpected: several pods could be it.
    """
    objections = [(pod, wanted.objection(pod)) for pod in pods]
    matches = [pod for pod, objection in objections if not objection]
    if len(matches) > 1:
        names = ", ".join(_described(pod) for pod in matches)
        seen = f"{len(matches)} pods could be it: {names}"
        raise NotAsExpected(str(wanted), seen, LOOK_AT_RESTORE, cause="restored-twice")
    if matches:
        return Done(matches[0])
    others = "; ".join(f"{_described(pod)}: {objection}" for pod, objection in objections)
    is_back = wanted.original_gone and any(pod["metadata"]["uid"] == wanted.original_uid for pod, _ in objections)
    cause = "not-restored" if is_back else "restored-pod-missing"
    return Pending(f"no such pod; there are {others}" if others else "no pod in the namespace", cause)


def find(cluster: Cluster, namespace: str, wanted: Wanted) -> Obj:
    """The restored pod as it is now, Ready or not; the ledger owes its removal from now on.

    Raises:
        NotAsExpected: there is none, or several; lists the pods there are; cause `restored-pod-missing`, or
            `not-restored` where the original itself is there again.
    """
    answer = judge(wanted, pods_of(cluster, namespace))
    if isinstance(answer, Pending):
        raise NotAsExpected(str(wanted), answer.seen, LOOK_AT_RESTORE, cause=answer.cause)
    return owe(cluster, answer.value)


def wait_until_ready(cluster: Cluster, namespace: str, wanted: Wanted, timeout: float) -> Obj:
    """Waits by watch until the restored pod is there and Ready; the ledger owes its removal from now on.

    Args:
        timeout: seconds.

    Raises:
        WaitTimedOut: no such pod (cause `restored-pod-missing`) or it is not Ready (cause `restored-pod-not-ready`
            where its state does not tell a better one).
        NotAsExpected: several pods could be it, or it has ended.
    """

    def look(pods: Objects) -> Look[Obj]:
        answer = judge(wanted, pods)
        if isinstance(answer, Pending):
            return answer
        return readiness(wanted, owe(cluster, answer.value))

    with api_errors(f"watch the pods of namespace {namespace}"):
        return watch_until(
            list_pods(cluster, namespace),
            look,
            timeout=timeout,
            expected=f"{wanted}, to be Ready",
            look_next=f"{LOOK_AT_EVENTS}; {LOOK_AT_RESTORE}",
            cause="restored-pod-not-ready",
        )


def wait_until_unschedulable(cluster: Cluster, namespace: str, wanted: Wanted, timeout: float) -> str:
    """Waits by watch until the scheduler says that no node can take the restored pod; its words.

    Args:
        timeout: seconds.

    Raises:
        WaitTimedOut: no such pod (cause `restored-pod-missing`), or nobody says why it waits.
        NotAsExpected: it is on a node (cause `pod-changed`), or several pods could be it.
    """

    def look(pods: Objects) -> Look[str]:
        answer = judge(wanted, pods)
        if isinstance(answer, Pending):
            return answer
        pod = owe(cluster, answer.value)
        if node := pod["spec"].get("nodeName"):
            expected = f"{wanted}, to wait for a node with room, for none has what the original asked for"
            look_next = "what the restored pod asks for, against the original's requests and node constraints"
            raise NotAsExpected(expected, f"it was put on node {node}", look_next, cause="pod-changed")
        scheduled = condition(pod, "PodScheduled") or {}
        if scheduled.get("status") == "False" and scheduled.get("reason") == "Unschedulable":
            return Done(str(scheduled.get("message") or ""))
        return state_of(pod)

    with api_errors(f"watch the pods of namespace {namespace}"):
        return watch_until(
            list_pods(cluster, namespace),
            look,
            timeout=timeout,
            expected=f"{wanted}, to be Pending with the reason that no node can take it",
            look_next=f"the scheduler's events of the pod; {LOOK_AT_RESTORE}",
            cause="restored-pod-missing",
        )


def readiness(wanted: Wanted, pod: Obj) -> Look[Obj]:
    """Whether the pod that was found is Ready, or why it is not.

    Raises:
        NotAsExpected: it has ended.
    """
    if is_ready(pod):
        return Done(pod)
    if pod.get("status", {}).get("phase") in ("Failed", "Succeeded"):
        raise NotAsExpected(f"{wanted}, Ready", state_of(pod).seen, LOOK_AT_EVENTS, cause="restored-pod-not-ready")
    return unready(pod)


def unready(pod: Obj) -> Pending:
    """Why a restored pod is not Ready. That its process keeps ending is the restore's doing: the original's did not."""
    state = state_of(pod)
    return Pending(state.seen) if state.cause == "crash-loop" else state


def is_known_as_restored(cluster: Cluster, pod: Obj) -> bool:
    """Whether this run found that very pod as a restored one."""
    metadata = pod["metadata"]
    entry = entry_of(cluster, "Pod", metadata["namespace"], metadata["name"], metadata["uid"])
    return entry is not None and bool(entry.find.get("restored"))


def owe(cluster: Cluster, pod: Obj) -> Obj:
    """The ledger owes the removal of the restored pod from now on."""
    metadata = pod["metadata"]
    if not is_known_as_restored(cluster, pod):
        entry = intend(cluster, "v1", "Pod", metadata["namespace"], metadata["name"])
        LEDGER.made(entry, uid=metadata["uid"], restored=True)
    return pod


def pods_of(cluster: Cluster, namespace: str) -> list[Obj]:
    """The pods of a namespace as they are now."""
    with api_errors(f"list the pods of namespace {namespace}"):
        pods: list[Obj] = raw(list_pods(cluster, namespace)).get("items") or []
    return pods


def _created(pod: Obj) -> datetime:
    created = datetime.fromisoformat(pod["metadata"]["creationTimestamp"])
    return created.astimezone(UTC)


def _described(pod: Obj) -> str:
    metadata = pod["metadata"]
    phase = pod.get("status", {}).get("phase", "no phase")
    return f"{metadata['name']} ({phase}, created at {metadata['creationTimestamp']})"
