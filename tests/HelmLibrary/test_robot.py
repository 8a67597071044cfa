"""The keywords in a real Robot run: types are converted, failures read well, and no secret shows at TRACE."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from robot.api import ExecutionResult
from tests.HelmLibrary.places import TOKEN, target

ROOT = Path(__file__).parents[2]
CHART = ROOT / "libraries" / "sandbox" / "chart" / "cedana"
SUITE = """\
*** Settings ***
Library     {libraries}/HelmLibrary/    engine=wheel
Library     Connecting.py

*** Test Cases ***
Unreachable
    Connect    {kubeconfig}
    VAR    ${{token: Secret}}    %{{TEST_SECRET}}
    VAR    &{{config}}    authToken=${{token}}    url=http://x    clusterId=1
    VAR    &{{values}}    config=${{config}}
    Install Chart    cedana    {chart}    values=${{values}}    timeout=3 s    create_namespace=True

Bad Chart
    Install Chart    cedana    /no/such/chart

Bad Timeout
    Install Chart    cedana    {chart}    timeout=soon
"""
CONNECTING = """\
from pathlib import Path
from harness.kube import CLUSTERS, Cluster

def connect(kubeconfig):
    CLUSTERS.add(Cluster("test", Path(kubeconfig)))
"""


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("robot")
    (folder / "Connecting.py").write_text(CONNECTING)
    suite = folder / "suite.robot"
    kubeconfig = target(folder).kubeconfig
    suite.write_text(SUITE.format(libraries=ROOT / "libraries", kubeconfig=kubeconfig, chart=CHART))
    own = {"TEST_SECRET": TOKEN, "LEDGER_DIR": str(folder / "ledger"), "PYTHONPATH": str(ROOT / "libraries")}
    command = [sys.executable, "-m", "robot", "--loglevel", "TRACE", "--outputdir", str(folder), str(suite)]
    done = subprocess.run(command, env=os.environ | own | {"TMPDIR": str(folder)}, capture_output=True, check=False)
    (folder / "console.txt").write_bytes(done.stdout + done.stderr)
    return folder


def message(output: Path, test: str) -> str:
    found = ExecutionResult(output / "output.xml").suite.tests
    return next(str(one.message) for one in found if one.name == test)


def test_no_byte_of_the_secret(output: Path) -> None:
    for name in ("output.xml", "log.html", "report.html", "console.txt"):
        assert TOKEN.encode() not in (output / name).read_bytes()
    assert b"&lt;secret&gt;" in (output / "output.xml").read_bytes()


def test_a_cluster_that_does_not_answer(output: Path) -> None:
    text = message(output, "Unreachable")
    assert text.startswith("Expected: the Kubernetes API to list Helm's Secrets in namespace default\nSeen: no answer:")
    assert text.endswith("Cause: cluster-unreachable (environment)")


def test_a_chart_that_is_not_there(output: Path) -> None:
    assert message(output, "Bad Chart").startswith("chart is '/no/such/chart'; it must be a chart directory,")


def test_a_duration_that_is_none(output: Path) -> None:
    text = message(output, "Bad Timeout")
    assert "Argument 'timeout' got value 'soon' that cannot be converted to timedelta" in text
