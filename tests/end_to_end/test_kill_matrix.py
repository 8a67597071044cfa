"""A run that is ended at any moment leaves cluster, propagator and host as they were.

The sandbox's journal says when the moment has come. SIGINT and SIGTERM lead through the run's own teardown; after
SIGKILL `python -m harness.ledger sweep` does the work.
"""

from __future__ import annotations

import secrets
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from . import host_state
from .journal import Moment
from .moments import OWN, REMOVAL, SHARED, TEARDOWN, named
from .runner import QUICK, ROOT, Folders, finish, ledger, start
from .sandboxes import Facts, Place, Places
from .shared_cedana import installed

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
Point = tuple[Moment, signal.Signals]


def _points(moments: Sequence[Moment], sample: Sequence[Point]) -> list[Any]:
    """Every signal at every moment; all but the sample are slow."""
    everything = [(moment, number) for moment in moments for number in SIGNALS]
    return [
        pytest.param(*point, id=f"{point[1].name} {point[0].name}", marks=[] if point in sample else [pytest.mark.slow])
        for point in everything
    ]


def _sample(moments: Sequence[Moment], **names: str) -> list[Point]:
    return [(named(moments, name)[0], signal.Signals[number]) for number, name in names.items()]


OWN_SAMPLE = [
    *_sample(OWN, SIGINT="Helm is half through the chart", SIGTERM="polling the checkpoint"),
    *_sample(OWN, SIGKILL="Helm stores the release"),
    *_sample(OWN, SIGINT="Cedana's uninstaller at work", SIGKILL="waiting for the restored pod"),
]
SHARED_SAMPLE = _sample(SHARED, SIGKILL="restore asked for")


@pytest.fixture(scope="module")
def own() -> Iterator[Places]:
    """Places with nothing in them."""
    places = Places(_nothing)
    yield places
    places.close()


@pytest.fixture(scope="module")
def shared() -> Iterator[Places]:
    """Places with a Cedana and a registration that stay."""
    places = Places(installed)
    yield places
    places.close()


@contextmanager
def _nothing(_: Facts) -> Iterator[dict[str, str]]:
    yield {}


@pytest.mark.parametrize(("moment", "number"), _points(OWN, OWN_SAMPLE))
def test_a_run_with_all_of_its_own(moment: Moment, number: signal.Signals, own: Places, tmp_path: Path) -> None:
    _end_at(moment, number, own, tmp_path)


@pytest.mark.parametrize(("moment", "number"), _points(SHARED, SHARED_SAMPLE))
def test_a_run_among_what_stays(moment: Moment, number: signal.Signals, shared: Places, tmp_path: Path) -> None:
    _end_at(moment, number, shared, tmp_path)


def _end_at(moment: Moment, number: signal.Signals, places: Places, tmp_path: Path) -> None:
    place = places.next()
    try:
        _end_and_compare(moment, number, place, tmp_path)
    except BaseException:
        places.discard()
        raise


def _end_and_compare(moment: Moment, number: signal.Signals, place: Place, tmp_path: Path) -> None:
    folders, home, mark = Folders.below(tmp_path), tmp_path / "home", secrets.token_hex(8)
    home.mkdir()
    project = _project()
    settings = place.settings | {"HOME": str(home), host_state.MARK: mark}
    began = time.time()
    process = start(folders, *QUICK, **settings)
    try:
        place.journal.wait_for(moment, began=began, timeout=240)
        assert process.poll() is None, "the run was over before the signal came"
    finally:
        process.send_signal(number)
    ended = finish(process, folders)
    if number is signal.SIGKILL:
        swept = ledger("sweep", folders, **settings)
        assert swept.endswith("nothing is left\n")
    elif moment not in (*TEARDOWN, *REMOVAL):
        failed = [test for test in ended.evidence["tests"] if test["status"] == "FAIL"]
        assert {test["cause"]["name"] for test in failed} == {"interrupted"}
    assert host_state.processes(mark) == {}
    assert host_state.files(folders.ledger, folders.temporary, home) == []
    assert _project() == project
    left = place.left()
    assert not left, "\n".join([*left, ended.console])


def _project() -> list[str]:
    """What stands in the project's folder, apart from what Python and tools keep there for speed."""
    return sorted(path.name for path in ROOT.iterdir() if not path.name.startswith("."))
