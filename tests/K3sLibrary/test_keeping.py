"""How a kept environment is reached and removed, in lines that can be used as they are."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from harness.kube import Cluster
from harness.ledger import LEDGER
from harness.processes import LIBRARIES
from K3sLibrary.keeping import removal, told, write_token


@pytest.fixture(autouse=True)
def _private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("K3sLibrary.keeping.private_directory", lambda: tmp_path)


def test_a_cluster_of_the_runs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DIR", "/with a blank")
    tokens = write_token("s3cret-token")
    assert (tokens.stat().st_mode & 0o777, tokens.read_text()) == (0o600, "s3cret-token")
    text = told([Cluster("main", Path("/k c"))], "shop", "http://127.0.0.1:1", tokens)
    assert text.splitlines()[:-1] == [
        f"The environment of run {LEDGER.run_id} is kept. It is reached with",
        "  export KUBECONFIG='/k c'",
        "  export NAMESPACE=shop",
        "  export CEDANA_URL=http://127.0.0.1:1",
        f"  export CEDANA_AUTH_TOKEN_FILE={tokens}",
        "and removed with",
    ]
    words = shlex.split(text.splitlines()[-1])
    assert {"LEDGER_DIR=/with a blank", f"PYTHONPATH={LIBRARIES}", f"CEDANA_AUTH_TOKEN_FILE={tokens}"} == set(words[:3])
    assert words[-4:] == ["-m", "harness.ledger", "sweep", LEDGER.run_id]
    assert "s3cret-token" not in text


def test_a_cluster_that_was_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LEDGER_DIR", raising=False)
    text = told([Cluster("main", Path("/config"), "blue")], "", "", None)
    assert "  kubectl config use-context blue" in text
    assert "CEDANA_AUTH_TOKEN as this run was given it" in text
    assert "NAMESPACE" not in text
    assert not removal(None).startswith("LEDGER_DIR")
