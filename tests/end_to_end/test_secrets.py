"""The token is in nothing that a run shows or leaves, whatever goes well or wrong, at the most talkative log level."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.ledger import ReadLedger
from sandbox.faults.catalogue import CATALOGUE
from sandbox.faults.declaration import Group

from .process_watch import ProcessWatch
from .runner import QUICK, Folders, Run, finish, start
from .sandboxes import settings_of, started
from .secret_traces import traces
from .talkative import WAYS, Answer, Talk, in_a_500, talkative

TOKEN = "aB3/+9zQ.7~xK-tok_en4Tests=="
"""Every character that a bearer token may have (RFC 6750, section 2.1)."""

SHORT_WAITS = {
    "CLUSTER_TIMEOUT": "8 s",
    "INSTALL_TIMEOUT": "15 s",
    "POD_TIMEOUT": "15 s",
    "CHECKPOINT_TIMEOUT": "8 s",
    "RESTORE_TIMEOUT": "8 s",
    "WITNESS_TIMEOUT": "8 s",
    "DELETE_TIMEOUT": "10 s",
    "CLEANUP_TIMEOUT": "30 s",
}
"""How a fault ends is not what is asked here."""

TALK = [
    ("GET", "/v2/user"),
    ("GET", "/v2/cluster"),
    ("POST", "/v2/cluster"),
    ("GET", "/v2/actions/from_pod/[^/]+"),
    ("POST", "/v2/checkpoint/pod"),
    ("GET", "/v2/checkpoint/status/[^/]+"),
    ("POST", "/v2/restore/pod"),
    ("PATCH", "/v2/checkpoints/deprecate/[^/]+"),
    ("DELETE", "/v2/cluster/[^/]+"),
]
TALK_SAMPLE = ("POST", "/v2/checkpoint/pod", in_a_500)
FAULTS = [name for name, fault in CATALOGUE.items() if fault.group in (Group.PROPAGATOR, Group.INSTALL)]
FAULT_SAMPLE = "propagator-401"


@pytest.fixture(scope="module")
def own() -> Iterator[dict[str, Any]]:
    """A sandbox of these tests' own: what goes wrong here may leave something in it."""
    with started() as sandbox:
        yield sandbox


def _cases() -> list[Any]:
    every = [(verb, path, how) for verb, path in TALK for how in WAYS]
    return [
        pytest.param(
            *case,
            id=f"{case[0]} {case[1]} {case[2].__name__}".replace("/", "|"),
            marks=[] if case == TALK_SAMPLE else [pytest.mark.slow],
        )
        for case in every
    ]


def _run(folders: Folders, sandbox: dict[str, Any], talk: Talk, **settings: str) -> Run:
    """One run at TRACE, watched, and searched for the token in all that it showed and left."""
    with talkative(sandbox["propagator_url"], sandbox["token"], TOKEN, talk) as url:
        ours = settings_of(sandbox) | {"CEDANA_URL": url, "CEDANA_AUTH_TOKEN": TOKEN} | settings
        process = start(folders, *QUICK, "--loglevel", "TRACE", "--debugfile", "debug.txt", **ours)
        with ProcessWatch(process.pid, TOKEN, folders.ledger, folders.temporary) as watch:
            ended = finish(process, folders, timeout=300)
    assert watch.found == set()
    _holds_nothing(ended, TOKEN)
    return ended


def _holds_nothing(ended: Run, token: str) -> None:
    assert traces(ended.console.encode(), token) == []
    files = [file for folder in vars(ended.folders).values() for file in folder.rglob("*") if file.is_file()]
    assert {"output.xml", "log.html", "report.html", "evidence.json"} <= {file.name for file in files}
    assert {str(file): found for file in files if (found := traces(file.read_bytes(), token))} == {}


@pytest.mark.slow
def test_a_run_in_which_all_goes_well(own: dict[str, Any], folders: Folders) -> None:
    ended = _run(folders, own, Talk())
    assert ended.status == 0, ended.console


@pytest.mark.parametrize(("verb", "path", "how"), _cases())
def test_a_propagator_that_repeats_the_token(
    verb: str, path: str, how: Callable[[str], Answer], own: dict[str, Any], folders: Folders
) -> None:
    talk = Talk(verb, path, how)
    ended = _run(folders, own, talk, **SHORT_WAITS | {"CHECKPOINT_TIMEOUT": "2 s", "RESTORE_TIMEOUT": "2 s"})
    assert talk.answered != []
    assert ended.status != 0 or how(TOKEN)[0] == 200


def test_a_chart_that_repeats_the_token(own: dict[str, Any], folders: Folders, tmp_path: Path) -> None:
    chart = tmp_path / "chart"
    shutil.copytree(own["chart"], chart)
    words = '{{ fail (printf "no cluster takes %s, %s" .Values.config.authToken (.Values.config.authToken | b64enc)) }}'
    (chart / "templates" / "talkative.yaml").write_text(words)
    ended = _run(folders, own, Talk(), HELM_CHART=str(chart))
    assert ended.status != 0
    assert "no cluster takes <secret>" in ended.console


@pytest.mark.parametrize(
    "fault", [name if name == FAULT_SAMPLE else pytest.param(name, marks=pytest.mark.slow) for name in FAULTS]
)
def test_every_fault_of_propagator_and_install(fault: str, folders: Folders) -> None:
    with started("--fault", fault) as sandbox:
        _run(folders, sandbox, Talk(), **SHORT_WAITS)


@pytest.mark.slow
def test_a_release_that_never_becomes_ready(own: dict[str, Any], folders: Folders, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("controllerManager: {manager: {image: {repository: registry.invalid/nothing}}}\n")
    ended = _run(folders, own, Talk(), HELM_VALUES=str(values), INSTALL_TIMEOUT="3 s")
    assert ended.status != 0, ended.console


def test_a_sandbox_of_the_runs_own(folders: Folders) -> None:
    process = start(folders, *QUICK, "--loglevel", "TRACE")
    token = ""
    while not token and process.poll() is None:
        token = _token_of_the_runs_own(folders)
    with ProcessWatch(process.pid, token, folders.ledger, folders.temporary) as watch:
        ended = finish(process, folders)
    assert ended.status == 0, ended.console
    assert watch.found == set()
    assert any("sandbox" in command for command in watch.children)
    _holds_nothing(ended, token)
    assert folders.left() == []


def _token_of_the_runs_own(folders: Folders) -> str:
    """The token in the kubeconfig of the run's own sandbox, as soon as the ledger tells where that is."""
    for file in folders.ledger.glob("*.jsonl"):
        for entry in ReadLedger(file).owed():
            for place in entry.find.get("places", ()):
                if "://" not in place:
                    return str(json.loads(Path(place).read_text())["users"][0]["user"]["token"])
    return ""
