"""The keywords as Robot Framework sees them: names, types, docs; and a suite that uses them."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from robot.libdocpkg import LibraryDocumentation
from robot.running import TestSuite as Suite

from harness.kube import Cluster
from harness.processes import LIBRARIES
from KubernetesLibrary import KubernetesLibrary

DOC = LibraryDocumentation(str(LIBRARIES / "KubernetesLibrary"))
KEYWORDS = {keyword.name: keyword for keyword in DOC.keywords}
CONTINUING = {"Get Resource Use", "Stop Measuring Resource Use"}
"""Keywords that go on with what an earlier one began in its cluster."""
VERBS = """
Acquire Apply Cordon Create Delete Evict Execute Expect File Find Get Give Label List Offer Pod Release Remember Request
Restored Scale Set Start Stop Taint Undo Wait Write
"""
SUITE = """
*** Settings ***
Library     KubernetesLibrary

*** Test Cases ***
A Pod's Life
    ${namespace}=    Create Namespace    t-in-robot    timeout=20 s
    VAR    &{labels}    team=blue
    ${applied}=    Apply Manifest    ${WITNESS}    ${namespace}    labels=${labels}    image=${EMPTY}
    ${pod}=    Wait Until Pod Is Ready    ${applied.metadata.name}    ${namespace}    timeout=1 min
    Should Be Equal    ${pod.metadata.labels}[team]    blue
    ${known}=    List Pods    ${namespace}
    Run Keyword And Expect Error    *it is the original itself*restored-pod-missing (product)
    ...    Find Restored Pod    ${pod}    known=${known}
    Apply Manifest    ${WITNESS}    ${namespace}    pod_name=test-witness-restored
    ${restored}=    Wait Until Restored Pod Is Ready    ${pod}    known=${known}    timeout=20 s
    Pod Should Stay Ready    ${restored.metadata.name}    ${namespace}    duration=0.2 s
    ${result}=    Execute In Pod    ${restored.metadata.name}    ${namespace}    sh    -c    exit 3    exit_code=${3}
    Should Be Equal As Integers    ${result.exit_code}    3
    Delete Namespace    ${namespace}
"""


def test_the_constructor_touches_nothing_outside() -> None:
    running = threading.enumerate()
    assert all(name.startswith("_") for name in vars(KubernetesLibrary()))
    assert threading.enumerate() == running


@pytest.mark.parametrize("name", KEYWORDS)
def test_every_keyword_is_documented_with_an_example(name: str) -> None:
    keyword = KEYWORDS[name]
    assert keyword.short_doc.endswith(".")
    assert "Example" in keyword.doc
    undocumented = [argument.name for argument in keyword.args if not argument.is_marker and not argument.doc]
    assert undocumented == []


@pytest.mark.parametrize("name", KEYWORDS)
def test_every_keyword_takes_a_cluster_and_durations_as_times(name: str) -> None:
    method = getattr(KubernetesLibrary, name.lower().replace(" ", "_"))
    parameters = inspect.signature(method).parameters
    assert name in CONTINUING or parameters["cluster"].default is None
    for waiting in {"timeout", "duration"} & set(parameters):
        assert parameters[waiting].annotation == "timedelta"
        assert parameters[waiting].default.total_seconds() > 0


@pytest.mark.parametrize("name", KEYWORDS)
def test_names_say_what_keywords_do(name: str) -> None:
    tags = set(KEYWORDS[name].tags)
    assert ("Should" in name) == ("assertion" in tags)
    assert name.split(maxsplit=1)[0] in VERBS.split()


def test_a_suite_uses_them(main: Cluster, tmp_path: Path) -> None:
    suite = Suite.from_string(SUITE)
    suite.name = "Keywords"
    witness = LIBRARIES.parent / "resources" / "workloads" / "witness.yaml"
    result = suite.run(variable=f"WITNESS:{witness}", output=None, log=None, report=None, console="none")
    [test] = result.suite.tests
    assert test.passed, test.message


def test_no_cluster_is_a_clear_failure() -> None:
    code = "from KubernetesLibrary import KubernetesLibrary; KubernetesLibrary().get_node_facts()"
    ended: subprocess.CompletedProcess[Any] = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(LIBRARIES)}, capture_output=True, text=True, check=False
    )
    assert "start one with `Start Cluster`" in ended.stderr
