"""What the tests of several rooms need: one sandbox a session, and ledgers of their own."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from harness.ledger import LEDGER
from tests.end_to_end.sandboxes import started

# A machine that is busy with something else makes no property false.
settings.register_profile("whatever-it-takes", deadline=None)
settings.register_profile("usual-path", deadline=None, max_examples=40)
if settings.get_current_profile_name() == "default":
    settings.load_profile("whatever-it-takes")


@pytest.fixture(scope="session", autouse=True)
def ledger_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The user's own ledgers are none of the tests' business; the run's directory that they made goes with them."""
    os.environ["LEDGER_DIR"] = str(tmp_path_factory.mktemp("ledger"))
    yield
    shutil.rmtree(Path(tempfile.gettempdir()) / f"cedana-e2e-{LEDGER.run_id}", ignore_errors=True)


@pytest.fixture(scope="session", autouse=True)
def places_of_the_tests() -> None:
    """What runs of the tests tell is not told to the pipeline that the tests run in."""
    for name in [name for name in os.environ if name.startswith(("GITHUB_", "OTEL_"))]:
        del os.environ[name]


@pytest.fixture(scope="session")
def sandbox() -> Iterator[dict[str, Any]]:
    """A sandbox of two nodes, started as its users start it; what its JSON line says."""
    with started() as told:
        yield told
