"""When a container's process was started, against when its container was."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from harness.failures import NotAsExpected, OperationFailed, WaitTimedOut
from harness.kube import Cluster
from KubernetesLibrary import KubernetesLibrary, starts
from KubernetesLibrary.execution import Execution
from KubernetesLibrary.remembered import RememberedPod
from KubernetesLibrary.starts import READ, Process, Start, process_of

WITNESS = Path(__file__).parents[2] / "resources" / "workloads" / "witness.yaml"
BOOT = 1_700_000_000
POD = datetime.fromtimestamp(BOOT + 1000, UTC)


def stat(number: int, name: str, ticks: int) -> str:
    return f"{number} ({name}) S {' '.join(['0'] * 18)} {ticks} {' '.join(['0'] * 30)}\n"


def text(ticks: int, reader: int, name: str = "nginx", boot: int = BOOT) -> str:
    """What `cat` says of a process that was started so many ticks after the boot, and of itself."""
    return f"{stat(1, name, ticks)}{stat(57, 'cat', reader)}cpu  1 2 3\nintr 9 9\nbtime {boot}\nprocesses 7\n"


def started(after: float, *, noted: float, seen: float, since: float = 60.0, original: float = -50.0) -> Start:
    """A start, in seconds after the kubelet took the pod over; `seen`: by the node's clock."""
    process = Process(POD + timedelta(seconds=after), timedelta(seconds=seen - after))
    times = (POD + timedelta(seconds=noted), POD + timedelta(seconds=original))
    return Start("web", POD, *times, process, timedelta(seconds=since))


@pytest.mark.parametrize("name", ["nginx", "a b", ") (", "x) S 1 2 (", "a)\n57 (b"])
def test_the_start_is_read_whatever_the_process_is_called(name: str) -> None:
    process = process_of(text(12_345, 12_995, name))
    assert process.started == datetime.fromtimestamp(BOOT + 123.45, UTC)
    assert process.age == timedelta(seconds=6.5)


def test_a_time_namespace_changes_nothing() -> None:
    """It shifts ticks and boot alike."""
    assert process_of(text(500, 900)) == process_of(text(100_500, 100_900, boot=BOOT - 1000))


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "emulated container",
        stat(1, "sh", 5),
        stat(1, "sh", 5) + stat(9, "cat", 6),
        text(5, 6).partition("\n")[2],
        "() ( ) (",
    ],
)
def test_what_is_no_stat_is_told(broken: str) -> None:
    with pytest.raises(ValueError, match=r"no start in|invalid literal"):
        process_of(broken)


@pytest.mark.skipif(sys.platform != "linux", reason="the files are Linux's")
def test_the_kernel_writes_what_is_read() -> None:
    before = time.time()
    process = process_of(subprocess.run(READ, capture_output=True, text=True, check=True).stdout)
    assert before - 3 < process.seen.timestamp() < time.time() + 2
    assert process.age > timedelta()


@pytest.mark.parametrize(
    "usual",
    [
        started(0.4, noted=1, seen=9),
        started(-1, noted=0, seen=2, since=1),  # whole seconds, and a boot in whole seconds
        started(-1.9, noted=0, seen=2),  # the clock was corrected
        started(1, noted=0, seen=2, original=0),  # all in one second
        started(1, noted=300, seen=400, since=500),  # gigabytes were loaded
        started(100, noted=101, seen=4000, since=5000),  # an init container came first
        started(4.9, noted=0, seen=9),
    ],
)
def test_a_process_that_was_started_with_its_container_passes(usual: Start) -> None:
    assert usual.difference is None
    assert usual.clock_was_set == ""


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (started(-3600, noted=1, seen=9), "started 3600.0 s before the pod was there"),
        (started(-2.2, noted=1, seen=2, since=4), "started 2.2 s before the pod was there"),
        (started(8, noted=1, seen=9), "2023-11-14T22:30:01.00Z; its process was started 7.0 s later"),
        (started(2, noted=-900, seen=9), "its process was started 902.0 s later"),
        (started(0.5, noted=-1, seen=9, original=-1), "its process was started 1.5 s later"),
    ],
)
def test_one_that_was_not_is_a_difference(wrong: Start, told: str) -> None:
    difference = wrong.difference
    assert difference is not None
    assert difference.field == "status.containerStatuses[web].state.running.startedAt"
    assert told in str(difference.now)
    assert len(str(difference.now)) < 100


@pytest.mark.parametrize(
    ("set_clock", "told"),
    [
        (started(-3600, noted=1, seen=-3590), "set back"),
        (started(3600, noted=1, seen=3609), "set forward"),
    ],
)
def test_a_clock_that_was_set_meanwhile_is_no_difference(set_clock: Start, told: str) -> None:
    assert set_clock.difference is None
    assert told in str(set_clock)


def pod(**spec: Any) -> dict[str, Any]:
    running = {"state": {"running": {"startedAt": "2026-01-01T00:00:01Z"}}}
    return {
        "metadata": {"namespace": "n", "name": "web"},
        "spec": spec,
        "status": {
            "startTime": "2026-01-01T00:00:00Z",
            "initContainerStatuses": [
                {"name": "setup", "state": {"terminated": {"exitCode": 0}}},
                {"name": "proxy", **running},
            ],
            "containerStatuses": [{"name": "app", **running}, {"name": "late", "state": {"waiting": {}}}],
        },
    }


def look(monkeypatch: pytest.MonkeyPatch, answer: object, **spec: Any) -> list[Start]:
    """What is known where `cat` comes to this."""

    def execute(*_given: object) -> Execution:
        if isinstance(answer, Exception):
            raise answer
        code, said = (0, answer) if isinstance(answer, str) else (answer, "no such file")
        return Execution(READ, code, said, "")  # type: ignore[arg-type]

    monkeypatch.setattr(starts, "execute", execute)
    return starts.look(None, pod(**spec), pod(), time.monotonic(), 5.0)  # type: ignore[arg-type]


def test_each_running_container_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    found = look(monkeypatch, text(5, 6))
    assert [one.container for one in found] == ["proxy", "app"]
    assert all(one.process and one.original == one.noted for one in found)


@pytest.mark.parametrize(
    ("answer", "spec", "told"),
    [
        (text(5, 6), {"hostPID": True}, "PID 1 is not its own with hostPID"),
        (text(5, 6), {"shareProcessNamespace": True}, "not its own with shareProcessNamespace"),
        (1, {}, "no cat that reads /proc"),
        (OperationFailed("a", 'exec: "cat": executable file not found in $PATH'), {}, "executable file not found"),
        (WaitTimedOut("a", "it runs on"), {}, "it runs on"),
        ("something else", {}, "/proc does not tell it"),
    ],
)
def test_what_cannot_be_known_is_left_out_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, answer: object, spec: dict[str, Any], told: str
) -> None:
    found = look(monkeypatch, answer, **spec)
    assert starts.differences(found) == []
    assert len(found) == 2
    assert all("is not compared" in str(one) and told in str(one) for one in found)


def test_the_keyword_tells_an_old_process_unless_it_may_differ(
    main: Cluster, kube: KubernetesLibrary, namespace: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kube.apply_manifest(str(WITNESS), namespace)
    now = kube.wait_until_pod_is_ready("test-witness", namespace)
    before = RememberedPod(now, at=time.monotonic() - 600)
    [usual] = starts.look(main, now, now, before.at, 30.0)
    assert usual.process is not None
    assert usual.difference is None
    kube.restored_pod_should_match(before, now)
    boot = int(time.time()) - 10_000
    monkeypatch.setattr(starts, "execute", lambda *_given: Execution(READ, 0, text(0, 1_000_000, boot=boot), ""))
    with pytest.raises(NotAsExpected, match=r"state\.running\.startedAt.*s before the pod was there") as failure:
        kube.restored_pod_should_match(before, now)
    assert failure.value.cause.name == "pod-changed"
    kube.restored_pod_should_match(before, now, may_differ=["status.containerStatuses[*].state"])
