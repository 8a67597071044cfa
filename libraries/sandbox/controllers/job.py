"""Jobs: pods until enough of them have succeeded or too many have failed."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from time import time
from typing import TYPE_CHECKING, Any

from .. import kinds
from ..api import objects
from ..api.status import ApiError
from ..store import timestamp
from .base import Controller, key_of
from .claims import concerned, pods_of
from .workload import change_status, is_ready, make_pod

if TYPE_CHECKING:
    from ..kinds import Kind
    from ..store import Change

Object = dict[str, Any]
INDEX = "batch.kubernetes.io/job-completion-index"


class Jobs(Controller):
    """One Job a key."""

    def kinds(self) -> tuple[Kind, ...]:
        """Jobs and pods."""
        return (kinds.JOB, kinds.POD)

    def changed(self, change: Change) -> None:
        """A pod's change concerns its Job, or those that may adopt it."""
        if change.kind is kinds.JOB:
            self.enqueue(key_of(change.object))
            return
        for key in concerned(self.cluster, kinds.JOB, change):
            self.enqueue(key)

    def reconcile(self, key: Hashable) -> None:
        """Starts what is missing, ends the Job when it is decided, counts."""
        assert isinstance(key, tuple)
        job = self.store.get(kinds.JOB, *key)
        if job is None:
            return
        if _finished(job):
            self._expire(job)
            return
        pods = pods_of(self.cluster, job)
        verdict = self._verdict(job, pods)
        if verdict:
            self._end(job, pods, *verdict)
        elif not job["metadata"].get("deletionTimestamp"):
            self._run(job, pods)
            self._report(job, pods_of(self.cluster, job), [])

    def _verdict(self, job: Object, pods: list[Object]) -> tuple[str, str, str] | None:
        spec = job["spec"]
        succeeded = sum(map(_succeeded, pods))
        wanted = spec.get("completions")
        if wanted is not None and succeeded >= wanted:
            return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
        if wanted is None and succeeded and not any(not _ended(p) for p in pods):
            return "Complete", "CompletionsReached", "Reached expected number of succeeded pods"
        if self._failed_tries(pods) > spec.get("backoffLimit", 6):
            return "Failed", "BackoffLimitExceeded", "Job has reached the specified backoff limit"
        deadline, start = spec.get("activeDeadlineSeconds"), (job.get("status") or {}).get("startTime")
        if deadline and start:
            left = deadline - (time() - datetime.fromisoformat(start).timestamp())
            if left <= 0:
                return "Failed", "DeadlineExceeded", "Job was active longer than specified deadline"
            self.enqueue_after(key_of(job), left)
        return None

    @staticmethod
    def _failed_tries(pods: list[Object]) -> int:
        restarts = sum(
            status.get("restartCount", 0)
            for pod in pods
            if pod["spec"].get("restartPolicy") == "OnFailure"
            for status in pod.get("status", {}).get("containerStatuses") or []
        )
        return sum(map(_failed, pods)) + int(restarts)

    def _run(self, job: Object, pods: list[Object]) -> None:
        spec = job["spec"]
        active = [p for p in pods if not _ended(p) and not p["metadata"].get("deletionTimestamp")]
        if spec.get("suspend"):
            for pod in active:
                objects.delete(self.cluster, kinds.POD, *key_of(pod))
            return
        succeeded = sum(map(_succeeded, pods))
        completions = spec.get("completions")
        left = (
            0 if completions is None and succeeded else (completions if completions is not None else 10**6) - succeeded
        )
        missing = min(spec.get("parallelism", 1), left) - len(active)
        wait = self._back_off(pods)
        if missing > 0 and wait > 0:
            self.enqueue_after(key_of(job), wait)
            return
        for _ in range(max(0, missing)):
            if not self._create(job, pods):
                return
            pods = pods_of(self.cluster, job)
        for pod in active[: max(0, -missing)]:
            objects.delete(self.cluster, kinds.POD, *key_of(pod))

    def _back_off(self, pods: list[Object]) -> float:
        """Seconds until the next pod may follow failed ones: 10 s, 20 s ... after the last failure."""
        failed = [p for p in pods if _failed(p)]
        if not failed:
            return 0
        ends = [_ended_at(p) for p in failed]
        delay = min(self.cluster.latencies.back_off * 2 ** (len(failed) - 1), 600)
        return float(max(ends) + delay - time())

    def _create(self, job: Object, pods: list[Object]) -> bool:
        template = job["spec"]["template"]
        labels = None
        if job["spec"].get("completionMode") == "Indexed":
            taken = {(p["metadata"].get("annotations") or {}).get(INDEX) for p in pods if not _failed(p)}
            index = next(str(i) for i in range(job["spec"]["completions"]) if str(i) not in taken)
            meta = {
                **template["metadata"],
                "annotations": {**(template["metadata"].get("annotations") or {}), INDEX: index},
            }
            template = {**template, "metadata": meta}
            labels = {INDEX: index}
        try:
            pod = make_pod(self.cluster, job, template, labels=labels)
        except ApiError as error:
            self._event(job, "FailedCreate", f"Error creating: {error}", warning=True)
            self.enqueue_after(key_of(job), 1.0)
            return False
        self._event(job, "SuccessfulCreate", f"Created pod: {pod['metadata']['name']}")
        return True

    def _end(self, job: Object, pods: list[Object], kind: str, reason: str, message: str) -> None:
        for pod in pods:
            if not _ended(pod):
                objects.delete(self.cluster, kinds.POD, *key_of(pod))
        now = timestamp()
        first = "SuccessCriteriaMet" if kind == "Complete" else "FailureTarget"
        conditions = [
            {
                "type": each,
                "status": "True",
                "lastProbeTime": now,
                "lastTransitionTime": now,
                "reason": reason,
                "message": message,
            }
            for each in (first, kind)
        ]
        self._report(job, pods, conditions)
        if kind == "Complete":
            self._event(job, "Completed", "Job completed")
        else:
            self._event(job, reason, message, warning=True)
        self.enqueue(key_of(job))

    def _event(self, job: Object, reason: str, message: str, *, warning: bool = False) -> None:
        self.cluster.events.event(job, reason, message, component="job-controller", warning=warning)

    def _report(self, job: Object, pods: list[Object], conditions: list[Object]) -> None:
        active = (
            [p for p in pods if not _ended(p) and not p["metadata"].get("deletionTimestamp")] if not conditions else []
        )
        succeeded, failed = sum(map(_succeeded, pods)), sum(map(_failed, pods))
        terminating = sum(bool(p["metadata"].get("deletionTimestamp")) and not _ended(p) for p in pods)
        complete = bool(conditions) and conditions[-1]["type"] == "Complete"
        status: Object = {
            **({"conditions": conditions} if conditions else {}),
            "startTime": (job.get("status") or {}).get("startTime") or timestamp(),
            **({"completionTime": timestamp()} if complete else {}),
            **({"active": len(active)} if active else {}),
            **({"succeeded": succeeded} if succeeded else {}),
            **({"failed": failed} if failed else {}),
            "terminating": terminating,
            "uncountedTerminatedPods": {},
            "ready": sum(map(is_ready, active)),
        }
        change_status(self.cluster, kinds.JOB, job, status)

    def _expire(self, job: Object) -> None:
        seconds = job["spec"].get("ttlSecondsAfterFinished")
        if seconds is None or job["metadata"].get("deletionTimestamp"):
            return
        ended = next(
            c["lastTransitionTime"] for c in job["status"]["conditions"] if c["type"] in ("Complete", "Failed")
        )
        left = seconds - (time() - datetime.fromisoformat(ended).timestamp())
        if left > 0:
            self.enqueue_after(key_of(job), left)
        else:
            objects.delete(self.cluster, kinds.JOB, *key_of(job), propagation="Foreground")


def _finished(job: Object) -> bool:
    conditions = (job.get("status") or {}).get("conditions") or []
    return any(c["type"] in ("Complete", "Failed") and c["status"] == "True" for c in conditions)


def _succeeded(pod: Object) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Succeeded")


def _failed(pod: Object) -> bool:
    return bool(pod.get("status", {}).get("phase") == "Failed")


def _ended(pod: Object) -> bool:
    return _succeeded(pod) or _failed(pod)


def _ended_at(pod: Object) -> float:
    ends = [
        status["state"]["terminated"]["finishedAt"]
        for status in pod["status"].get("containerStatuses") or []
        if status["state"].get("terminated", {}).get("finishedAt")
    ]
    return max((datetime.fromisoformat(end).timestamp() for end in ends), default=time())
