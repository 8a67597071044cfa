"""YAML as libyaml reads it, and what is said of a text that is none."""

from __future__ import annotations

from io import StringIO

import pytest
import yaml

from harness.documents import load, load_all

NONE = "a: 1\n\tb: 2\n"


def test_documents_are_what_the_safe_loader_makes_of_them() -> None:
    text = "a: [1, yes, 2026-01-01]\n---\n'b': ~\n"
    assert load_all(text) == list(yaml.safe_load_all(text))
    assert load(StringIO("a: 'x'")) == {"a": "x"}


@pytest.mark.parametrize("text", ["!!python/object/apply:os.getcwd []", "a: !!python/name:os.system"])
def test_no_text_makes_objects_of_its_own_choice(text: str) -> None:
    with pytest.raises(yaml.YAMLError):
        load_all(text)
    with pytest.raises(yaml.YAMLError):
        load(StringIO(text))


def test_what_is_wrong_is_told_as_pyyaml_does() -> None:
    with pytest.raises(yaml.YAMLError) as plain:
        yaml.safe_load(NONE)
    with pytest.raises(yaml.YAMLError) as ours:
        load_all(NONE)
    assert str(ours.value) == str(plain.value)
    with pytest.raises(yaml.YAMLError, match=r"found character '\\t'"):
        load(StringIO(NONE))
