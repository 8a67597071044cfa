"""What nodes must have for checkpoints without Cedana, as the propagator server's own preflight sees it."""

from __future__ import annotations

import json
import subprocess

from harness.failures import OperationFailed
from harness.kube import Cluster
from harness.processes import LIBRARIES, clean_environment, python_command

from .findings import Finding, Importance

_SECONDS = 60.0
NEEDED_BY = "PROPAGATOR=stock"


def stock_findings(cluster: Cluster, namespace: str) -> list[Finding]:
    """A finding for each thing that it looks at; nothing is created. `namespace`: of the node agents.

    Raises:
        OperationFailed: the cluster does not answer.
    """
    options = ["--preflight", "json", "--kubeconfig", str(cluster.kubeconfig), "--namespace", namespace]
    options += ["--context", cluster.context] if cluster.context else []
    environment = clean_environment(PYTHONPATH=str(LIBRARIES))
    command = python_command("propagator_server", *options)
    try:
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=_SECONDS, check=False)
        problem = done.stderr.strip().splitlines()[-1:] if done.returncode else []
    except subprocess.TimeoutExpired:
        problem = [f"no answer in {_SECONDS:g} s"]
    if problem:
        expected = "the preflight of the propagator server to look at the cluster"
        raise OperationFailed(expected, problem[0], cause="cluster-unreachable")
    return [_finding(**one) for one in json.loads(done.stdout)]


def _finding(what: str, good: bool | None, seen: str, needed: bool) -> Finding:
    """What cannot be known beforehand counts as not there, and no run ends of it."""
    importance = Importance.NEEDED if needed and good is not None else Importance.WANTED
    return Finding(what, bool(good), seen, NEEDED_BY, importance)
