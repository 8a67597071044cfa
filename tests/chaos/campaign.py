"""A campaign: lifecycles side by side through spoiling proxies, and the figures of what came of them."""

from __future__ import annotations

import base64
import contextlib
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest import mock

import yaml

from ContinuityLibrary.verdict import Kind
from harness.failures import E2EFailure
from harness.kube import Cluster, connection, watching
from PropagatorLibrary.client import PropagatorClient
from PropagatorLibrary.errors import Refused, Unauthorized, Unreachable
from PropagatorLibrary.lost import Caution
from PropagatorLibrary.sending import Patience
from PropagatorLibrary.transport import open_session
from tests.end_to_end.journal import Journal
from tests.end_to_end.sandboxes import Facts, started
from tests.end_to_end.shared_cedana import installed

from .lifecycle import WAIT, WAITS, Lifecycle
from .proxy import STATUSES, Faults, proxy
from .truth import CHECKPOINT_PATH, RESTORE_PATH, Requests, doubles

SHARE = 0.05
_OPEN = Kind.INCONCLUSIVE
READ_TIMEOUT = 1.0
STALL = 2.5
LONGEST = WAITS * WAIT
"""Seconds after which a lifecycle is one that waits for ever."""
RECREATE_EACH, HEARTBEAT_EACH = 5, 4
"""Each fifth lifecycle restores nothing, each fourth has a heartbeat that checkpoints its pod every second."""
ALLOWED = {
    "answer-lost",
    "propagator-unreachable",
    "propagator-error",
    "propagator-answer",
    "cluster-unreachable",
    "cluster-refused",
    "evidence-missing",
}
"""Causes that say what the proxies did; any other one would blame the wrong thing."""


@dataclass
class Outcome:
    """What came of a campaign."""

    lifecycles: list[Lifecycle]
    faults: Faults
    seconds: float = 0.0
    doubles: list[str] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)

    @property
    def passed(self) -> int:
        """Lifecycles with the right verdict."""
        return sum(one.failure is None and _kind(one) is one.expected for one in self.lifecycles)

    @property
    def wrong(self) -> list[str]:
        """Verdicts that are neither right nor an honest "inconclusive"."""
        return [
            f"{one.name}: {one.verdict}" for one in self.lifecycles if _kind(one) not in (None, one.expected, _OPEN)
        ]

    @property
    def endless(self) -> list[str]:
        """Lifecycles that took longer than all of their waits."""
        return [f"{one.name} at: {one.step}" for one in self.lifecycles if one.seconds > LONGEST]

    @property
    def causes(self) -> Counter[str]:
        """Failures by cause."""
        return Counter(_cause(one) for one in self.lifecycles if one.failure is not None or _kind(one) is _OPEN)

    @property
    def unnamed(self) -> list[str]:
        """Failures that are none of ours, or blame what was not at fault."""
        failed = [(one, one.failure) for one in self.lifecycles if one.failure is not None]
        return [f"{one.name} at: {one.step}: {why!r}" for one, why in failed if not _is_named(why)]

    @property
    def problems(self) -> list[str]:
        """Everything that must not be."""
        return [*self.doubles, *self.wrong, *self.endless, *self.unnamed, *self.untrue]

    def __str__(self) -> str:
        failures = ", ".join(f"{count} {cause}" for cause, count in self.causes.most_common()) or "none"
        spoilt = self.faults.spoilt.total()
        return (
            f"{len(self.lifecycles)} lifecycles in {self.seconds:.0f} s, {self.passed} with the right verdict; "
            f"{self.faults.calls} calls, {spoilt} failed ({100 * spoilt / max(1, self.faults.calls):.1f} %); "
            f"{len(self.doubles)} double sends, {len(self.wrong)} wrong verdicts, {len(self.endless)} endless waits, "
            f"{len(self.unnamed) + len(self.untrue)} untrue failures; failures by cause: {failures}"
        )


def run(count: int, *, seed: int, workers: int) -> Outcome:
    """Runs `count` lifecycles, at most `workers` at a time, on a sandbox of its own."""
    lifecycles = [Lifecycle(number, restores=number % RECREATE_EACH != 0) for number in range(1, count + 1)]
    faults = Faults(SHARE, STALL, seed)
    outcome = Outcome(lifecycles, faults)
    with _short_timeouts(), started() as sandbox, installed(sandbox) as settings, _proxied(sandbox, faults) as way:
        begun = time.monotonic()
        campaign = _Campaign(way, sandbox, settings["CLUSTER_ID"])
        with Requests(Journal(sandbox["admin_url"])) as requests:
            campaign.run(lifecycles, workers)
        outcome.seconds = time.monotonic() - begun
        outcome.doubles = doubles(lifecycles, requests, campaign.direct())
        outcome.untrue = _untrue(lifecycles, requests)
    return outcome


@dataclass(frozen=True)
class _Way:
    """The way through the proxies."""

    kubeconfig: Path
    propagator_url: str


class _Campaign:
    def __init__(self, way: _Way, sandbox: Facts, cluster_id: str) -> None:
        self._way, self._sandbox, self._cluster_id = way, sandbox, cluster_id
        self._cluster = Cluster("chaos", way.kubeconfig)

    def run(self, lifecycles: list[Lifecycle], workers: int) -> None:
        """All of them; what has not ended in time is left to itself."""
        pool = ThreadPoolExecutor(workers, thread_name_prefix="lifecycle")
        futures = [pool.submit(self._one, one) for one in lifecycles]
        wait(futures, timeout=LONGEST * (1 + len(lifecycles) / workers))
        pool.shutdown(wait=False, cancel_futures=True)

    def _one(self, lifecycle: Lifecycle) -> None:
        begun = time.monotonic()
        self._cluster.api_client.user_agent = lifecycle.name
        propagator = self._propagator(lifecycle.name)
        policies: list[str] = []

        def ready() -> None:
            if lifecycle.number % HEARTBEAT_EACH == 0:
                uids = [lifecycle.pod_uid]
                policies.append(self.direct().create_policy(uids, cluster_id=self._cluster_id, interval=1))

        try:
            lifecycle.run(self._cluster, propagator, self._cluster_id, ready)
        except Exception as failure:  # judged afterwards, whatever it is
            lifecycle.failure = failure
        for policy_id in policies:
            self.direct().delete_policy(policy_id)
        lifecycle.seconds = time.monotonic() - begun

    def direct(self) -> PropagatorClient:
        """A client past the proxies."""
        url = self._sandbox["propagator_url"]
        return PropagatorClient(open_session(url, self._sandbox["token"]), url)

    def _propagator(self, name: str) -> PropagatorClient:
        url = self._way.propagator_url
        session = open_session(url, self._sandbox["token"], timeouts=(READ_TIMEOUT, READ_TIMEOUT))
        session.headers["User-Agent"] = name
        return PropagatorClient(session, url, patience=Patience(total=10), caution=Caution(settle=1.0))


@contextlib.contextmanager
def _proxied(sandbox: Facts, faults: Faults) -> Iterator[_Way]:
    config: dict[str, Any] = yaml.safe_load(Path(sandbox["kubeconfig"]).read_text())
    cluster = config["clusters"][0]["cluster"]
    authority = base64.b64decode(cluster.pop("certificate-authority-data")).decode()
    tls = ssl.create_default_context(cadata=authority)
    with (
        TemporaryDirectory() as folder,
        proxy(sandbox["propagator_url"], faults) as propagator_url,
        proxy(cluster["server"], faults, tls) as cluster["server"],
    ):
        kubeconfig = Path(folder) / "kubeconfig"
        kubeconfig.write_text(yaml.safe_dump(config))
        yield _Way(kubeconfig, propagator_url)


@contextlib.contextmanager
def _short_timeouts() -> Iterator[None]:
    """A stalled call costs as little time as it can, so that there can be many."""
    short = {"CONNECT_TIMEOUT": READ_TIMEOUT, "READ_TIMEOUT": READ_TIMEOUT}
    with mock.patch.multiple(connection, **short), mock.patch.multiple(watching, RELIST_AFTER=3.0, **short):
        yield


def _kind(lifecycle: Lifecycle) -> Kind | None:
    return lifecycle.verdict.kind if lifecycle.verdict else None


def _cause(lifecycle: Lifecycle) -> str:
    if lifecycle.failure is None:
        return "evidence-missing"
    return lifecycle.failure.cause.name if isinstance(lifecycle.failure, E2EFailure) else "none of ours"


def _is_named(failure: Exception) -> bool:
    """Whether it is a failure of ours whose cause is what the proxies did."""
    if not isinstance(failure, E2EFailure) or failure.cause.name not in ALLOWED:
        return False
    return failure.cause.name != "cluster-refused" or failure.seen.startswith(tuple(map(str, STATUSES)))


def _untrue(lifecycles: list[Lifecycle], requests: Requests) -> list[str]:
    """Failures that deny what was done, and successes without it."""
    checkpoints, restores = requests.accepted(CHECKPOINT_PATH), requests.accepted(RESTORE_PATH)
    found = []
    for one in lifecycles:
        asked = {"checkpoint": checkpoints, "restore": restores}.get(one.step)
        if asked and asked[one.name] and _denies(one.failure):
            found.append(f"{one.name}: it was done, but: {one.failure}")
        if one.restores and one.step == "done" and (checkpoints[one.name], restores[one.name]) != (1, 1):
            found.append(f"{one.name}: {checkpoints[one.name]} checkpoints and {restores[one.name]} restores")
    return found


def _denies(failure: Exception | None) -> bool:
    """Whether the failure says that the server did nothing."""
    if isinstance(failure, Unreachable):
        return not failure.sent
    return isinstance(failure, Refused | Unauthorized) or getattr(failure, "status", None) == 429
