"""Removing what runs left at the propagator: cluster registrations, checkpoints, restores and heartbeat policies."""

from __future__ import annotations

import math
import time

from harness.failures import OperationFailed
from harness.ledger import Entry
from harness.waiting import Done, Look, Pending, wait_until

from .client import RESTORE, PropagatorClient
from .connections import client_for
from .lookups import CheckpointTrace
from .models import Action, Checkpoint, Outcome

LOOK_BUDGET = 5.0
SETTLED_FOR = 5.0
"""Seconds until it is asked again which actions are settled, for one that was not."""
RESTORE_PATIENCE = 15.0


class RegistrationRemover:
    """Deregisters the cluster of the entry: by its id, or by its name when the id was never learnt."""

    def exists(self, entry: Entry) -> bool:
        """Whether it is still registered."""
        return _registered(entry) is not None

    def remove(self, entry: Entry, budget: float) -> None:
        """Deregisters it."""
        if cluster_id := _registered(entry):
            client_for(entry.place, budget / 2).deregister_cluster(cluster_id)


class CheckpointRemover:
    """Deprecates the checkpoints of the entry's action; storage is cleared by the service in its own time."""

    def exists(self, entry: Entry) -> bool:
        """Whether a checkpoint of it is still there, or may come: the action goes on and has named none.

        Raises:
            OperationFailed: the action has ended well, but names no checkpoint.
        """
        if _is_settled(entry):
            return False
        action = _taken(entry, LOOK_BUDGET)
        return _is_to_name(action) or bool(_kept(entry, action))

    def remove(self, entry: Entry, budget: float) -> None:
        """Deprecates each, after the action's end where it has named none.

        Raises:
            WaitTimedOut: it did not end within `budget`.
        """

        def look() -> Look[Action | None]:
            action = _taken(entry, LOOK_BUDGET)
            return Pending(f"{action}, without a checkpoint's id") if _is_to_name(action) else Done(action)

        action = wait_until(
            look,
            timeout=budget / 2,
            expected=f"the checkpoint {entry.name} to end, which tells what it saved",
            look_next="the list of checkpoints at the propagator",
            cause="leftovers",
        )
        for checkpoint in _kept(entry, action):
            client_for(entry.place, budget / 2).deprecate_checkpoint(checkpoint.id)


class RestoreRemover:
    """Waits for the end of a restore that may be going on: none can be called off, and until then it makes a pod."""

    def exists(self, entry: Entry) -> bool:
        """Whether it is going on."""
        return not _is_settled(entry) and bool(_going_on(entry))

    def remove(self, entry: Entry, budget: float) -> None:
        """Waits for its end, for 15 s at most.

        Raises:
            WaitTimedOut: names the last status.
        """

        def look() -> Look[None]:
            running = _going_on(entry)
            return Pending("; ".join(map(str, running))) if running else Done(None)

        wait_until(
            look,
            timeout=min(budget, RESTORE_PATIENCE),
            expected=f"the restore {entry.name} to end",
            look_next="the pods of its namespace: it may still make one",
            cause="leftovers",
        )


class PolicyRemover:
    """Ends the heartbeat policy of the entry, found by its id or its pods, and deprecates the checkpoints it made."""

    def exists(self, entry: Entry) -> bool:
        """Whether it, or a checkpoint of it, is still there or may come: an action goes on and has named none."""
        beats = _beats(entry)
        return _policy(entry) is not None or any(map(_is_to_name, beats)) or bool(_saved_by(entry, beats))

    def remove(self, entry: Entry, budget: float) -> None:
        """Ends it, and deprecates each checkpoint, after the end of an action that has named none.

        Raises:
            WaitTimedOut: such an action did not end within `budget`.
        """
        client = client_for(entry.place, budget / 2)
        if policy_id := _policy(entry):
            client.delete_policy(policy_id)

        def look() -> Look[list[Action]]:
            beats = _beats(entry)
            unnamed = [beat for beat in beats if _is_to_name(beat)]
            words = f"{'; '.join(map(str, unnamed))}, without a checkpoint's id"
            return Pending(words) if unnamed else Done(beats)

        beats = wait_until(
            look,
            timeout=budget / 2,
            expected=f"the heartbeats {entry.name} to end, which tells what they saved",
            look_next="the list of checkpoints at the propagator",
            cause="leftovers",
        )
        for checkpoint in _saved_by(entry, beats):
            client.deprecate_checkpoint(checkpoint.id)


_settled: dict[str, tuple[float, frozenset[str]]] = {}
"""By the place: when it was last asked which of its actions are settled, and which were."""


def _is_settled(entry: Entry) -> bool:
    """Whether nothing is left of the entry's action that could be removed, nor ever will be: a run has hundreds of
    such entries, and the propagator is not asked for its whole lists for each."""
    asked, known = _settled.get(entry.place, (-math.inf, frozenset()))
    action_id = entry.find.get("action_id")
    if action_id and action_id not in known and time.monotonic() - asked > SETTLED_FOR:
        client = client_for(entry.place, LOOK_BUDGET)
        ended = [action for action in client.list_actions() if action.outcome in (Outcome.SUCCEEDED, Outcome.FAILED)]
        kept = {row.id for row in client.list_checkpoints() if not row.deprecated}
        known = frozenset(action.id for action in ended if _has_nothing_left(action, kept))
        _settled[entry.place] = time.monotonic(), known
    return action_id in known


def _has_nothing_left(action: Action, kept: set[str]) -> bool:
    return action.type == RESTORE or (bool(action.checkpoint_ids) and not kept.intersection(action.checkpoint_ids))


def _going_on(entry: Entry) -> list[Action]:
    """The restore of the entry, or all of its checkpoint where the run did not live to learn which one it is."""
    client, known = client_for(entry.place, LOOK_BUDGET), entry.find.get("action_id")
    actions = client.list_actions()
    saved = {id_ for action in actions if action.id == entry.find["source"] for id_ in action.checkpoint_ids}
    return [
        action
        for action in actions
        if action.type == RESTORE
        and action.outcome is Outcome.RUNNING
        and (action.id == known if known else saved.intersection(action.checkpoint_ids))
    ]


def _policy(entry: Entry) -> str | None:
    wanted, pods = entry.find.get("policy_id"), set(entry.find["pod_uids"])
    rows = client_for(entry.place, LOOK_BUDGET).list_policies()
    return next((row.id for row in rows if (row.id == wanted if wanted else set(row.resources) == pods)), None)


def _beats(entry: Entry) -> list[Action]:
    """The policy's checkpoints. Those that others had taken of the same pods before are not its."""
    known = set(entry.find.get("known", ()))
    beats = client_for(entry.place, LOOK_BUDGET).heartbeats(entry.find["pod_uids"])
    return [action for action in beats if action.id not in known]


def _saved_by(entry: Entry, beats: list[Action]) -> list[Checkpoint]:
    return _undeprecated(client_for(entry.place, LOOK_BUDGET), {id_ for beat in beats for id_ in beat.checkpoint_ids})


def _undeprecated(client: PropagatorClient, wanted: set[str]) -> list[Checkpoint]:
    return [row for row in client.list_checkpoints() if row.id in wanted and not row.deprecated] if wanted else []


def _registered(entry: Entry) -> str | None:
    rows = client_for(entry.place, LOOK_BUDGET).list_clusters()
    wanted = entry.find.get("cluster_id")
    ids = (row.id for row in rows if (row.id == wanted if wanted else row.name == entry.find["cluster_name"]))
    return next(ids, None)


def _taken(entry: Entry, budget: float) -> Action | None:
    client = client_for(entry.place, budget)
    action_id = entry.find.get("action_id") or _begun(client, entry)
    return client.find_action(action_id) if action_id else None


def _is_to_name(action: Action | None) -> bool:
    """Whether it goes on and has not named its checkpoints yet."""
    return action is not None and action.outcome is Outcome.RUNNING and not action.checkpoint_ids


def _kept(entry: Entry, action: Action | None) -> list[Checkpoint]:
    """The checkpoints of an action that are there. One that ended in an error before there was one has none.

    Raises:
        OperationFailed: it cannot be told, for the action names none.
    """
    if action is None or (action.outcome is Outcome.FAILED and not action.checkpoint_ids):
        return []
    if not action.checkpoint_ids:
        raise OperationFailed(
            f"to know what the checkpoint {entry.name} saved",
            f"cannot be told: {action}, and it names no checkpoint",
            "the list of checkpoints at the propagator",
            cause="leftovers",
        )
    return _undeprecated(client_for(entry.place, LOOK_BUDGET), set(action.checkpoint_ids))


def _begun(client: PropagatorClient, entry: Entry) -> str | None:
    """The action of a request whose answer the run did not live to read."""
    find = entry.find
    if not find.get("pod_uid"):
        raise OperationFailed(
            f"to know whether a checkpoint of {entry.name} was begun",
            "the pod was named without its UID, so that its actions cannot be asked for",
            "the list of checkpoints at the propagator",
            cause="answer-lost",
        )
    return CheckpointTrace(client, find["pod_uid"], find["pod_name"], find["namespace"], before=find["before"]).find()
