"""The doors between the rooms, for what import-linter does not see: what .robot and .resource files import."""

from __future__ import annotations

from pathlib import Path

import pytest
from robot.api.parsing import LibraryImport, ResourceImport, VariablesImport, get_model

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = {LibraryImport: "library", ResourceImport: "resource", VariablesImport: "variables"}


def imports(file: Path) -> list[tuple[str, str]]:
    """What a file imports: (kind, name as written)."""
    settings = [
        statement
        for section in get_model(file).sections
        for statement in getattr(section, "body", [])
        if type(statement) in IMPORTS
    ]
    return [(IMPORTS[type(statement)], statement.name) for statement in settings]


def target(file: Path, name: str) -> Path:
    """The path that an import by relative path means."""
    return (file.parent / name).resolve()


SUITES = sorted((ROOT / "suites").rglob("*.robot"))
RESOURCES = sorted((ROOT / "resources").rglob("*.resource"))


def test_there_are_suites_and_resources_to_look_at() -> None:
    assert SUITES
    assert RESOURCES


@pytest.mark.parametrize("suite", SUITES, ids=lambda file: file.name)
def test_a_suite_imports_resources_and_nothing_else(suite: Path) -> None:
    for kind, name in imports(suite):
        assert kind == "resource", f"{suite.name} imports {kind} {name}"
        assert target(suite, name).parent == ROOT / "resources"
        assert target(suite, name).is_file()


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda file: file.name)
def test_a_resource_imports_keyword_libraries_resources_and_the_settings(resource: Path) -> None:
    for kind, name in imports(resource):
        where = target(resource, name)
        if kind == "library":
            assert name.endswith("/"), f"{name}: Robot Framework needs the trailing slash to import a package by path"
            assert where.parent == ROOT / "libraries"
            assert where.name.endswith("Library"), f"{where.name} is no keyword library"
            assert (where / "__init__.py").is_file()
        elif kind == "resource":
            assert where.parent == ROOT / "resources"
        else:
            assert where == ROOT / "variables" / "settings.py"


def test_no_library_suite_or_resource_knows_the_sandbox_but_its_provider() -> None:
    rooms = [*(ROOT / "libraries").glob("*Library"), ROOT / "libraries" / "harness"]
    files = [file for room in rooms for file in room.rglob("*.py")] + SUITES + RESOURCES
    allowed = {
        ROOT / "libraries" / "K3sLibrary" / name
        for name in ("__init__.py", "providers/__init__.py", "providers/base.py", "providers/sandbox.py", "removal.py")
    } | {ROOT / "libraries" / "harness" / "removal.py"}
    knowing = [str(file.relative_to(ROOT)) for file in files if file not in allowed and "sandbox" in file.read_text()]
    assert knowing == []
