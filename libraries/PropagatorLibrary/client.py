"""The propagator's API for all its eras, in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import requests

from harness.waiting import LOCAL, REMOTE

from .answers import Answer
from .errors import PropagatorError, Refused
from .listing import Row
from .lookups import CheckpointTrace, RestoreTrace, heartbeats_of
from .lost import CAUTIOUS, Caution, send_carefully
from .models import (
    Action,
    ActionStatus,
    Checkpoint,
    Cluster,
    NodeRow,
    Outcome,
    PodRow,
    Policy,
    action_row,
    actions_of,
    checkpoint_of,
    cluster_of,
    node_of,
    pod_of,
    policy_of,
    status_of,
)
from .polling import ActionWatch, wait_until_ended
from .references import PodRef
from .sending import NONE, PATIENT, Patience, Sender, ask_while
from .urls import is_local

POLICY_PAGE = 100
RESTORE = "restore_pod"
NO_SUCH_PATH = (404, 405, 501)


class PropagatorClient:
    """One propagator.

    Args:
        session: carries the token (`transport.mount`); one for each thread.
        base_url: normalised (`urls.normalise`).
        patience: how GETs are repeated.
        caution: what is done when the answer to a POST or PATCH is lost.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        *,
        patience: Patience = PATIENT,
        caution: Caution = CAUTIOUS,
    ) -> None:
        self._sender = Sender(session, base_url, patience)
        self._caution = caution
        self.base_url = base_url
        self.pace = LOCAL if is_local(base_url) else REMOTE

    def beside(self, session: requests.Session) -> PropagatorClient:
        """Another client of the same service, for use in another thread; it repeats nothing."""
        return self._other(session, NONE)

    def cut_off(self, patience: Patience) -> None:
        """Lets no request through, as if the service were away, until `reconnect`."""
        self._sender.cut_off(patience)

    def reconnect(self) -> None:
        """Ends `cut_off`."""
        self._sender.reconnect()

    def like_this(self, session: requests.Session) -> PropagatorClient:
        """Another client of the same service that does all as this one, for use in another thread."""
        return self._other(session, self._sender.patience)

    def check_token(self) -> str:
        """The id of the token's user. A service that has its API under /v1 only is noticed here.

        Raises:
            Unauthorized: the token is not accepted.
            PropagatorError: no answer, or none that the API gives.
        """
        try:
            return self._sender.get("/user").id()
        except Refused as refused:
            if refused.status != 404:
                raise
            self._sender.prefix = "/v1"
            try:
                return self._sender.get("/user").id()
            except PropagatorError:
                self._sender.prefix = "/v2"
                raise refused from None

    def era(self) -> str:
        """What its API is like; empty where that cannot be told.

        `seed` is the one published in July 2025, without events; `jan26` that of December 2025 on, with a list of them;
        `next` that of 2026, with an object of them, or under /v1.
        """
        if self._sender.prefix == "/v1":
            return "next"
        try:
            events = self._sender.get("/events", {"time": 1}, patience=NONE).json()
        except Refused as refused:
            return "seed" if refused.status in NO_SUCH_PATH else ""
        except PropagatorError:
            return ""
        return "next" if isinstance(events, dict) else "jan26"

    def list_clusters(self) -> list[Cluster]:
        """The registered clusters, without those that only their row is left of."""
        return [row for row in self._sender.list("/cluster", "clusters", cluster_of) if not row.deleted]

    def find_cluster(self, name: str) -> Cluster | None:
        """The registered cluster of that name."""
        return next((row for row in self.list_clusters() if row.name == name), None)

    def register_cluster(self, name: str) -> str:
        """Registers a name, and gives the cluster's id. A registered name keeps its id."""

        def find() -> str | None:
            known = self.find_cluster(name)
            return known.id if known else None

        return send_carefully(
            lambda: self._post("/cluster", {"cluster_name": name}), find, self._caution, repeatable=True
        )

    def deregister_cluster(self, cluster_id: str) -> None:
        """Removes the registration; one that is gone already is no error."""
        self._settle(
            "DELETE", f"/cluster/{cluster_id}", lambda: all(row.id != cluster_id for row in self.list_clusters())
        )

    def note_checkpoints(self, pod: PodRef) -> CheckpointTrace:
        """Notes what there is of the pod's actions, so that one begun from now on can be told from them."""
        return CheckpointTrace(self, pod.uid, pod.name, pod.namespace)

    def checkpoint_pod(
        self,
        pod: PodRef,
        *,
        kind: str = "",
        reason: str = "",
        overrides: Mapping[str, Any] | None = None,
        runc_root: str = "",
        trace: CheckpointTrace | None = None,
        known_within: float = 0.0,
    ) -> str:
        """Asks for a checkpoint and gives its action's id.

        Args:
            pod: which pod.
            kind: `simple`, `rootfs` or `rootfsonly`.
            reason: `manual`, for one.
            overrides: options of the cluster's Cedana for this checkpoint only.
            runc_root: needed by services of mid-2025.
            trace: notes that were taken already (`note_checkpoints`).
            known_within: seconds that the service may take to learn of a new pod; until then a 404 is borne.

        Raises:
            AnswerLost: it cannot be known whether a checkpoint was begun.
            PropagatorError: it was refused.
        """
        extra = {"kind": kind, "reason": reason, "runc_root": runc_root, "overrides": dict(overrides or {})}
        body = pod.body() | {key: value for key, value in extra.items() if value}
        trace = trace or self.note_checkpoints(pod)

        def ask() -> str:
            return send_carefully(lambda: self._post("/checkpoint/pod", body), trace.find, self._caution)

        return ask_while(lambda refused: refused.status == 404, ask, known_within, self.pace)

    def restore_pod(
        self,
        action_id: str,
        *,
        cluster_id: str = "",
        pod_name: str = "",
        reason: str = "manual",
        criu_opts: Mapping[str, Any] | None = None,
        ready_within: float = 0.0,
    ) -> str:
        """Asks for a restore of what a checkpoint's action saved, and gives the restore's own action id.

        `ready_within`: seconds for which a refusal is borne while the checkpoint, of a complete action, is uploaded.

        Raises:
            AnswerLost: it cannot be known whether a restore was begun.
            PropagatorError: it was refused.
        """
        overrides = {
            key: value for key, value in (("pod_name", pod_name), ("criu_opts", dict(criu_opts or {}))) if value
        }
        fields = {"action_id": action_id, "cluster_id": cluster_id, "reason": reason, "overrides": overrides}
        body = {key: value for key, value in fields.items() if value}
        trace = RestoreTrace(self, action_id)

        def ask() -> str:
            return send_carefully(lambda: self._post("/restore/pod", body), trace.find, self._caution)

        once = iter([True])  # it may have become complete between the refusal and the look
        return ask_while(lambda _: self._is_unfinished(action_id) or next(once, False), ask, ready_within, self.pace)

    def action_status(self, action_id: str, *, patience: Patience | None = None) -> ActionStatus | None:
        """The status of a checkpoint or restore; None when the server does not know the action.

        The status endpoint is asked first. A 404 of it need not mean much, so that then the list of actions decides.
        """
        try:
            answer = self._sender.get(f"/checkpoint/status/{action_id}", patience=patience)
        except Refused as refused:
            if refused.status != 404:
                raise
        else:
            status = status_of(action_id, answer.json())
            if status is None:
                raise answer.not_understood("a status")
            if status.status != "not_found":
                return status
        action = self.find_action(action_id, patience=patience)
        return ActionStatus(action_id, action.status, action.error) if action else None

    def wait_until_action_completes(
        self,
        action_id: str,
        kind: str,
        *,
        timeout: float,
        unknown_for: float = 30.0,
        on_status: Callable[[ActionStatus], None] = lambda _: None,
    ) -> ActionStatus:
        """Waits until an action has succeeded. `kind` is `checkpoint` or `restore`; times in seconds.

        `on_status` is called with each status that is seen.

        Raises:
            WaitTimedOut: names the last status and for how long it has been so.
            ActionFailed: it ended in an error, or is unknown for longer than `unknown_for`.
        """

        def read() -> ActionStatus | None:
            status = self.action_status(action_id, patience=NONE)
            if status:
                on_status(status)
            return status

        return wait_until_ended(ActionWatch(action_id, kind, read, unknown_for), timeout=timeout, pace=self.pace)

    def list_actions(
        self, kind: str = "", *, ids: Collection[str] | None = None, patience: Patience | None = None
    ) -> list[Action]:
        """The actions, each once; of one type (`checkpoint_pod`, `restore_pod`) or with some ids, if they are given."""

        def wanted(row: Row) -> Row | None:
            return action_row(row) if ids is None or str(row.get("action_id")) in ids else None

        rows = self._sender.list("/actions", "actions", wanted, {"type": kind} if kind else {}, patience=patience)
        return [action for action in actions_of(rows) if kind in ("", action.type)]

    def action_ids(self, kind: str) -> set[str]:
        """The ids of all actions of that type."""

        def id_of(row: Row) -> str | None:
            return str(row["action_id"]) if row.get("type") == kind and row.get("action_id") else None

        return set(self._sender.list("/actions", "actions", id_of, {"type": kind}))

    def find_action(self, action_id: str, *, patience: Patience | None = None) -> Action | None:
        """The action of that id."""
        return next(iter(self.list_actions(ids=[action_id], patience=patience)), None)

    def heartbeats(self, pod_uids: Collection[str]) -> list[Action]:
        """The checkpoints of those pods that a policy asked for, oldest first."""
        return heartbeats_of(self.list_actions(), pod_uids)

    def kind_of(self, action_id: str) -> str:
        """`restore` if the server lists the action as one, else `checkpoint`."""
        action = self.find_action(action_id)
        return "restore" if action and action.type == RESTORE else "checkpoint"

    def latest_action_of_pod(self, pod_uid: str) -> str | None:
        """The id of the pod's latest action; None when it has none."""
        try:
            return self._sender.get(f"/actions/from_pod/{pod_uid}").id()
        except Refused as refused:
            if refused.status != 404:
                raise
            return None

    def list_checkpoints(self, cluster_id: str = "") -> list[Checkpoint]:
        """The checkpoints; of one cluster where the service knows that filter."""
        query = {"cluster_id": cluster_id} if cluster_id else {}
        return self._sender.list("/checkpoints", "checkpoints", checkpoint_of, query)

    def find_checkpoint(self, checkpoint_id: str) -> Checkpoint | None:
        """The checkpoint of that id."""

        def wanted(row: Row) -> Checkpoint | None:
            return checkpoint_of(row) if str(row.get("id")) == checkpoint_id else None

        return next(iter(self._sender.list("/checkpoints", "checkpoints", wanted, {"ids": checkpoint_id})), None)

    def deprecate_checkpoint(self, checkpoint_id: str) -> None:
        """Gives a checkpoint up; one that is deprecated already is no error."""

        def deprecated() -> bool:
            row = self.find_checkpoint(checkpoint_id)
            return row is not None and row.deprecated

        self._settle("PATCH", f"/checkpoints/deprecate/{checkpoint_id}", deprecated)

    def list_pods(self) -> list[PodRow]:
        """The pods that the propagator knows."""
        return self._sender.list("/pods", "pods", pod_of)

    def list_nodes(self) -> list[NodeRow]:
        """The nodes that the propagator knows."""
        return self._sender.list("/nodes", "nodes", node_of)

    def create_policy(self, pod_uids: Sequence[str], *, cluster_id: str, interval: int) -> str:
        """Has pods checkpointed every `interval` seconds, and gives the policy's id.

        Raises:
            AnswerLost: it cannot be known whether there is a policy now.
            PropagatorError: it was refused.
        """
        known = {policy.id for policy in self.list_policies()}
        body = {
            "cluster_id": cluster_id,
            "heartbeat_time": interval,
            "resource_ids": list(pod_uids),
            "resource": "pods",
            "policy_type": "heartbeat",
        }

        def find() -> str | None:
            new = (policy for policy in self.list_policies() if policy.id not in known)
            return next((policy.id for policy in new if set(policy.resources) == set(pod_uids)), None)

        return send_carefully(lambda: self._post("/policy/create", body), find, self._caution)

    def list_policies(self) -> list[Policy]:
        """The heartbeat policies."""
        return self._sender.list("/policy/list", "policies", policy_of, page=POLICY_PAGE)

    def delete_policy(self, policy_id: str) -> None:
        """Ends a policy; one that is gone already is no error."""
        self._settle(
            "DELETE",
            "/policy/delete",
            lambda: all(policy.id != policy_id for policy in self.list_policies()),
            json={"id": policy_id},
        )

    def _other(self, session: requests.Session, patience: Patience) -> PropagatorClient:
        other = PropagatorClient(session, self.base_url, patience=patience, caution=self._caution)
        other._sender.prefix = self._sender.prefix
        return other

    def _is_unfinished(self, action_id: str) -> bool:
        """Whether a checkpoint's action claims success while something that it saved is on its way to storage."""
        action = self.find_action(action_id)
        if action is None or action.outcome is not Outcome.SUCCEEDED:
            return False
        rows = (self.find_checkpoint(each) for each in action.checkpoint_ids)
        return any(row.unfinished for row in rows if row)

    def _post(self, path: str, body: Mapping[str, Any]) -> Answer:
        return self._sender.once("POST", path, json=body)

    def _settle(self, method: str, path: str, done: Callable[[], bool], **options: Any) -> None:
        """Sends a request that may be repeated until it is done; a 404 or 400 is as good when it is done already."""
        settled = "00000000-0000-0000-0000-000000000000"

        def send() -> Answer:
            # An answer without an id may be of something before the service.
            return self._sender.once(method, path, **options)

        try:
            send_carefully(send, lambda: settled if done() else None, self._caution, repeatable=True)
        except Refused as refused:
            if refused.status not in (400, 404) or not done():
                raise
