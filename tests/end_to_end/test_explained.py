"""A run that failed explains itself: in its message, its evidence, its folder of diagnostics and its exit status."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .runner import QUICK, Folders, blame, run

PROOF = "Pod Checkpoint And Restore Via Propagator API"
NOT_PULLED = re.compile("ErrImagePull|ImagePullBackOff")
"""The one right after a try, the other between two."""


def _diagnostics(folders: Folders, name: str) -> dict[str, str]:
    """The files of one failure: names and texts."""
    folder = folders.output / "diagnostics" / name
    return {file.name: file.read_text() for file in folder.iterdir()}


def test_a_workload_whose_image_is_not_there(
    folders: Folders, sandbox: dict[str, Any], existing: dict[str, str]
) -> None:
    settings = existing | {"WORKLOAD_IMAGE": "nginx:no-such-tag", "POD_TIMEOUT": "3 s"}
    ended = run(folders, *QUICK, "--loglevel", "TRACE", "--test", PROOF, **settings)
    assert "cause: image-pull (environment)" in ended.console
    assert "Whose fault: environment" in ended.console
    assert blame(ended, folders) == (6, f"environment: image-pull - {PROOF}\n")
    (test,) = ended.evidence["tests"]
    assert any(NOT_PULLED.search(fact) for fact in test["diagnosis"]["facts"])
    files = _diagnostics(folders, PROOF.replace(" ", "-"))
    for expected in ("nodes.txt", "versions.txt", "actions-at-the-propagator.txt", "events-of-cedana-system.txt"):
        assert files[expected]
    assert "deployed, revision 1" in files["history-of-release-cedana-system-cedana.txt"]
    assert "authToken: <secret>" in files["values-of-release-cedana-system-cedana.txt"]
    assert any(name.endswith("manager.log") for name in files)
    assert [name for name, text in files.items() if sandbox["token"] in text] == []
    assert f'href="diagnostics/{PROOF.replace(" ", "-")}/nodes.txt"' in (folders.output / "output.xml").read_text()
    assert folders.left() == []


def test_an_environment_that_could_not_be_brought_up(
    folders: Folders, existing: dict[str, str], tmp_path: Path
) -> None:
    values = tmp_path / "values.yaml"
    values.write_text("controllerManager: {manager: {image: {repository: nginx, tag: no-such-tag}}}\n")
    ended = run(folders, *QUICK, HELM_VALUES=str(values), INSTALL_TIMEOUT="4 s", **existing)
    assert {test["cause"]["name"] for test in ended.evidence["tests"]} == {"image-pull"}
    assert blame(ended, folders)[0] == 6
    files = _diagnostics(folders, "Cedana-Checkpoint-And-Restore")
    assert NOT_PULLED.search(files["pods-of-cedana-system.txt"])
    assert "revision 1" in files["history-of-release-cedana-system-cedana.txt"]
    assert folders.left() == []
