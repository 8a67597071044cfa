"""Files in containers: what is said when they are not what they should be."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from harness.failures import BadInput, NotAsExpected, WaitTimedOut
from KubernetesLibrary import files
from KubernetesLibrary.execution import Place
from KubernetesLibrary.keywords.files import _bits

PLACE = Place("here", "web")


def file(path, timeout=5.0):
    """A file that was lost if it is not as it should be."""
    return files.File(None, PLACE, path, timeout, "files-lost")


class Container:
    """A container's files, some of which change with each look."""

    def __init__(self, **held: list[str | None]) -> None:
        self.held = {f"/{name}": contents for name, contents in held.items()}
        self.modes = {"/fixed": "640"}

    def __call__(self, _cluster, _place, command, _timeout, **_options):
        program, path = command[0], command[-1]
        contents = self.held.get(path, [None])
        if program == "cat":
            held = contents.pop(0) if len(contents) > 1 else contents[0]
            return SimpleNamespace(exit_code=0 if held is not None else 1, stdout=held)
        if program == "test":
            return SimpleNamespace(exit_code=0 if contents[0] is not None else 1)
        return SimpleNamespace(stdout=f"{self.modes.get(path, '644')}\n")


@pytest.fixture
def given(monkeypatch):
    """Puts a container behind the commands."""

    def put(**held: list[str | None]) -> None:
        monkeypatch.setattr(files, "execute", Container(**held))

    return put


def test_a_file_with_that_content_and_mode_passes(given):
    given(fixed=["blue\n"])
    files.should_hold(file("/fixed"), "blue", 0o640)


@pytest.mark.parametrize(
    ("path", "content", "mode", "seen"),
    [
        ("/fixed", "red", None, "it holds 'blue'"),
        ("/fixed", "blue", 0o644, "it has 640"),
        ("/none", "blue", None, "there is no such file"),
    ],
)
def test_another_one_fails_with_what_there_is(given, path, content, mode, seen):
    given(fixed=["blue\n"])
    with pytest.raises(NotAsExpected, match=seen) as failure:
        files.should_hold(file(path), content, mode)
    assert failure.value.cause.name == "files-lost"


def test_a_file_that_is_there_fails_where_none_should_be(given):
    given(fixed=["blue\n"])
    files.should_not_exist(file("/none"))
    with pytest.raises(NotAsExpected, match="no /fixed") as failure:
        files.should_not_exist(file("/fixed"))
    assert failure.value.cause.name == "files-lost"


def test_a_file_that_comes_between_two_commands_is_read(given):
    given(late=[None, "here\n"])
    assert files.read(file("/late")) == "here\n"


def test_a_content_is_waited_for(given):
    given(late=[None, "one\n", "two\n"])
    files.wait_until_it_holds(file("/late", 5), "two")
    with pytest.raises(WaitTimedOut, match="it holds 'two'"):
        files.wait_until_it_holds(file("/late", 0), "three")


def test_lines_count_up_until_there_are_enough(given):
    given(journal=["1 1\n", "1 1\n2 2\n3", "1 1\n2 2\n3 3\n"])
    assert files.should_count_up(file("/journal", 5), 2) == 3


@pytest.mark.parametrize(
    ("content", "seen"),
    [
        ("1 1\n2 3\n", "line 2 is '2 3'"),
        ("1\n\n", "line 2 is ''"),
        ("7 1\n", "line 1 is '7 1'"),
    ],
)
def test_a_line_out_of_place_fails_at_once(given, content, seen):
    given(journal=[content])
    with pytest.raises(NotAsExpected, match=seen) as failure:
        files.should_count_up(file("/journal", 5), 100)
    assert failure.value.cause.name == "files-lost"


def test_lines_are_waited_for_from_before_there_is_a_file(given):
    given(journal=[None, "1\n"])
    assert files.should_count_up(file("/journal"), 0) == 1


@pytest.mark.parametrize(("content", "seen"), [("1\n2\n", "it has 2 lines"), (None, "there is no such file")])
def test_a_file_that_does_not_grow_fails_with_the_same_cause(given, content, seen):
    given(journal=[content])
    with pytest.raises(WaitTimedOut, match=seen) as failure:
        files.should_count_up(file("/journal", 0), 2)
    assert failure.value.cause.name == "files-lost"


def test_a_mode_is_octal():
    assert _bits("640") == 0o640
    with pytest.raises(BadInput, match="'rw'"):
        _bits("rw")
