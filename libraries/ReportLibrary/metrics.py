"""A run as metrics: an OpenMetrics textfile, and a push to a Prometheus Pushgateway.

All metrics are gauges, so that the textfile is also one in Prometheus' own format, which the node exporter's textfile
collector reads. `grafana.json` beside this module is a dashboard for them. prometheus_client is asked for only here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from .evidence import without_credentials
from .history import chart

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

JOB = "cedana_e2e"
PUSH_TIMEOUT = 10.0
"""Seconds."""
GAUGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "run_info": (
        "Where the newest run took place; always 1.",
        ("emulated", "kubernetes", "runtime", "chart", "robot", "python"),
    ),
    "run_success": ("1 when tests passed and nothing failed, else 0.", ()),
    "run_end_timestamp_seconds": ("When the newest run ended, in seconds since 1970.", ()),
    "run_duration_seconds": ("How long it took.", ()),
    "tests": ("Tests by status: PASS, FAIL, SKIP.", ("status",)),
    "failures": ("Failures of tests, and of suites' own set-ups and teardowns, by cause.", ("cause", "blame")),
    "retried_tests": ("Tests that failed and were run again.", ()),
    "leftovers": ("Things that were left behind.", ()),
    "test_duration_seconds": ("How long a test took.", ("suite", "test", "status")),
    "measurement": (
        "What was measured, over all tests: least, median and most.",
        ("measurement", "unit", "statistic"),
    ),
    "cpu_cores_most": ("The most processor in use in a phase.", ("phase", "of")),
    "memory_bytes_most": ("The most memory in use in a phase.", ("phase", "of")),
    "checkpoints_made": ("Checkpoints that the run made.", ()),
    "checkpoints_left": ("Checkpoints that are left of it.", ()),
    "checkpoint_stored_bytes": ("Bytes of its checkpoints, where the propagator tells.", ()),
}
"""Names without the job's in front, meanings, and labels besides `provider`, which each has."""
Sample = tuple[str, tuple[object, ...], float]


def registry(run: Mapping[str, Any]) -> CollectorRegistry:
    """The metrics of a run, from what evidence.json has."""
    from prometheus_client import CollectorRegistry, Gauge

    metrics = CollectorRegistry(auto_describe=False)
    gauges = {
        name: Gauge(f"{JOB}_{name}", meaning, ("provider", *labels), registry=metrics)
        for name, (meaning, labels) in GAUGES.items()
    }
    for name, labels, value in _samples(run):
        gauges[name].labels(_provider(run), *("" if one is None else str(one) for one in labels)).set(value)
    return metrics


def write(file: Path, run: Mapping[str, Any]) -> None:
    """Writes the textfile, whole or not at all, since a collector may read it at any time.

    Raises:
        OSError: it cannot be written.
    """
    from prometheus_client.openmetrics.exposition import generate_latest

    draft = file.with_name(f".{file.name}.{run['run']['id']}.part")
    text: bytes = generate_latest(registry(run))  # type: ignore[no-untyped-call]
    draft.write_bytes(text)
    draft.replace(file)


def push(url: str, run: Mapping[str, Any]) -> None:
    """Replaces what the Pushgateway has of the newest run with this provider.

    Args:
        url: with user and password, percent-encoded, where it wants basic authentication.

    Raises:
        OSError: it cannot be reached, or refuses.
    """
    from prometheus_client import push_to_gateway
    from prometheus_client.exposition import basic_auth_handler

    def send(**request: Any) -> Any:
        return basic_auth_handler(**request, username=user, password=password)

    user, password = credentials(url)
    place = {"provider": _provider(run)}
    push_to_gateway(without_credentials(url), JOB, registry(run), place, timeout=PUSH_TIMEOUT, handler=send)


def credentials(url: str) -> tuple[str | None, str | None]:
    """User and password in a URL."""
    parts = urlsplit(url)
    found = [None if part is None else unquote(part) for part in (parts.username, parts.password)]
    return found[0], found[1]


def _provider(run: Mapping[str, Any]) -> str:
    return str(run["environment"]["provider"] or "none")


def _samples(run: Mapping[str, Any]) -> Iterator[Sample]:
    found, tests = run["summary"], run["tests"]
    yield "run_info", _info(run), 1
    yield "run_success", (), float(bool(found["passed"]) and not found["worst_blame"])
    yield "run_end_timestamp_seconds", (), datetime.fromisoformat(run["run"]["end"]).timestamp()
    yield "run_duration_seconds", (), run["run"]["duration"]
    for status, name in (("PASS", "passed"), ("FAIL", "failed"), ("SKIP", "skipped")):
        yield "tests", (status,), found[name]
    causes = [one["cause"] for one in [*tests, *run["suites"]] if one["cause"]]
    for labels, count in Counter((one["name"], one["blame"]) for one in causes).items():
        yield "failures", labels, count
    yield "retried_tests", (), sum(bool(one["retries"]) for one in tests)
    yield "leftovers", (), len(found["leftovers"])
    for one in tests:
        yield "test_duration_seconds", (one["suite"], one["name"], one["status"]), one["duration"]
    yield from _figures(found)


def _info(run: Mapping[str, Any]) -> tuple[object, ...]:
    facts = run["environment"]
    runtimes = sorted({str(node.get("runtime")) for node in facts["nodes"] or []})
    emulated = "unknown" if facts["emulated"] is None else str(facts["emulated"]).lower()
    return emulated, facts["kubernetes"], ", ".join(runtimes), chart(facts), run["run"]["robot"], run["run"]["python"]


def _figures(found: Mapping[str, Any]) -> Iterator[Sample]:
    for one in found["measurements"]:
        for statistic in ("least", "median", "most"):
            yield "measurement", (one["name"], one["unit"], statistic), one[statistic]
    for one in found["resource_use"]:
        for name in ("cpu_cores_most", "memory_bytes_most"):
            yield name, (one["phase"], one["of"]), one[name]
    if stored := found["checkpoints"]:
        yield "checkpoints_made", (), stored["made"]
        yield "checkpoints_left", (), stored["left"]
        if stored["bytes"] is not None:
            yield "checkpoint_stored_bytes", (), stored["bytes"]
