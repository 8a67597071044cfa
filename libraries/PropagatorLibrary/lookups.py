"""Notes taken before a checkpoint or restore is asked for, and how to find by them what a lost request began."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from .errors import PropagatorError
from .models import Action

if TYPE_CHECKING:
    from .client import PropagatorClient

HEARTBEAT = "heartbeat"
ASK = "ask the server now"


class CheckpointTrace:
    """Notes the pod's latest action. Heartbeats may checkpoint the pod at the same time; they are not ours."""

    def __init__(
        self, client: PropagatorClient, uid: str, name: str, namespace: str, *, before: str | None = ASK
    ) -> None:
        self._client, self._uid, self._name, self._namespace = client, uid, name, namespace
        self.before = before if before != ASK else client.latest_action_of_pod(uid) if uid else None
        self._known = set() if uid else client.action_ids("checkpoint_pod")

    def find(self) -> str | None:
        """The id of the checkpoint action that began since, or None.

        Raises:
            PropagatorError: it cannot be told which one is ours.
        """
        latest = self._client.latest_action_of_pod(self._uid) if self._uid else None
        if self._uid and latest == self.before:
            return None
        actions = self._client.list_actions()
        row = next((action for action in actions if action.id == latest), None)
        if latest and (row is None or _ours(row)):
            return latest
        new = self._since(actions)
        if nameless := [action for action in new if not _pod_fields(action)]:
            raise _cannot_tell(nameless)
        return _only([action for action in new if self._of_pod(action)])

    def _since(self, actions: list[Action]) -> list[Action]:
        """The checkpoints that began after the noted one, by the server's own clock, heartbeats apart."""
        noted = next((_moment(action) for action in actions if action.id == self.before), 0.0)
        return [
            action for action in actions if _ours(action) and _moment(action) > noted and action.id not in self._known
        ]

    def _of_pod(self, action: Action) -> bool:
        fields = _pod_fields(action)
        by_name = fields.get("pod_name") == self._name and fields.get("namespace") == self._namespace
        return bool(self._uid and fields.get("pod_id") == self._uid) or bool(self._name and by_name)


class RestoreTrace:
    """Notes the restores that there are."""

    def __init__(self, client: PropagatorClient, source: str) -> None:
        self._client, self._source = client, source
        self._known = client.action_ids("restore_pod")

    def find(self) -> str | None:
        """The id of the restore of our checkpoint that began since, or None.

        Raises:
            PropagatorError: it cannot be told which one is ours.
        """
        new = [action for action in self._client.list_actions("restore_pod") if action.id not in self._known]
        named = [action for action in new if isinstance(action.details, Mapping) and "action_id" in action.details]
        if len(named) == len(new):
            return _only([action for action in named if action.details["action_id"] == self._source])
        source = self._client.find_action(self._source)
        saved = set(source.checkpoint_ids) if source else set()
        return _only([action for action in new if saved.intersection(action.checkpoint_ids)])


def heartbeats_of(actions: Iterable[Action], pod_uids: Collection[str]) -> list[Action]:
    """The checkpoints of those pods that a policy asked for, oldest first."""
    beats = (action for action in actions if HEARTBEAT in (action.reason, action.type))
    return sorted((action for action in beats if _pod_fields(action).get("pod_id") in pod_uids), key=_moment)


def _ours(action: Action) -> bool:
    return action.type == "checkpoint_pod" and action.reason != HEARTBEAT


def _pod_fields(action: Action) -> dict[str, object]:
    """What the action's details, which no spec describes, say of its pod."""
    details = action.details if isinstance(action.details, Mapping) else {}
    return {key: details[key] for key in ("pod_id", "pod_name", "namespace") if details.get(key)}


def _only(actions: list[Action]) -> str | None:
    if len(actions) > 1:
        raise _cannot_tell(actions)
    return actions[0].id if actions else None


def _cannot_tell(actions: list[Action]) -> PropagatorError:
    ids = ", ".join(action.id for action in actions)
    return PropagatorError("looking for our action", f"it may be one of those begun meanwhile: {ids}")


def _moment(action: Action) -> float:
    """When it began, in seconds since the epoch; 0 when that is not told."""
    try:
        return datetime.fromisoformat(action.started).timestamp()
    except ValueError:
        return 0.0
