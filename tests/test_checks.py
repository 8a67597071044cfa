"""The checks themselves: all are run, also past a failing one, and it is said which failed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .checks import SCRATCH, Check, run


def _check(name: str, code: str) -> Check:
    return name, [sys.executable, "-c", code]


MEET = f"""
import pathlib, sys, time
mine, other = (pathlib.Path("{SCRATCH}", name) for name in sys.argv[1:])
mine.touch()
while not other.exists():
    time.sleep(0.01)
"""


def test_a_failing_check_stops_no_other(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([[_check("bad", "print('first'); exit(3)"), _check("good", "print('second')")]]) == 1
    lines = capfd.readouterr().out.splitlines()
    assert [line for line in lines if line in ("first", "second")] == ["first", "second"]
    assert any(line.startswith("== bad: FAILED, exit status 3") for line in lines)
    assert lines[-1].startswith("checks failed: bad (")
    assert run([[_check("good", "pass")]]) == 0
    assert "all 1 checks passed" in capfd.readouterr().out


def test_what_is_compiled_is_kept_for_the_next_and_not_beside_the_source(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    (tmp_path / "compiled_once.py").touch()
    import_it = f"import sys; sys.path.append({str(tmp_path)!r}); import compiled_once as one; print(one.__cached__)"
    found = "print(*pathlib.Path(sys.pycache_prefix).rglob('compiled_once*.pyc'))"
    assert run([[_check("compiles", import_it), _check("finds", f"import pathlib, sys; {found}")]]) == 0
    kept, seen = (line for line in capfd.readouterr().out.splitlines() if line.endswith(".pyc"))
    assert kept == seen
    assert [path.name for path in tmp_path.iterdir()] == ["compiled_once.py"]


def test_lanes_run_side_by_side_and_their_output_stays_together(capfd: pytest.CaptureFixture[str]) -> None:
    one, other = (_check(name, f"print('begin {name}')\n{MEET}\nprint('end {name}')") for name in ("one", "other"))
    lanes = [[(one[0], [*one[1], "one", "other"])], [(other[0], [*other[1], "other", "one"]), _check("bad", "exit(1)")]]
    assert run(lanes, [[_check("last", "print('after them')")]]) == 1
    lines = [line for line in capfd.readouterr().out.splitlines() if line]
    for name in ("one", "other"):
        at = lines.index(f"== {name}")
        assert lines[at + 1 : at + 3] == [f"begin {name}", f"end {name}"]
    assert lines.index("after them") > lines.index("end one")
    assert lines[-1].startswith("checks failed: bad (")
