"""The child process that holds the Go runtime: what it is told, what it answers, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.HelmLibrary.places import TOKEN, children_with, order, target

from harness.processes import ProcessId
from harness.waiting import Done, Look, Pending, wait_until
from HelmLibrary import command, embedded_engine
from HelmLibrary.embedded_child import merged
from HelmLibrary.embedded_engine import CHILD, EmbeddedEngine
from HelmLibrary.homes import helm_environment
from HelmLibrary.releases import HelmError

FAKES = Path(__file__).parent / "fakes"


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], EmbeddedEngine]:
    """An engine whose child meets a library that behaves as told."""

    def make(mode: str) -> EmbeddedEngine:
        monkeypatch.setenv("PYTHONPATH", str(FAKES))
        monkeypatch.setenv("FAKE_HELM", mode)
        monkeypatch.setenv("CEDANA_AUTH_TOKEN", TOKEN)
        return EmbeddedEngine()

    return make


def found(look: Callable[[], list[Path]]) -> Path:
    """The one process that `look` finds, waited for."""

    def one() -> Look[Path]:
        there = look()
        return Done(there[0]) if there else Pending("no such process")

    return wait_until(one, timeout=60, expected="a child process")


def gone(process: Path) -> None:
    # One that nobody has asked for its exit status yet has ended all the same: ProcessId knows.
    child = ProcessId.of(int(process.name))

    def look() -> Look[None]:
        return Pending(f"{process} is there") if child.alive() else Done(None)

    wait_until(look, timeout=60, expected="the child process to be gone")


def test_the_real_wheel_tells_its_version() -> None:
    assert EmbeddedEngine().description.startswith("helm 4.")


def test_a_cluster_that_does_not_answer(tmp_path: Path) -> None:
    with pytest.raises(HelmError, match="connection refused") as problem:
        EmbeddedEngine().status(target(tmp_path), "cedana")
    assert problem.value.code == "kube"


def test_values_come_from_the_file_and_over_it(fake: Callable[[str], EmbeddedEngine], tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("a: 1")
    deployed = fake("work").install(target(tmp_path), "cedana", order(file=file, both={"own": 2}))
    expected = {"from_file": "a: 1", "both": {"file": 1, "own": 2}, "config": {"authToken": TOKEN}}
    assert deployed.release.chart == f"given-{expected}"
    assert deployed.release.status == "deployed"
    assert deployed.manifest == "kind: Given"


def test_chatter_on_stdout_does_not_reach_the_answer(fake: Callable[[str], EmbeddedEngine], tmp_path: Path) -> None:
    assert fake("work").install(target(tmp_path), "cedana", order()).release.revision == 1


def test_a_refusal_keeps_its_kind_and_words(fake: Callable[[str], EmbeddedEngine], tmp_path: Path) -> None:
    with pytest.raises(HelmError, match="url is missing") as problem:
        fake("refuse").install(target(tmp_path), "cedana", order())
    assert problem.value.code == "chart"


def test_a_crash_is_told_with_its_last_words(fake: Callable[[str], EmbeddedEngine], tmp_path: Path) -> None:
    with pytest.raises(HelmError, match=r"ended with status 2\. fatal error: unexpected signal"):
        fake("crash").install(target(tmp_path), "cedana", order())


@pytest.fixture
def heeding(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of a child begins when it has taken SIGTERM for itself, however long its start takes."""
    start = command._start

    def begun(*given: Any) -> subprocess.Popen[str]:
        child = start(*given)
        status = Path(f"/proc/{child.pid}/status")

        def look() -> Look[None]:
            caught = next(int(line.split()[1], 16) for line in status.read_text().splitlines() if "SigCgt" in line)
            return Done(None) if caught >> (signal.SIGTERM - 1) & 1 else Pending("SIGTERM would end it")

        wait_until(look, timeout=60, expected="the child to heed SIGTERM")
        return child

    monkeypatch.setattr(command, "_start", begun)


def test_a_timeout_cancels_helm(
    fake: Callable[[str], EmbeddedEngine], tmp_path: Path, heeding: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_engine, "PATIENCE", 0.2)
    with pytest.raises(HelmError, match="context canceled") as problem:
        fake("hang").install(target(tmp_path), "cedana", order(timeout=0.5))
    assert problem.value.code == "timeout"


def test_a_child_that_ignores_the_cancel_is_killed(
    fake: Callable[[str], EmbeddedEngine], tmp_path: Path, heeding: None
) -> None:
    fake("stubborn")
    request = {"action": "install", "release": "r", "timeout": 1, "wait": True, "values": {}, "values_file": ""}
    request |= {
        "chart": {"reference": "c", "version": None, "repository": None},
        "config": {"namespace": "n"},
        "parent": os.getpid(),
    }
    # Shorter than the child's own patience with the library, so that only SIGKILL can end it.
    done = command.run(
        [sys.executable, "-P", str(CHILD)],
        environment=helm_environment(),
        timeout=1.0,
        text=json.dumps(request),
        grace=0.3,
    )
    assert done.stopped
    assert done.status == -signal.SIGKILL


def test_the_token_stands_neither_in_arguments_nor_in_the_environment(
    fake: Callable[[str], EmbeddedEngine], tmp_path: Path
) -> None:
    engine = fake("hang")
    problems: list[HelmError] = []

    def install() -> None:
        try:
            engine.install(target(tmp_path), "cedana", order())
        except HelmError as problem:
            problems.append(problem)

    worker = threading.Thread(target=install)
    worker.start()
    process = found(lambda: list(children_with(str(CHILD))))
    seen = [(process / name).read_bytes() for name in ("cmdline", "environ")]
    os.kill(int(process.name), signal.SIGTERM)
    worker.join(60)
    assert problems
    assert b"FAKE_HELM=hang" in seen[1]
    assert not [one for one in seen if TOKEN.encode() in one]


def test_the_child_ends_when_its_parent_is_killed(fake: Callable[[str], EmbeddedEngine], tmp_path: Path) -> None:
    fake("hang")
    script = (
        "from pathlib import Path\nfrom HelmLibrary.embedded_engine import EmbeddedEngine\n"
        "from tests.HelmLibrary.places import order, target\n"
        f"EmbeddedEngine().install(target(Path({str(tmp_path)!r})), 'r', order())\n"
    )
    root = Path(__file__).parents[2]
    path = os.pathsep.join([str(FAKES), str(root / "libraries"), str(root)])
    own = {"PYTHONPATH": path, "LEDGER_DIR": str(tmp_path / "ledgers"), "TMPDIR": str(tmp_path)}
    parent = subprocess.Popen([sys.executable, "-c", script], env=os.environ | own)
    child = found(lambda: list(children_with(str(CHILD), parent.pid)))
    parent.kill()
    parent.wait()
    gone(child)


def test_the_child_ends_when_its_parent_was_gone_before_it_began() -> None:
    request = {"action": "install", "release": "r", "config": {}, "parent": os.getpid() + 1}
    deployment = {"chart": {"reference": "/c", "version": None, "repository": None}, "values": {}, "values_file": ""}
    own = {"PYTHONPATH": str(FAKES), "FAKE_HELM": "hang"}
    ended = subprocess.run(
        [sys.executable, "-P", str(CHILD)],
        input=json.dumps(request | deployment | {"timeout": 30, "wait": True}),
        env=os.environ | own,
        stdout=subprocess.PIPE,
        timeout=60,
        text=True,
        check=False,
    )
    assert json.loads(ended.stdout)["error"]["code"] == "CANCELLED"


def test_values_are_merged_key_by_key() -> None:
    below = {"a": {"x": 1, "y": 2}, "b": [1, 2], "c": 3}
    above = {"a": {"y": {"z": 4}}, "b": [5], "d": None}
    assert merged(below, above) == {"a": {"x": 1, "y": {"z": 4}}, "b": [5], "c": 3, "d": None}
