"""Leases: runs that must not do something at the same time settle it by an object of the API.

As the leader election of client-go has it: the holder renews its Lease; another takes it over when it saw no renewal
for as long as the Lease says. Only times between looks are compared, never the clocks of two machines.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from kubernetes.client.exceptions import ApiException
from urllib3.exceptions import HTTPError

from harness.failures import OperationFailed
from harness.kube import Cluster, api_errors, objects
from harness.kube.errors import patiently
from harness.kube.plain import Plain
from harness.kube.pods import raw
from harness.ledger import LEDGER, Entry
from harness.waiting import Done, Look, Pace, Pending, wait_until

Obj = dict[str, Any]
API, KIND = "coordination.k8s.io/v1", "Lease"
PACE = Pace(least=0.2, share=0.05, most=3.0)


def identity() -> str:
    """Who we are, as others are told: run, host and process."""
    return f"{LEDGER.run_id} on {socket.gethostname()} (process {os.getpid()})"


def acquire(cluster: Cluster, namespace: str, name: str, *, duration: float, timeout: float) -> Held:
    """Waits until the Lease is free, takes it and keeps it renewed until it is released.

    Args:
        duration: seconds without a renewal after which others may take it.
        timeout: seconds to wait for another holder.

    Raises:
        WaitTimedOut: another holds it; says who, and since when.
        OperationFailed: the API refuses; cause `cluster-refused`.
    """
    seen = _Seen()

    return wait_until(
        lambda: patiently(lambda: _try(cluster, namespace, name, duration, seen)),
        timeout=timeout,
        expected=f"Lease {namespace}/{name} to be free",
        look_next="the run that holds it; when that is no more, the Lease runs out by itself",
        cause="cluster-in-use",
        pace=PACE,
    )


@dataclass
class Held:
    """A Lease of ours, renewed by a thread until `release`."""

    cluster: Cluster
    namespace: str
    name: str
    uid: str
    duration: float
    _ended: threading.Event = field(default_factory=threading.Event, repr=False)

    def keep(self) -> Held:
        """Begins to renew it."""
        threading.Thread(target=self._renew, name=f"lease {self.namespace}/{self.name}", daemon=True).start()
        return self

    def release(self, timeout: float) -> None:
        """Ends the renewal and deletes the Lease; fine when it is another's by now.

        Raises:
            OperationFailed: the API refuses.
        """
        self._ended.set()
        if entry := self._entry:
            objects.delete(self.cluster, API, KIND, self.namespace, self.name, uid=self.uid, timeout=timeout)
            LEDGER.gone(entry)

    @property
    def is_owed(self) -> bool:
        """Whether nobody has removed it yet; the run's clean-up does."""
        return self._entry is not None

    @property
    def _entry(self) -> Entry | None:
        return objects.entry_of(self.cluster, KIND, self.namespace, self.name, self.uid)

    def _renew(self) -> None:
        api = _leases(self.cluster)  # now, while the kubeconfig is there
        # Once the run's clean-up has removed it the cluster may be gone, too: the process could then end amid a connect
        # that nobody answers, and a thread that Python ends there takes the process along (SIGABRT).
        while not self._ended.wait(self.duration / 3) and self.is_owed:
            change = {"metadata": {"uid": self.uid}, "spec": {"renewTime": _now()}}
            try:
                raw(api.patch_namespaced_lease, self.name, self.namespace, change)
            except ApiException as problem:
                if problem.status in (404, 409):  # removed by the run's clean-up, or lost to another
                    return
            except (HTTPError, OSError):  # the next try may reach the cluster
                continue


@dataclass
class _Seen:
    """What an other's Lease looked like, and since when it has not changed, by our own clock."""

    version: str = ""
    since: float = 0.0

    def still(self, version: str) -> float:
        """Seconds for which it has not changed."""
        now = time.monotonic()
        if version != self.version:
            self.version, self.since = version, now
        return now - self.since


def _try(cluster: Cluster, namespace: str, name: str, duration: float, seen: _Seen) -> Look[Held]:
    there = objects.find(cluster, API, KIND, namespace, name)
    if there is None:
        return _take(cluster, namespace, name, duration)
    spec, version = there.get("spec") or {}, there["metadata"]["resourceVersion"]
    patience = float(spec.get("leaseDurationSeconds") or duration)
    if spec.get("holderIdentity") and seen.still(version) < patience:
        return Pending(f"it is held by run {spec['holderIdentity']} since {spec.get('acquireTime')}")
    if not _remove(cluster, there):
        return Pending("its holder has renewed it just now")
    return _take(cluster, namespace, name, duration)


def _take(cluster: Cluster, namespace: str, name: str, duration: float) -> Look[Held]:
    spec = {"holderIdentity": identity(), "leaseDurationSeconds": max(1, round(duration))}
    times = dict.fromkeys(("acquireTime", "renewTime"), _now())
    manifest = {"apiVersion": API, "kind": KIND, "metadata": {"name": name}, "spec": spec | times}
    try:
        made = objects.create(cluster, manifest, namespace)
    except OperationFailed as problem:
        if getattr(problem.__cause__, "status", None) == 409:
            return Pending("another has taken it just now")
        raise
    return Done(Held(cluster, namespace, name, made["metadata"]["uid"], duration).keep())


def _remove(cluster: Cluster, there: Obj) -> bool:
    """Removes a Lease that ran out, unless it was renewed in this very moment."""
    found = there["metadata"]
    only = {"preconditions": {"uid": found["uid"], "resourceVersion": found["resourceVersion"]}}
    with api_errors(f"delete Lease {found['namespace']}/{found['name']}"):
        try:
            raw(_leases(cluster).delete_namespaced_lease, found["name"], found["namespace"], body=only)
        except ApiException as problem:
            if problem.status == 409:
                return False
            if problem.status != 404:
                raise
    return True


def _leases(cluster: Cluster) -> Any:
    return Plain(cluster.api_client, "CoordinationV1Api")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
