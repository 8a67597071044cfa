"""The `helm` on PATH: which one is taken, and what it is told."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.HelmLibrary.places import TOKEN, order, stand_in_helm, target

from HelmLibrary import command_engine
from HelmLibrary.command_engine import CommandEngine, find_command
from HelmLibrary.engines import EngineChoice, find_engine
from HelmLibrary.releases import HelmError


@pytest.fixture
def helm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandEngine:
    """An engine over the stand-in command, whose calls are recorded."""
    path = stand_in_helm(tmp_path)
    monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HELM_RECORD", str(tmp_path / "record"))
    monkeypatch.setenv("CEDANA_AUTH_TOKEN", TOKEN)
    found = find_command()
    assert found
    return found


def script(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> CommandEngine:
    """An engine over a command that is just this shell script."""
    path = folder / "helm"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return CommandEngine(str(path), "3.19.4")


def calls(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "record").read_text().splitlines()]


def test_it_is_found_with_its_version(helm: CommandEngine, tmp_path: Path) -> None:
    assert helm.description == f"helm 3.19.4 at {tmp_path}/bin/helm"
    assert find_engine().description == helm.description
    assert "wheel" in find_engine(EngineChoice.WHEEL).description


@pytest.mark.parametrize(
    ("version", "usable"),
    [("v3.7.2", False), ("v2.17.0", False), ("v3.8.0", True), ("v4.1.0", True), ("nonsense", False)],
)
def test_versions(version: str, usable: bool, helm: CommandEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAND_IN_VERSION", version)
    assert (find_command() is not None) is usable
    expected = "command" if usable else "wheel"
    assert (expected == "wheel") is ("wheel" in find_engine().description)


def test_without_a_command_it_is_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "wheel" in find_engine().description
    with pytest.raises(Exception, match=r"neither a helm 3\.8 or later on PATH"):
        find_engine(EngineChoice.COMMAND)


def test_what_install_is_told(helm: CommandEngine, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text("a: 1")
    place = target(tmp_path)
    with pytest.raises(HelmError, match="Chart\\.yaml file is missing"):
        helm.install(place, "cedana", order(str(tmp_path), file=file, timeout=420))
    call = calls(tmp_path)[-1]
    own = call["values"][1]
    assert call["argv"] == [
        *["install", "cedana", str(tmp_path), "--values", str(file), "--values", own],
        *["-o", "json", "--wait", "--timeout", "420s"],
        *["--kubeconfig", str(place.kubeconfig), "--namespace", "cedana-system"],
    ]
    assert call["modes"][1] == "0o600"
    assert not Path(own).exists()


def test_the_token_is_neither_an_argument_nor_in_the_environment(helm: CommandEngine, tmp_path: Path) -> None:
    with pytest.raises(HelmError):
        helm.install(target(tmp_path), "cedana", order(str(tmp_path)))
    assert calls(tmp_path)
    assert TOKEN not in (tmp_path / "record").read_text()


def test_helm_writes_in_the_runs_directory(helm: CommandEngine, tmp_path: Path, run_folder: Path) -> None:
    environment = calls(tmp_path)[-1]["environment"]
    for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME", "HELM_DATA_HOME", "KUBECACHEDIR"):
        assert environment[name].startswith(str(run_folder))


@pytest.mark.parametrize(
    "name", ["HELM_KUBEAPISERVER", "HELM_KUBETOKEN", "HELM_NAMESPACE", "KUBECONFIG", "HELM_DRIVER"]
)
def test_the_users_settings_cannot_redirect_helm(
    name: str, helm: CommandEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "elsewhere")
    find_command()
    assert name not in calls(tmp_path)[-1]["environment"]


def test_no_such_release_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm = script(tmp_path, monkeypatch, "echo 'Error: release: not found' >&2; exit 1")
    assert helm.status(target(tmp_path), "cedana") is None


def test_a_refusal_keeps_helms_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm = script(
        tmp_path, monkeypatch, "echo 'Error: UPGRADE FAILED: \"cedana\" has no deployed releases' >&2; exit 1"
    )
    with pytest.raises(HelmError, match='"cedana" has no deployed releases'):
        helm.upgrade(target(tmp_path), "cedana", order())


def test_silence_is_told_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helm = script(tmp_path, monkeypatch, "exit 3")
    with pytest.raises(HelmError, match="exit status 3, no output"):
        helm.uninstall(target(tmp_path), "cedana", wait=True, timeout=5)


def test_a_timeout_ends_it_gently_and_the_values_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_folder: Path
) -> None:
    monkeypatch.setattr(command_engine, "PATIENCE", 0.2)
    helm = script(
        tmp_path, monkeypatch, "trap 'echo \"Error: context canceled\" >&2; exit 1' TERM; while :; do sleep 0.1; done"
    )
    with pytest.raises(HelmError, match=r"(?s)stopped after 0\.7 s\..*Error: context canceled") as problem:
        helm.install(target(tmp_path), "cedana", order(timeout=0.5))
    assert problem.value.code == "timeout"
    assert not list(run_folder.glob("values-*"))


def test_rows_of_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        {
            "revision": 1,
            "updated": "2026-01-02T03:04:05Z",
            "status": "superseded",
            "chart": "a-1.0",
            "app_version": "9",
        },
        {
            "revision": 2,
            "updated": "x",
            "status": "failed",
            "chart": "a-1.1",
            "app_version": "",
            "description": "bad luck",
        },
    ]
    helm = script(tmp_path, monkeypatch, f"echo '{json.dumps(rows)}'")
    first, second = helm.history(target(tmp_path), "cedana")
    assert (first.revision, first.status, first.chart, first.app_version) == (1, "superseded", "a-1.0", "9")
    assert (second.description, second.namespace, second.pending) == ("bad luck", "cedana-system", False)
