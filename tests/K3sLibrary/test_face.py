"""The keywords as they are used in suites."""

from __future__ import annotations

from pathlib import Path

from tests.end_to_end.runner import ROOT, Folders, run

SUITE = f"""
*** Settings ***
Library    {ROOT}/libraries/K3sLibrary/


*** Test Cases ***
Two Clusters At Once
    ${{one}}=    Start Cluster    sandbox    alias=one
    ${{two}}=    Start Cluster    sandbox    alias=two
    Should Not Be Equal    ${{one.kubeconfig}}    ${{two.kubeconfig}}
    Cluster Should Be Ready    cluster=two    timeout=30 s
    ${{facts}}=    Get Cluster Facts
    Should Be Equal    ${{facts.alias}}    one
    Stop Cluster    cluster=one
    Cluster Should Leave No Trace
    ${{facts}}=    Get Cluster Facts
    Should Be Equal    ${{facts.alias}}    two
    Remove Everything This Run Made
    Nothing Should Be Left
    Cluster Should Leave No Trace

An Alias Is Taken Once
    Start Cluster    sandbox    alias=one
    Run Keyword And Expect Error    alias is 'one'*    Start Cluster    sandbox    alias=one
    [Teardown]    Remove Everything This Run Made

An Unknown Alias Names The Known Ones
    Start Cluster    sandbox    alias=one
    Run Keyword And Expect Error    *one of one*    Cluster Should Be Ready    cluster=other
    [Teardown]    Remove Everything This Run Made

An Unknown Provider Names The Known Ones
    Run Keyword And Expect Error    *'sandbox', 'k3s', 'docker' or 'existing'*    Start Cluster    minikube

What Is Not Removed Yet Is Left
    Start Cluster    sandbox
    Run Keyword And Expect Error    *sandbox the sandbox's process: not removed yet*    Nothing Should Be Left
    [Teardown]    Remove Everything This Run Made

Without A Cluster There Is Nothing To Work With
    Run Keyword And Expect Error    *start one with `Start Cluster`*    Get Cluster Facts
"""


def test_the_keywords(tmp_path: Path) -> None:
    folders = Folders.below(tmp_path)
    suite = tmp_path / "clusters.robot"
    suite.write_text(SUITE)
    output = folders.output / "output.xml"
    ended = run(folders, "--loglevel", "TRACE", what=str(suite))
    assert ended.status == 0, ended.console
    assert output.is_file()
    assert folders.left() == []
