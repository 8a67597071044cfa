"""Deployments: ReplicaSets by revision, rolling update and recreation, and a status that kstatus and helm believe."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from time import time
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from ..store import clone, timestamp
from .base import Controller, key_of
from .index import controller_of
from .workload import change_status, has_ended, owner_reference, rounded, template_hash

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
REVISION = "deployment.kubernetes.io/revision"
_DESIRED = "deployment.kubernetes.io/desired-replicas"
_MAX = "deployment.kubernetes.io/max-replicas"
HASH = "pod-template-hash"


class Deployments(Controller):
    """One Deployment a key."""

    def kinds(self) -> tuple[Kind, ...]:
        """Deployments, their ReplicaSets, and pods (Recreate waits until they are gone)."""
        return (kinds.DEPLOYMENT, kinds.REPLICA_SET, kinds.POD)

    def changed(self, change: Change) -> None:
        """A ReplicaSet's change concerns its Deployment; of pods only the end counts."""
        if change.kind is kinds.DEPLOYMENT:
            self.enqueue(key_of(change.object))
            return
        owner = controller_of(change.object)
        if owner is None:
            return
        namespace = change.object["metadata"]["namespace"]
        if change.kind is kinds.REPLICA_SET:
            self.enqueue((namespace, owner["name"]))
        elif change.type == "DELETED" and owner["kind"] == "ReplicaSet":
            parent = self.store.get(kinds.REPLICA_SET, namespace, owner["name"])
            deployment = controller_of(parent) if parent else None
            if deployment:
                self.enqueue((namespace, deployment["name"]))

    def reconcile(self, key: Hashable) -> None:
        """One step of the rollout, and the status."""
        assert isinstance(key, tuple)
        deployment = self.store.get(kinds.DEPLOYMENT, *key)
        if deployment is None:
            return
        if not deployment["metadata"].get("deletionTimestamp"):
            self._roll(deployment)
            deployment = self.store.get(kinds.DEPLOYMENT, *key) or deployment
        self._report(deployment)

    def _sets(self, deployment: Object) -> list[Object]:
        return self.cluster.index.owned(deployment["metadata"]["uid"], kinds.REPLICA_SET)

    def _roll(self, deployment: Object) -> None:
        sets = self._sets(deployment)
        new = next((s for s in sets if _same_template(s, deployment)), None)
        if deployment["spec"].get("paused") and new is None:
            return
        old = [s for s in sets if new is None or s["metadata"]["uid"] != new["metadata"]["uid"]]
        if new is None:
            new = self._create_set(deployment, sets)
        self._set_revision(deployment, new, old)
        if deployment["spec"].get("strategy", {}).get("type") == "Recreate":
            self._recreate(deployment, new, old)
        else:
            self._update(deployment, new, old)
        self._forget_history(deployment, old)

    def _create_set(self, deployment: Object, sets: list[Object]) -> Object:
        template = clone(deployment["spec"]["template"])
        collisions = (deployment.get("status") or {}).get("collisionCount", 0)
        code = template_hash(deployment["spec"]["template"], collisions)
        name = f"{deployment['metadata']['name']}-{code}"
        labels = {**(template["metadata"].get("labels") or {}), HASH: code}
        template["metadata"]["labels"] = labels
        selector = clone(deployment["spec"]["selector"])
        selector["matchLabels"] = {**(selector.get("matchLabels") or {}), HASH: code}
        recreates = deployment["spec"].get("strategy", {}).get("type") == "Recreate"
        replicas = 0 if recreates and any(_wanted(s) for s in sets) else self._room(deployment, sets)
        body = {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "namespace": deployment["metadata"]["namespace"],
                "labels": labels,
                "annotations": {
                    **_own_annotations(deployment),
                    **_sizes(deployment),
                    REVISION: str(_last_revision(sets) + 1),
                },
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {
                "replicas": replicas,
                "selector": selector,
                "template": template,
                **({"minReadySeconds": s} if (s := deployment["spec"].get("minReadySeconds")) else {}),
            },
        }
        made = objects.create(self.cluster, kinds.REPLICA_SET, body)
        if replicas:
            self._event(deployment, f"Scaled up replica set {name} from 0 to {replicas}")
        return made

    def _room(self, deployment: Object, sets: list[Object]) -> int:
        """How many pods the new set may have now."""
        replicas = deployment["spec"].get("replicas", 1)
        return max(0, min(int(replicas), int(replicas) + _surge(deployment) - sum(map(_wanted, sets))))

    def _set_revision(self, deployment: Object, new: Object, old: list[Object]) -> None:
        revision = new["metadata"].get("annotations", {}).get(REVISION, "1")
        if old and int(revision) < _last_revision(old):
            revision = str(_last_revision(old) + 1)

        def set_on_set(stored: Object) -> None:
            stored["metadata"].setdefault("annotations", {}).update({**_sizes(deployment), REVISION: revision})

        def set_on_deployment(stored: Object) -> None:
            stored["metadata"].setdefault("annotations", {})[REVISION] = revision

        self.store.change(kinds.REPLICA_SET, *key_of(new), set_on_set)
        self.store.change(kinds.DEPLOYMENT, *key_of(deployment), set_on_deployment)

    def _update(self, deployment: Object, new: Object, old: list[Object]) -> None:
        replicas = deployment["spec"].get("replicas", 1)
        if deployment["spec"].get("paused"):
            if not any(map(_wanted, old)):
                self._scale(deployment, new, replicas)
            return
        total = _wanted(new) + sum(map(_wanted, old))
        if _wanted(new) > replicas:
            self._scale(deployment, new, replicas)
        elif _wanted(new) < replicas and (room := replicas + _surge(deployment) - total) > 0:
            self._scale(deployment, new, min(replicas, _wanted(new) + room))
        self._scale_down_old(deployment, new, old, replicas)

    def _scale_down_old(self, deployment: Object, new: Object, old: list[Object], replicas: int) -> None:
        minimum = replicas - _unavailable(deployment)
        new_unavailable = _wanted(new) - _available(new)
        total = _wanted(new) + sum(map(_wanted, old))
        budget = total - minimum - new_unavailable
        # Pods of old sets that are not available anyway go first.
        for each in sorted(old, key=lambda s: s["metadata"]["creationTimestamp"]):
            broken = min(max(0, budget), _wanted(each) - _available(each))
            if broken > 0:
                self._scale(deployment, each, _wanted(each) - broken)
                budget -= broken
        old = [self.store.get(kinds.REPLICA_SET, *key_of(s)) or s for s in old]
        spare = _available(new) + sum(map(_available, old)) - minimum
        for each in sorted(old, key=lambda s: s["metadata"]["creationTimestamp"]):
            down = min(_wanted(each), max(0, spare))
            if down > 0:
                self._scale(deployment, each, _wanted(each) - down)
                spare -= down

    def _recreate(self, deployment: Object, new: Object, old: list[Object]) -> None:
        for each in old:
            self._scale(deployment, each, 0)
        left = [p for s in old for p in self.cluster.index.owned(s["metadata"]["uid"], kinds.POD)]
        if all(map(has_ended, left)):
            self._scale(deployment, new, deployment["spec"].get("replicas", 1))

    def _scale(self, deployment: Object, each: Object, replicas: int) -> None:
        before = _wanted(each)
        if before == replicas:
            return

        def scaled(stored: Object) -> None:
            stored["spec"]["replicas"] = replicas
            stored["metadata"].setdefault("annotations", {}).update(_sizes(deployment))

        self.store.change(kinds.REPLICA_SET, *key_of(each), scaled)
        direction = "up" if replicas > before else "down"
        name = each["metadata"]["name"]
        self._event(deployment, f"Scaled {direction} replica set {name} from {before} to {replicas}")

    def _event(self, deployment: Object, message: str) -> None:
        self.cluster.events.event(deployment, "ScalingReplicaSet", message, component="deployment-controller")

    def _forget_history(self, deployment: Object, old: list[Object]) -> None:
        limit = deployment["spec"].get("revisionHistoryLimit", 10)
        done = [s for s in old if not _wanted(s) and not (s.get("status") or {}).get("replicas")]
        done.sort(key=lambda s: int(s["metadata"].get("annotations", {}).get(REVISION, "0")))
        for each in done[: max(0, len(done) - limit)]:
            objects.delete(self.cluster, kinds.REPLICA_SET, *key_of(each))

    def _report(self, deployment: Object) -> None:
        sets = self._sets(deployment)
        new = next((s for s in sets if _same_template(s, deployment)), None)
        counts = {
            name: sum((s.get("status") or {}).get(name, 0) for s in sets)
            for name in ("replicas", "readyReplicas", "availableReplicas")
        }
        updated = (new.get("status") or {}).get("replicas", 0) if new else 0
        unavailable = max(0, sum(map(_wanted, sets)) - counts["availableReplicas"])
        old = deployment.get("status") or {}
        status = {
            "observedGeneration": deployment["metadata"].get("generation", 1),
            **{
                k: v for k, v in {**counts, "updatedReplicas": updated, "unavailableReplicas": unavailable}.items() if v
            },
            "conditions": self._conditions(deployment, new, counts, updated),
            **({"collisionCount": old["collisionCount"]} if "collisionCount" in old else {}),
        }
        change_status(self.cluster, kinds.DEPLOYMENT, deployment, status)

    def _conditions(self, deployment: Object, new: Object | None, counts: dict[str, int], updated: int) -> list[Object]:
        replicas = deployment["spec"].get("replicas", 1)
        old = (deployment.get("status") or {}).get("conditions") or []
        enough = counts["availableReplicas"] >= replicas - _unavailable(deployment)
        available = _condition(
            "Available",
            enough,
            "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        )
        done = updated == replicas == counts["replicas"] == counts["availableReplicas"]
        progressing = self._progressing(deployment, new, counts, updated, done=done)
        wanted = {"Available": available, "Progressing": progressing}
        failure = next(
            (c for s in ([new] if new else []) for c in (s.get("status") or {}).get("conditions") or []), None
        )
        if failure:
            wanted["ReplicaFailure"] = _condition("ReplicaFailure", True, failure["reason"], failure["message"])
        return _merged(old, wanted)

    def _progressing(
        self, deployment: Object, new: Object | None, counts: dict[str, int], updated: int, *, done: bool
    ) -> Object:
        status = deployment.get("status") or {}
        before: Object | None = next((c for c in status.get("conditions") or [] if c["type"] == "Progressing"), None)
        if new is None:
            return before or _condition("Progressing", True, "NewReplicaSetCreated", "Created new replica set")
        name = new["metadata"]["name"]
        available = f'ReplicaSet "{name}" has successfully progressed.'
        if before and before["message"] == available and counts["replicas"] == updated:
            # A rollout that was complete stays so when the Deployment is only scaled.
            return before
        if done:
            return _condition("Progressing", True, "NewReplicaSetAvailable", available)
        condition = _condition("Progressing", True, "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
        if before is None or name not in before["message"] or _has_progressed(status, counts, updated):
            self.enqueue_after(key_of(deployment), deployment["spec"].get("progressDeadlineSeconds", 600) + 0.1)
            return condition
        return self._judge_deadline(deployment, before, name)

    def _judge_deadline(self, deployment: Object, before: Object, name: str) -> Object:
        deadline = deployment["spec"].get("progressDeadlineSeconds", 600)
        left = deadline - (time() - datetime.fromisoformat(before["lastUpdateTime"]).timestamp())
        if before["status"] == "True" and left <= 0:
            message = f'ReplicaSet "{name}" has timed out progressing.'
            return _condition("Progressing", False, "ProgressDeadlineExceeded", message)
        if before["status"] == "True":
            self.enqueue_after(key_of(deployment), left + 0.1)
        return before


def _has_progressed(old: Object, counts: dict[str, int], updated: int) -> bool:
    """Whether more new pods are there, ready or available, or fewer old ones, than the status says so far."""
    before = {
        name: int(old.get(name, 0)) for name in ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
    }
    return (
        updated > before["updatedReplicas"]
        or counts["replicas"] - updated < before["replicas"] - before["updatedReplicas"]
        or counts["readyReplicas"] > before["readyReplicas"]
        or counts["availableReplicas"] > before["availableReplicas"]
    )


def _condition(kind: str, holds: bool, reason: str, message: str) -> Object:
    now = timestamp()
    return {
        "type": kind,
        "status": "True" if holds else "False",
        "lastUpdateTime": now,
        "lastTransitionTime": now,
        "reason": reason,
        "message": message,
    }


def _merged(old: list[Object], wanted: dict[str, Object]) -> list[Object]:
    """The controller's order: a condition that changes goes to the end; one that says the same stays as it is."""
    before = {c["type"]: c for c in old}
    same = {k for k, c in wanted.items() if k in before and _stays(k, before[k], c)}
    kept = [c for c in old if c["type"] in same]
    for kind, condition in wanted.items():
        if kind not in same:
            was = before.get(kind)
            if was and was["status"] == condition["status"]:
                kept.append({**condition, "lastTransitionTime": was["lastTransitionTime"]})
            else:
                kept.append(condition)
    return kept


def _stays(kind: str, old: Object, new: Object) -> bool:
    """Whether the old condition says it all; progress is dated anew each time."""
    return old == new if kind == "Progressing" else all(old[f] == new[f] for f in ("status", "reason", "message"))


def _same_template(each: Object, deployment: Object) -> bool:
    """Whether the set's pods are those that the Deployment wants, but for the hash among their labels."""
    return bool(_plain(each["spec"]["template"]) == _plain(deployment["spec"]["template"]))


def _plain(template: Object) -> Object:
    metadata = {key: value for key, value in template["metadata"].items() if key != "creationTimestamp"}
    labels = {key: value for key, value in (metadata.get("labels") or {}).items() if key != HASH}
    return {**template, "metadata": {**metadata, "labels": labels}}


def _wanted(each: Object) -> int:
    return int(each["spec"].get("replicas", 1))


def _available(each: Object) -> int:
    return min(_wanted(each), int((each.get("status") or {}).get("availableReplicas", 0)))


def _last_revision(sets: list[Object]) -> int:
    return max((int(s["metadata"].get("annotations", {}).get(REVISION, "0")) for s in sets), default=0)


def _rolling(deployment: Object) -> tuple[int, int]:
    strategy = deployment["spec"].get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return 0, 0
    rolling = strategy.get("rollingUpdate") or {}
    replicas = deployment["spec"].get("replicas", 1)
    surge = rounded(rolling.get("maxSurge", "25%"), replicas, up=True)
    unavailable = rounded(rolling.get("maxUnavailable", "25%"), replicas, up=False)
    return surge, unavailable if surge or unavailable else 1


def _surge(deployment: Object) -> int:
    return _rolling(deployment)[0]


def _unavailable(deployment: Object) -> int:
    return min(_rolling(deployment)[1], int(deployment["spec"].get("replicas", 1)))


def _sizes(deployment: Object) -> dict[str, str]:
    replicas = deployment["spec"].get("replicas", 1)
    return {_DESIRED: str(replicas), _MAX: str(replicas + _surge(deployment))}


def _own_annotations(deployment: Object) -> dict[str, str]:
    skipped = (REVISION, "kubectl.kubernetes.io/last-applied-configuration")
    return {k: v for k, v in (deployment["metadata"].get("annotations") or {}).items() if k not in skipped}
