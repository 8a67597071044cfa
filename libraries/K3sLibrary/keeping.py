"""What a run says of an environment that it leaves up: how it is reached, and the one command that removes it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.failures import BadInput
from harness.kube import Cluster
from harness.kube.kubeconfig import files
from harness.ledger import LEDGER, ReadLedger, all_ledgers
from harness.processes import LIBRARIES
from harness.rundir import private_directory
from harness.secrets import SECRETS

from .providers.base import Started

TOKEN_FILE = "CEDANA_AUTH_TOKEN_FILE"  # noqa: S105 - the name of a setting
FILE_NAME = "propagator-token"


def write_token(token: str) -> Path:
    """A file of the run's own with the token, mode 0600; it goes when the environment is removed."""
    file = private_directory() / FILE_NAME
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(token)
    return file


@dataclass(frozen=True)
class Kept:
    """An environment that a run has left up: its provider, and how it is reached."""

    provider: str
    started: Started


def reached(cluster: Cluster, started: Started, propagator_url: str, tokens: Path | None) -> dict[str, str | None]:
    """What the ledger has to know, so that `find_kept` gives it back."""
    return {
        "provider": cluster.provider,
        "kubeconfig": str(cluster.kubeconfig),
        "context": cluster.context,
        "propagator_url": propagator_url or started.propagator_url,
        "token_file": str(tokens) if tokens else None,
        "chart": started.chart,
        "second_kubeconfig": str(started.second_kubeconfig) if started.second_kubeconfig else None,
    }


def find_kept(run: str) -> Kept:
    """The environment that the run of that id has kept.

    Raises:
        BadInput: none of that id is kept, or its files are gone; those that there are are named.
    """
    kept = {ledger.run_id: ledger for ledger in all_ledgers() if not ledger.alive and _is_there(ledger)}
    found = kept.get(run)
    if found is None:
        raise BadInput("CLUSTER", run, f"the id of a run that has kept its environment: {_named(kept.values())}")
    facts = found.environment
    second = facts["second_kubeconfig"]
    started = Started(
        Path(facts["kubeconfig"]),
        facts["context"],
        facts["propagator_url"],
        _token(facts["token_file"]),
        facts["chart"],
        Path(second) if second else None,
    )
    return Kept(facts["provider"], started)


def _is_there(ledger: ReadLedger) -> bool:
    """A cluster that ended with its process takes its kubeconfig along."""
    return any(file.is_file() for file in files(Path(ledger.environment.get("kubeconfig", ""))))


def _token(file: str | None) -> str | None:
    if file is None or not Path(file).exists():
        return None
    token = Path(file).read_text().strip()
    SECRETS.add(token)
    return token


def _named(kept: Iterable[ReadLedger]) -> str:
    names = [f"{ledger.run_id} ({ledger.environment['provider']})" for ledger in kept]
    return ", ".join(names) or "there is none, KEEP=always makes one"


def told(clusters: Iterable[Cluster], namespace: str, propagator_url: str, tokens: Path | None) -> str:
    """The text, each line of which can be used as it is.

    Args:
        tokens: the file with the token where the run had one of its own; None where the user has it.
    """
    lines = [
        f"The environment of run {LEDGER.run_id} is kept. Another run here uses it with CLUSTER={LEDGER.run_id}",
        "and everything else reaches it with",
    ]
    for cluster in clusters:
        lines.append(f"  export KUBECONFIG={shlex.quote(str(cluster.kubeconfig))}")
        lines += [f"  kubectl config use-context {shlex.quote(cluster.context)}"] if cluster.context else []
    lines += [f"  export NAMESPACE={namespace}"] if namespace else []
    lines += [f"  export CEDANA_URL={propagator_url}"] if propagator_url else []
    given = "  CEDANA_AUTH_TOKEN as this run was given it; the removal takes it too"
    lines.append(f"  export {TOKEN_FILE}={shlex.quote(str(tokens))}" if tokens else given)
    return "\n".join([*lines, "and removed with", f"  {removal(tokens)}"])


def removal(tokens: Path | None) -> str:
    """The command that removes all that this run made, from whichever directory."""
    variables = {"LEDGER_DIR": os.environ.get("LEDGER_DIR"), "PYTHONPATH": str(LIBRARIES)}
    variables[TOKEN_FILE] = str(tokens) if tokens else None
    set_ = [f"{name}={shlex.quote(value)}" for name, value in variables.items() if value]
    return " ".join([*set_, shlex.quote(sys.executable), "-m harness.ledger sweep", LEDGER.run_id])
