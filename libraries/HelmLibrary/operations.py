"""Helm's operations on a cluster: with the ledger before them, and pods believed after them."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, NoReturn

import yaml
from kubernetes.client.exceptions import ApiException

from harness.failures import NotAsExpected, OperationFailed
from harness.kube import Cluster, api_errors, objects
from harness.kube.objects import PodSecurity
from harness.kube.pods import raw
from harness.ledger import LEDGER, Entry
from harness.progress import PROGRESS

from .errors import cause_of, failed, may_pass
from .manifests import Thing, deletes_namespaces, kept, workloads
from .releases import Chart, Deployed, Engine, HelmError, Order, Release, Target
from .rollout import wait_until_rolled_out
from .uninstalling import is_there, remove_kept

STORED = "owner=helm"
"""The label of the Secrets in which Helm keeps its releases."""
PATIENCE, PAUSE = 20.0, 0.5
"""Seconds for which an install that made nothing is tried again, and between two tries."""
SHORTEST_WAIT = 1.0
"""Seconds that the pods get even when Helm has used up the time."""
_TAKEN = re.compile(r"cannot re-?use a name|release: already exists")
"""What Helm says of a name that it has a release of: one that was there, or that appeared during the install."""


@dataclass(frozen=True)
class Uninstalled:
    """What an uninstall left: objects that the chart keeps, and whether they were removed after it."""

    kept: tuple[Thing, ...]
    removed: bool


class Helm:
    """Releases in one namespace of one cluster. Times are in seconds."""

    def __init__(self, engine: Engine, cluster: Cluster, namespace: str) -> None:
        self._engine, self._cluster, self._namespace = engine, cluster, namespace
        self._target = Target(cluster.kubeconfig, cluster.context, namespace)

    def install(
        self, release: str, order: Order, *, create_namespace: bool, pod_security: PodSecurity | None = None
    ) -> Release:
        """Installs `order` as `release`, with ledger entries for it and for a namespace that it brings.

        Raises:
            OperationFailed: the release is there already, or Helm refuses or fails; with its cause.
            WaitTimedOut: Helm believed the release, but its pods are not all Ready.
        """
        deadline = time.monotonic() + order.timeout
        expected = f"release {release} to be installed in namespace {self._namespace}"
        if self.is_stored(release):
            there = self.find(release)
            raise OperationFailed(
                expected,
                f"there is one already: {there}",
                "upgrade it, uninstall it, or take another name",
                cause="helm-failed",
            )
        if create_namespace:
            self._bring_namespace(pod_security)
        facts = self._cluster.where | self._facts(release) | {"within": order.timeout}
        entry = LEDGER.intend("helm-release", f"{self._namespace}/{release}", **facts)
        try:
            with PROGRESS.awaiting(expected, order.timeout, lambda: "Helm fetches the chart and creates its objects"):
                deployed = self._install(release, order)
        except HelmError as problem:
            self._settle(entry, expected, release, problem)
            self._explain(expected, release, problem)
        self._note(entry, release)
        return self._believe(deployed, order.wait, deadline)

    def upgrade(self, release: str, order: Order) -> Release:
        """Upgrades `release` with exactly the order's values.

        Raises:
            OperationFailed: there is no such release, or Helm refuses or fails; with its cause.
            WaitTimedOut: Helm believed the release, but its pods are not all Ready.
        """
        deadline = time.monotonic() + order.timeout
        try:
            deployed = self._engine.upgrade(self._target, release, _without_wait(order))
        except HelmError as problem:
            self._explain(f"release {release} to be upgraded", release, problem)
        self._note(self._owed(release), release)
        return self._believe(deployed, order.wait, deadline)

    def rollback(self, release: str, revision: int | None, *, wait: bool, timeout: float) -> Release:
        """Rolls `release` back to `revision`, or to the one before when None; that makes a new revision.

        Raises: as `upgrade`.
        """
        deadline = time.monotonic() + timeout
        try:
            deployed = self._engine.rollback(self._target, release, revision, wait=False, timeout=timeout)
        except HelmError as problem:
            to = f"revision {revision}" if revision is not None else "the revision before"
            self._explain(f"release {release} to be rolled back to {to}", release, problem)
        self._note(self._owed(release), release)
        return self._believe(deployed, wait, deadline)

    def uninstall(self, release: str, *, wait: bool, timeout: float) -> Uninstalled:
        """Removes `release`. What its chart keeps is removed too where this run brought the release.

        Raises:
            OperationFailed: there is no such release, Helm refuses or fails, or the chart's uninstaller did not end.
            WaitTimedOut: something does not go away.
        """
        return self.remove(release, self._owed(release), wait=wait, timeout=timeout)

    def remove(self, release: str, entry: Entry | None, *, wait: bool, timeout: float) -> Uninstalled:
        """`uninstall` with the ledger entry of the release; None for a release that this run did not bring."""
        deadline = time.monotonic() + timeout
        expected = f"release {release} to be uninstalled from namespace {self._namespace}"
        things = [Thing(**facts) for facts in entry.find.get("kept", ())] if entry else []
        begun = entry is not None and "kept" in entry.find
        try:
            stream = self._engine.manifest(self._target, release)
            things, begun = kept(stream, self._namespace), True
            if entry:  # on disk before the uninstall: afterwards Helm no longer knows them
                LEDGER.made(entry, kept=[asdict(thing) for thing in things], takes_namespace=deletes_namespaces(stream))
            self._engine.uninstall(self._target, release, wait=wait, timeout=timeout)
        except HelmError as problem:
            # The chart's uninstaller, or the one that an earlier, broken-off attempt started, takes the namespace, and
            # with it what Helm keeps of the release, from under this one.
            if not begun or self.is_stored(release):
                raise failed(expected, problem) from None
        if not entry:
            return Uninstalled(tuple(things), removed=False)
        self.remove_kept(entry, deadline - time.monotonic())
        return Uninstalled(tuple(things), removed=True)

    def remove_kept(self, entry: Entry, timeout: float) -> None:
        """Removes what an uninstalled release of ours left, as its ledger entry tells; nothing is owed after it."""
        things = [Thing(**facts) for facts in entry.find.get("kept", ())]
        takes = bool(entry.find.get("takes_namespace"))
        try:
            remove_kept(self._cluster, things, max(0.0, timeout), takes_namespace=takes)
        finally:
            if not any(is_there(self._cluster, thing) for thing in things):
                LEDGER.gone(entry)

    def find(self, release: str) -> Release | None:
        """The newest revision, or None where there is no such release."""
        try:
            return self._engine.status(self._target, release)
        except HelmError as problem:
            raise failed(f"the status of release {release}", problem) from None

    def get(self, release: str) -> Release:
        """The newest revision.

        Raises:
            NotAsExpected: there is no such release.
        """
        found = self.find(release)
        if found is None:
            others = ", ".join(one.name for one in self.releases()) or "none"
            raise NotAsExpected(
                f"release {release} in namespace {self._namespace}",
                f"there is no such release; releases there: {others}",
                cause="helm-failed",
            )
        return found

    def releases(self, namespaces: Sequence[str] | None = None) -> list[Release]:
        """The newest revision of each release of these namespaces, or of this one."""
        try:
            return self._engine.list(self._target, namespaces if namespaces is not None else [self._namespace])
        except HelmError as problem:
            raise failed("a list of releases", problem) from None

    def history(self, release: str) -> list[Release]:
        """The revisions that Helm kept, oldest first."""
        try:
            return self._engine.history(self._target, release)
        except HelmError as problem:
            raise failed(f"the history of release {release}", problem) from None

    def get_values(self, release: str, *, computed: bool) -> dict[str, object]:
        """The values of `release`, secrets in the open."""
        try:
            return self._engine.get_values(self._target, release, computed=computed)
        except HelmError as problem:
            raise failed(f"the values of release {release}", problem) from None

    def wait_until_ready(self, release: str, timeout: float) -> None:
        """Waits until every pod of the release's workloads is Ready.

        Raises:
            WaitTimedOut: says what is not, and why.
        """
        try:
            stream = self._engine.manifest(self._target, release)
        except HelmError as problem:
            raise failed(f"the manifest of release {release}", problem) from None
        wait_until_rolled_out(self._cluster, release, workloads(stream, self._namespace), timeout)

    def is_stored(self, release: str) -> bool:
        """Whether Helm keeps any revision of `release`."""
        return bool(self.stored(release))

    def stored(self, release: str) -> list[str]:
        """The UIDs of the Secrets that hold the revisions of `release`: they tell it from another one of that name."""
        return [uid for uid, _ in self.revisions(release)]

    def revisions(self, release: str) -> list[tuple[str, datetime]]:
        """The UID of the Secret of each revision of `release`, and when it was made.

        Asks the API, which is faster than an engine.
        """
        with api_errors(f"list Helm's Secrets in namespace {self._namespace}"):
            found = raw(
                self._cluster.core.list_namespaced_secret, self._namespace, label_selector=f"{STORED},name={release}"
            )
        secrets = [one["metadata"] for one in found["items"]]
        return [(str(one["uid"]), datetime.fromisoformat(one["creationTimestamp"])) for one in secrets]

    def _install(self, release: str, order: Order) -> Deployed:
        """Lets Helm install; again where it failed before it made anything, for a reason that may pass.

        Helm itself gives up at the first read that the API server fails.
        """
        begun = time.monotonic()
        while True:
            try:
                return self._engine.install(self._target, release, _without_wait(order))
            except HelmError as problem:
                late = time.monotonic() - begun >= min(PATIENCE, order.timeout)
                if late or not may_pass(problem) or self.is_stored(release):
                    raise
            time.sleep(PAUSE)

    def _believe(self, deployed: Deployed, wait: bool, deadline: float) -> Release:
        if wait:
            things = workloads(deployed.manifest, self._namespace)
            left = max(SHORTEST_WAIT, deadline - time.monotonic())
            wait_until_rolled_out(self._cluster, deployed.release.name, things, left)
        return deployed.release

    def _settle(self, entry: Entry, expected: str, release: str, problem: HelmError) -> None:
        """After a failed install: another's release of that name is not ours, and nothing made is nothing owed."""
        if _TAKEN.search(problem.words):
            LEDGER.gone(entry)
            seen = "somebody else has installed one of that name meanwhile"
            look = "who uses the cluster at the same time; what is installed can be used when it is ready"
            raise failed(expected, problem, seen=seen, look=look, cause="helm-failed") from None
        if self.is_stored(release):
            self._note(entry, release)
        else:
            LEDGER.gone(entry)

    def _note(self, entry: Entry | None, release: str) -> None:
        """Writes down by what the release, where it is ours, is told from another one of its name."""
        if entry:
            LEDGER.made(entry, stored=self.stored(release))

    def _explain(self, expected: str, release: str, problem: HelmError) -> NoReturn:
        """Raises the failure with what the cluster shows of its reason, and the state that the release is left in."""
        cause = cause_of(problem)
        if cause in ("bad-chart", "cluster-unreachable") or not self.is_stored(release):
            missing = f'namespaces "{self._namespace}" not found' in problem.words
            raise failed(expected, problem, look="create_namespace=True creates it" if missing else "") from None
        left = self.find(release)
        seen, look = (f"the release was left as {left.status}, revision {left.revision}", "") if left else ("", "")
        if left and left.pending:
            look = "uninstall the release, or roll it back: Helm refuses to go on from there"
        raise failed(expected, problem, seen=seen, look=look, cause=cause) from None

    def _bring_namespace(self, pod_security: PodSecurity | None) -> None:
        with api_errors(f"get namespace {self._namespace}"):
            try:
                self._cluster.core.read_namespace(self._namespace)
            except ApiException as problem:
                if problem.status != 404:
                    raise
            else:
                return
        objects.create(self._cluster, objects.namespace_manifest(self._namespace, pod_security), "")

    def _facts(self, release: str) -> dict[str, str | None]:
        return {"context": self._cluster.context, "namespace": self._namespace, "release": release}

    def _owed(self, release: str) -> Entry | None:
        """The ledger entry of a release that this run brought."""
        facts, place = self._facts(release), str(self._cluster.kubeconfig)
        for entry in reversed(LEDGER.owed()):
            if entry.kind == "helm-release" and entry.place == place and facts.items() <= entry.find.items():
                return entry
        return None


def values_of_chart(engine: Engine, chart: Chart) -> dict[str, Any]:
    """The values that a chart has by itself.

    Raises:
        OperationFailed: there is no such chart, or it cannot be read; cause `bad-chart`.
    """
    expected = f"the values of chart {chart.reference}"
    try:
        found = yaml.safe_load(engine.chart_values(chart))
    except HelmError as problem:
        raise failed(expected, problem, cause="bad-chart") from None
    except yaml.YAMLError:
        raise OperationFailed(expected, "its values file is no YAML", cause="bad-chart") from None
    return found if isinstance(found, dict) else {}


def _without_wait(order: Order) -> Order:
    """Helm waits for hooks only. We wait for the pods: its own watch gives up at the first list that breaks off."""
    return replace(order, wait=False)


def namespaces_with_releases(cluster: Cluster) -> list[str]:
    """Every namespace in which Helm keeps a release."""
    with api_errors("list Helm's Secrets"):
        found = raw(cluster.core.list_secret_for_all_namespaces, label_selector=STORED)
    return sorted({one["metadata"]["namespace"] for one in found["items"]})
