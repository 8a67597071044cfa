"""What the tests of the native provider share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness import ledger, rundir
from harness.ledger import Ledger
from K3sLibrary.native import remains
from K3sLibrary.providers import k3s
from K3sLibrary.providers.k3s import NativeOptions, NativeProvider

from . import native_stand_in


@pytest.fixture
def native(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[NativeProvider]:
    """A provider with the stand-in, and a ledger of the test's own; what a test leaves is removed."""
    if reason := native_stand_in.why_not():
        pytest.skip(reason)
    own = Ledger(tmp_path / "ledger")
    for module in (ledger, rundir, k3s):
        monkeypatch.setattr(module, "LEDGER", own)
    monkeypatch.setattr(k3s, "private_directory", lambda: tmp_path)
    binary = native_stand_in.executable(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:{binary.parent}")
    provider = NativeProvider()
    provider.options = NativeOptions(binary=binary, directory=tmp_path / "clusters")
    with native_stand_in.alone():
        yield provider
        for entry in own.owed():
            if entry.kind == "k3s":
                remains.remove(entry.find, 20)
