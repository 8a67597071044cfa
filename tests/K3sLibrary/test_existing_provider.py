"""A cluster that is there already: which one it is does not change while a run uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from K3sLibrary.providers import ExistingProvider, Started

CONTEXTS = [{"name": name, "context": {"cluster": name, "user": name}} for name in ("one", "other")]


def start(kubeconfig: Path, context: str | None = None) -> Started:
    return ExistingProvider().start(kubeconfig=kubeconfig, context=context, timeout=1, keep=False)


@pytest.mark.parametrize(("given", "held"), [(None, "one"), ("other", "other")])
def test_it_is_held_by_the_name_of_its_context(given: str | None, held: str, tmp_path: Path) -> None:
    file = tmp_path / "config"
    content = {"current-context": "one", "contexts": CONTEXTS}
    content |= {"clusters": [{"name": "one", "cluster": {}}], "users": [{"name": "one", "user": {}}]}
    file.write_text(yaml.safe_dump(content))
    assert start(file, given).context == held


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("", None),
        ("- no kubeconfig", None),
        ("contexts: []", None),
        ("current-context: missing\ncontexts: []", "missing"),
    ],
)
def test_what_is_wrong_with_the_file_is_told_when_it_is_used(text: str, held: str | None, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    assert start(file).context == held
