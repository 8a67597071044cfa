"""The witness: its lines, its chain, and the real script under real shells, which is the one in the manifests."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml
from tests.ContinuityLibrary.make import at, log

from ContinuityLibrary import witness
from ContinuityLibrary.evidence import Evidence, Look, Source
from ContinuityLibrary.logs import LogLine
from ContinuityLibrary.verdict import Kind, judge
from ContinuityLibrary.witness import Step

WORKLOADS = Path(__file__).parents[2] / "resources" / "workloads"
SHELLS = {"sh": ["sh"], "busybox": ["busybox", "sh"], "bash": ["bash", "--posix"]}
GOOD = "witness/1 nonce=5f3a000000000001 step=12 chain=0123456789abcdef"


def test_a_line_is_read() -> None:
    assert witness.parse(GOOD) == Step(12, "5f3a000000000001", "0123456789abcdef")
    assert witness.parse(GOOD + "\r") == witness.parse(GOOD), "as a container with a terminal ends its lines"


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD[:-1],
        GOOD + "0",
        GOOD + " ",
        " " + GOOD,
        "x" + GOOD,
        GOOD + "\n" + GOOD,
        GOOD.replace("step=12", "step=0"),
        GOOD.replace("step=12", "step=012"),
        GOOD.replace("step=12", "step=-12"),
        GOOD.replace("step=12", "step=1234567890123"),
        GOOD.replace("step=12", "step=\u0661\u0662"),
        GOOD.replace("5f3a", "5F3A"),
        GOOD.replace("5f3a", "5f3"),
        GOOD.replace("witness/1", "witness/2"),
        '10.0.0.1 - - [24/Nov/2026:22:18:40 +0000] "GET / HTTP/1.1" 200 615 "-" "' + GOOD + '"',
    ],
)
def test_other_text_is_no_step(text: str) -> None:
    assert witness.parse(text) is None


def test_the_chain_is_the_protocols() -> None:
    value = "0" * 16
    for number in range(1, 2100):
        value = hashlib.sha256(f"{value} 00ff00ff00ff00ff {number}".encode()).hexdigest()[:16]
        if number in (1, 2, 7, 8, 9, 15, 16, 17, 2048, 2099):
            assert witness.chain("00ff00ff00ff00ff", number) == value
            assert witness.follows(Step(number, "00ff00ff00ff00ff", value))
            assert not witness.follows(Step(number, "00ff00ff00ff00fe", value))
            assert not witness.follows(Step(number + 1, "00ff00ff00ff00ff", value))


def test_the_chain_does_not_depend_on_what_was_asked_before() -> None:
    late = witness.chain("1111111111111111", 5000)
    assert witness.chain("1111111111111111", 3) == witness.chain("1111111111111111", 3)
    assert witness.chain("1111111111111111", 5000) == late != witness.chain("1111111111111112", 5000)


def test_a_step_beyond_any_run_is_refused_without_hashing_up_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(witness, "FARTHEST_STEP", 100)
    nonce = "2222222222222222"
    assert witness.follows(Step(100, nonce, witness.chain(nonce, 100)))
    assert not witness.follows(Step(101, nonce, witness.chain(nonce, 101)))
    monkeypatch.undo()
    assert not witness.follows(Step(999_999_999_999, nonce, "0" * 16))


@pytest.mark.parametrize("manifest", ["nginx.yaml", "witness.yaml"])
def test_the_manifest_holds_the_very_script(manifest: str) -> None:
    documents = list(yaml.safe_load_all((WORKLOADS / manifest).read_text()))
    (container,) = documents[0]["spec"]["containers"]
    shell, option, text = container["command"]
    assert (shell, option) == ("sh", "-c")
    assert witness.SCRIPT in text
    rest = text.replace(witness.SCRIPT, "")
    assert rest == {"nginx.yaml": "(\n) &\nexec nginx -g 'daemon off;'\n", "witness.yaml": ""}[manifest]


def test_the_nginx_manifest_is_what_the_suites_rely_on() -> None:
    pod, service = yaml.safe_load_all((WORKLOADS / "nginx.yaml").read_text())
    (container,) = pod["spec"]["containers"]
    assert pod["metadata"] == {"name": "test-nginx", "labels": {"app": "test-nginx"}}
    assert container["name"] == "test-nginx"
    assert container["ports"] == [{"name": "http", "containerPort": 80}]
    assert container["readinessProbe"]["httpGet"] == {"path": "/", "port": 80}
    assert container["image"].split(":")[1].startswith("1."), "pinned"
    assert service["spec"]["selector"] == pod["metadata"]["labels"]
    assert service["metadata"]["name"] == "test-nginx"


@pytest.fixture(scope="module")
def real() -> Iterator[dict[str, list[LogLine]]]:
    """What the real script printed under each shell there is, stamped as it came; they run side by side."""
    with contextlib.ExitStack() as stack:
        running = {}
        for name, command in SHELLS.items():
            if shutil.which(command[0]):
                running[name] = stack.enter_context(_shell(command))
        running["again"] = stack.enter_context(_shell(["sh"]))
        with ThreadPoolExecutor(len(running)) as readers:
            lines = list(readers.map(lambda process: _lines(process, 14), running.values()))
        yield dict(zip(running, lines, strict=True))


@contextlib.contextmanager
def _shell(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [*command, "-c", witness.SCRIPT], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def _lines(process: subprocess.Popen[str], count: int) -> list[LogLine]:
    assert process.stdout is not None
    return [LogLine(time.time_ns(), process.stdout.readline().removesuffix("\n")) for _ in range(count)]


@pytest.mark.parametrize("shell", SHELLS)
def test_the_real_script_is_accepted(shell: str, real: dict[str, list[LogLine]]) -> None:
    if shell not in real:
        pytest.skip(f"there is no {SHELLS[shell][0]} on this machine")
    lines = real[shell]
    source = Source("one", Look(at(0), log(lines[:3])), (Look(at(1), log(lines[:5])),))
    looks = tuple(Look(at(2 + more), log(lines[: 13 + more])) for more in (0, 1))
    verdict = judge(Evidence(source, "two", looks, ready_at=at(1)))
    assert str(verdict) == f"continued: step 5 -> 6 of nonce {verdict.nonce[:4]}.."
    assert (verdict.b, verdict.r, verdict.last, verdict.checked) == (3, 5, 14, 14)


def test_the_real_script_started_again_is_restarted(real: dict[str, list[LogLine]]) -> None:
    source = Source("one", Look(at(0), log(real["sh"][:3])), (Look(at(1), log(real["sh"][:5])),))
    again = Look(at(2), log(real["sh"][:4], real["again"]))
    verdict = judge(Evidence(source, "two", (again,), ready_at=at(1)))
    assert verdict.kind is Kind.RESTARTED
    assert (verdict.a, verdict.last) == (1, 14)
