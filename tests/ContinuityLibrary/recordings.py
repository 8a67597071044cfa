"""Evidence from the recordings of real restores; `cases()` is empty where their folder is not there."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ContinuityLibrary.evidence import ContainerLog, Evidence, Look, Source
from ContinuityLibrary.logs import LogLine, parse, steps

FOLDER = Path(__file__).parents[3] / "shared" / "recordings"


@dataclass(frozen=True)
class Case:
    """One judgement of a recording: the evidence, and what a correct judge says."""

    name: str
    verdict: str
    evidence: Evidence
    early: Look | None = None


def cases() -> list[Case]:
    """Every judgement of every recording."""
    return [case for path in sorted(FOLDER.glob("*.json")) for case in _of_file(json.loads(path.read_text()))]


def split(look: Look, *, before_the_end: float = 0.5) -> tuple[Look, Look]:
    """The look as two: the log as it was some seconds before its last line, and as it was read."""
    assert look.log is not None
    end = look.log.lines[-1].stamp if look.log.lines else 0
    earlier = tuple(line for line in look.log.lines if line.stamp <= end - before_the_end * 1e9)
    begin = look.read_at - timedelta(seconds=before_the_end)
    return replace(look, read_at=begin, log=replace(look.log, lines=earlier)), look


def _of_file(recording: dict[str, Any]) -> list[Case]:
    name, verdict = recording["name"], recording["verdict"] or "inconclusive"
    if "generations" in recording:
        parts = [(f"{name}[{at}]", part) for at, part in enumerate(recording["generations"])]
    elif "containers" in recording:
        parts = [(f"{name}[{container}]", part) for container, part in recording["containers"].items()]
    else:
        parts = [(name, recording)]
    return [_case(title, verdict, part, title[-2] if "containers" in recording else None) for title, part in parts]


def _case(name: str, verdict: str, part: dict[str, Any], container: str | None) -> Case:
    asked, ready = (datetime.fromisoformat(part["checkpoint"][key]) for key in ("asked_at", "ready_at"))
    after = look_of(part["source"], container, at=None)
    assert after.log is not None
    b = part["checkpoint"]["last_step_before_asking"]
    until_b = tuple(line for line in after.log.lines if _step(line) <= b)
    before = replace(after, read_at=asked, log=replace(after.log, lines=until_b))
    after = replace(after, read_at=max(ready, after.read_at))
    restored = look_of(part["restored"], container, at=None)
    if "frozen_at" in part:
        frozen_at = datetime.fromisoformat(part["frozen_at"])
        looks = (replace(restored, read_at=frozen_at), replace(restored, read_at=frozen_at + timedelta(seconds=4)))
    else:
        looks = split(restored)
    uid, restored_uid = (part[side]["pod"]["uid"] for side in ("source", "restored"))
    others = {}
    if "other" in part:
        nonce = steps(parse(part["other"]["log"]))[-1].step.nonce
        others[nonce] = part["other"]["pod"]["name"]
    early = look_of(part["early"], container, at=None) if "early" in part else None
    evidence = Evidence(Source(uid, before, (after,)), restored_uid, looks, ready_at=ready, others=others)
    return Case(name, verdict, evidence, early)


def look_of(side: dict[str, Any], container: str | None, *, at: datetime | None) -> Look:
    """A look as a recording holds it, read just after its last line unless told otherwise."""
    pod = side["pod"]
    status = next(one for one in pod["containers"] if container in (None, one["name"]))
    running = status["state"].get("running")
    lines = parse(side["log"])
    read_at = at or datetime.fromisoformat(pod["creationTimestamp"])
    if at is None and lines:
        read_at = datetime.fromtimestamp(lines[-1].stamp / 1e9 + 0.1, read_at.tzinfo)
    previous = None
    if "previous" in side:
        ended = status["lastState"]["terminated"]
        previous = ContainerLog(parse(side["previous"]), datetime.fromisoformat(ended["startedAt"]))
    return Look(
        read_at,
        ContainerLog(lines, datetime.fromisoformat(running["startedAt"]) if running else None),
        previous,
        restarts=status["restartCount"],
        running=running is not None,
        ready=pod["conditions"]["Ready"] == "True",
        state="running" if running else json.dumps(status["state"]),
    )


def _step(line: LogLine) -> int:
    found = steps([line])
    return found[0].number if found else 0
