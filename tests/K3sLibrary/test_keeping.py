"""How a kept environment is reached and removed, in lines that can be used as they are."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from harness.failures import BadInput
from harness.kube import Cluster
from harness.ledger import LEDGER, Ledger
from harness.processes import LIBRARIES
from harness.secrets import SECRETS
from K3sLibrary.keeping import find_kept, reached, removal, told, write_token
from K3sLibrary.providers import Started


@pytest.fixture(autouse=True)
def _private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("K3sLibrary.keeping.private_directory", lambda: tmp_path)


def test_a_cluster_of_the_runs_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DIR", "/with a blank")
    tokens = write_token("s3cret-token")
    assert (tokens.stat().st_mode & 0o777, tokens.read_text()) == (0o600, "s3cret-token")
    text = told([Cluster("main", Path("/k c"))], "shop", "http://127.0.0.1:1", tokens)
    assert text.splitlines()[:-1] == [
        f"The environment of run {LEDGER.run_id} is kept. Another run here uses it with CLUSTER={LEDGER.run_id}",
        "and everything else reaches it with",
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


def _dead(ledger: Ledger) -> None:
    """Makes it one of a process that is no more."""
    assert ledger.file
    header, rest = ledger.file.read_text().split("\n", 1)
    ledger.file.write_text(json.dumps(json.loads(header) | {"pid": 0}) + "\n" + rest)


def _keep(folder: Path, name: str) -> Started:
    kubeconfig, tokens = folder / f"{name}-kubeconfig", write_token("s3cret-token")
    kubeconfig.write_text("x")
    started = Started(kubeconfig, "blue", "http://127.0.0.1:1", "s3cret-token", "/chart", folder / "second")
    ledger = Ledger(folder / "ledgers", name)
    ledger.intend("sandbox", "the sandbox's process")
    ledger.keep(**reached(Cluster("main", kubeconfig, "blue", "sandbox"), started, "", tokens))
    assert "s3cret-token" not in (folder / "ledgers" / f"{name}.jsonl").read_text()
    _dead(ledger)
    return started


def test_another_run_finds_what_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DIR", str(tmp_path / "ledgers"))
    started = _keep(tmp_path, "1a2b3c4d")
    kept = find_kept("1a2b3c4d")
    assert (kept.provider, kept.started) == ("sandbox", started)
    assert SECRETS.redact("s3cret-token") != "s3cret-token"


def test_an_unknown_name_tells_those_that_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEDGER_DIR", str(tmp_path / "ledgers"))
    with pytest.raises(BadInput, match="there is none, KEEP=always makes one"):
        find_kept("0badcafe")
    _keep(tmp_path, "1a2b3c4d")
    ended = _keep(tmp_path, "2b3c4d5e")
    ended.kubeconfig.unlink()
    for name in ("0badcafe", "2b3c4d5e"):
        with pytest.raises(BadInput, match=r"has kept its environment: 1a2b3c4d \(sandbox\)\.") as raised:
            find_kept(name)
        assert f"CLUSTER is '{name}'" in str(raised.value)
