"""Checkpoints and restores while they run: one task for each action."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from .backend import (
    Backend,
    BackendError,
    CheckpointRequest,
    ContainerCheckpoint,
    NotAnsweredError,
    Pod,
    RestoreRequest,
)
from .clock import now
from .quirks import Quirks
from .records import Action, ActionStatus, ActionType, Checkpoint, CheckpointStatus
from .store import Store, new_id

log = logging.getLogger(__name__)


class Operations:
    """Starts actions and writes down how they go on. `quirks` may be replaced at any time."""

    def __init__(self, store: Store, backend: Backend, quirks: Quirks) -> None:
        self._store, self._backend = store, backend
        self.quirks = quirks
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def start_checkpoint(
        self, pod: Pod, request: Mapping[str, Any], reason: str | None, policy_id: str | None = None
    ) -> Action:
        """A new action with a checkpoint for each container of the pod."""
        action = Action(
            id=new_id(),
            type=ActionType.CHECKPOINT_POD,
            cluster_id=pod.cluster_id,
            pod_uid=pod.uid,
            node=pod.node,
            started=now(),
            checkpoint_ids=tuple(new_id() for _ in pod.containers),
            request=request,
            reason=reason,
            namespace=pod.namespace,
            pod_name=pod.name,
            policy_id=policy_id,
        )
        for checkpoint_id in action.checkpoint_ids:
            self._store.add_checkpoint(
                Checkpoint(id=checkpoint_id, action_id=action.id, cluster_id=pod.cluster_id, platform="linux/amd64")
            )
        self._begin(action, lambda: self._checkpoint(action, pod))
        return action

    def start_restore(self, source: Action, request: Mapping[str, Any], cluster_id: str | None) -> Action:
        """A new action that restores what the action `source` saved."""
        action = Action(
            id=new_id(),
            type=ActionType.RESTORE_POD,
            cluster_id=cluster_id or source.cluster_id,
            pod_uid=source.pod_uid,
            node=source.node,
            started=now(),
            checkpoint_ids=source.checkpoint_ids,
            request=request,
            reason=request.get("reason"),
            namespace=source.namespace,
            pod_name=source.pod_name,
        )
        self._begin(action, lambda: self._restore(action, source, cluster_id))
        return action

    def upload(self, action: Action, status: ActionStatus, told: Mapping[str, Any]) -> None:
        """Writes down what a controller tells of an action; what has ended stays so."""
        self._note(action.id, uploaded=told)
        if not action.ended:
            if status in (ActionStatus.READY, ActionStatus.ERROR):
                self._end(action.id, status)
            else:
                self._advance(action.id, status)

    def is_running(self, action_id: str) -> bool:
        """Whether the backend is at work on it."""
        return action_id in self._tasks

    async def close(self) -> None:
        """End what still runs."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, action: Action, work: Callable[[], Awaitable[None]]) -> None:
        self._store.add_action(action)
        task = asyncio.create_task(self._run(action, work), name=f"{action.type} {action.id}")
        self._tasks[action.id] = task
        task.add_done_callback(lambda _: self._tasks.pop(action.id))

    async def _run(self, action: Action, work: Callable[[], Awaitable[None]]) -> None:
        self._advance(action.id, ActionStatus.PROCESSING)
        try:
            await work()
        except NotAnsweredError as silent:
            log.warning("action %s stays as it is: %s", action.id, silent)
        except BackendError as failed:
            if self.quirks.silent_failures and action.type is ActionType.CHECKPOINT_POD:
                log.warning("action %s stays as it is: %s", action.id, failed)
                return
            self._end(action.id, ActionStatus.ERROR, str(failed))
        except Exception as broken:
            log.exception("action %s", action.id)
            self._end(action.id, ActionStatus.ERROR, f"internal error: {broken}")
        else:
            self._end(action.id, ActionStatus.READY)

    async def _checkpoint(self, action: Action, pod: Pod) -> None:
        overrides = action.request.get("overrides") or {}
        lag = self.quirks.async_upload

        def created(*, asynchronous: bool = False) -> None:
            self._advance(action.id, ActionStatus.CHECKPOINT_CREATED)
            if asynchronous or lag:
                self._end_before_upload(action)

        saved = await self._backend.checkpoint(
            CheckpointRequest(
                action_id=action.id,
                pod=pod,
                checkpoint_ids=action.checkpoint_ids,
                kind=action.request.get("kind") or "simple",
                overrides=overrides,
                created=created,
            )
        )
        await asyncio.sleep(lag)
        for checkpoint_id, container in zip(action.checkpoint_ids, saved, strict=True):
            await self._keep(checkpoint_id, container)

    def _end_before_upload(self, action: Action) -> None:
        for checkpoint_id in action.checkpoint_ids:
            row = self._store.checkpoint(checkpoint_id)
            if row and row.status is not CheckpointStatus.DEPRECATED:
                self._store.change_checkpoint(checkpoint_id, status=CheckpointStatus.POSSIBLY_UPLOADED)
        self._end(action.id, ActionStatus.READY)

    async def _keep(self, checkpoint_id: str, saved: ContainerCheckpoint) -> None:
        """Writes down what was saved; what was given up meanwhile is not kept."""
        row = self._store.checkpoint(checkpoint_id)
        if row is None or row.status is CheckpointStatus.DEPRECATED:
            await self._backend.forget(checkpoint_id)
            return
        self._store.change_checkpoint(
            checkpoint_id,
            status=CheckpointStatus.READY,
            path=saved.path,
            size=saved.size,
            name=saved.name,
            info={"container": saved.container, **saved.info},
        )

    async def _restore(self, action: Action, source: Action, cluster_id: str | None) -> None:
        overrides = action.request.get("overrides") or {}
        pod = await self._backend.restore(
            RestoreRequest(
                action_id=action.id,
                checkpoint_action_id=source.id,
                cluster_id=cluster_id,
                pod_name=overrides.get("pod_name"),
                overrides=overrides,
                uploaded=source.uploaded,
            )
        )
        self._note(action.id, node=pod.node)

    def _advance(self, action_id: str, status: ActionStatus) -> None:
        """The next status of an action, unless it has ended."""
        action = self._store.action(action_id)
        if action and not action.ended:
            self._store.change_action(action_id, status=status)

    def _end(self, action_id: str, status: ActionStatus, error: str | None = None) -> None:
        """Ends an action once; only an error may still come after that, of an upload in the background."""
        action = self._store.action(action_id)
        if action and (not action.ended or (action.status, status) == (ActionStatus.READY, ActionStatus.ERROR)):
            self._store.change_action(action_id, status=status, error=error, completed=now())

    def _note(self, action_id: str, **changes: Any) -> None:
        """Writes down a change; an action that went with its cluster meanwhile is left gone."""
        if self._store.action(action_id):
            self._store.change_action(action_id, **changes)
