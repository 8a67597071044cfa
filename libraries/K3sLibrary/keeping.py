"""What a run says of an environment that it leaves up: how it is reached, and the one command that removes it."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable
from pathlib import Path

from harness.kube import Cluster
from harness.ledger import LEDGER
from harness.processes import LIBRARIES
from harness.rundir import private_directory

TOKEN_FILE = "CEDANA_AUTH_TOKEN_FILE"  # noqa: S105 - the name of a setting
FILE_NAME = "propagator-token"


def write_token(token: str) -> Path:
    """A file of the run's own with the token, mode 0600; it goes when the environment is removed."""
    file = private_directory() / FILE_NAME
    handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(token)
    return file


def told(clusters: Iterable[Cluster], namespace: str, propagator_url: str, tokens: Path | None) -> str:
    """The text, each line of which can be used as it is.

    Args:
        tokens: the file with the token where the run had one of its own; None where the user has it.
    """
    lines = [f"The environment of run {LEDGER.run_id} is kept. It is reached with"]
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
