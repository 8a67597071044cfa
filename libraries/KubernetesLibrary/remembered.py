"""What a pod was, as a test remembers it before the checkpoint: its object, and what its processes show."""

from __future__ import annotations

import html
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.failures import NotAsExpected
from harness.kube import Cluster, api_errors
from harness.kube.pods import raw

from . import node_constraints, starts
from .comparison import Difference, differences, naming
from .execution import Place, execute
from .starts import Start

Obj = Mapping[str, Any]
HEADINGS = ("field", "was", "is")
ABSENT = "(absent)"
LONGEST = 100
"""Characters of a value in a failure's message; the log has all of it."""
CHANGED = "pod-changed"
STATUS_FIELDS = (
    "Uid",
    "Gid",
    "Groups",
    "CapInh",
    "CapPrm",
    "CapEff",
    "CapBnd",
    "CapAmb",
    "NoNewPrivs",
    "Seccomp",
)
"""What of /proc/1/status a restore must bring back (proc_pid_status(5)): whom the process runs as, and what it may."""


@dataclass(frozen=True)
class Look:
    """How the inside of a container is looked at: which files, and for how many seconds at the most."""

    files: tuple[str, ...] = ()
    timeout: float = 30.0


@dataclass(frozen=True)
class RememberedPod:
    """A pod as it was.

    Attributes:
        pod: the object, as the API had it.
        inside: what each container's process showed, by container and by name; empty where nobody looked.
        look: how it was looked at.
        at: when it was remembered, in seconds of `time.monotonic()`.
    """

    pod: Obj
    inside: dict[str, dict[str, str]] = field(default_factory=dict)
    look: Look = Look()
    at: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        return f"pod {self.pod['metadata']['namespace']}/{self.pod['metadata']['name']} as it was"


def look_inside(cluster: Cluster, pod: Obj, look: Look) -> dict[str, dict[str, str]]:
    """What each container of a pod shows: whom its process runs as, its environment, host name, and chosen files.

    The process is the one with PID 1 in its container; what the command itself may or has tells nothing about it.

    Raises:
        NotAsExpected: a container does not tell, for it has no `cat` or `hostname`, or not that file.
        OperationFailed: no command can be run there.
    """
    metadata = pod["metadata"]
    places = (Place(metadata["namespace"], metadata["name"], one["name"]) for one in pod["spec"]["containers"])
    return {str(place.container): _inside(cluster, place, look) for place in places}


def compare(
    cluster: Cluster, before: RememberedPod, now: Obj, begun: Sequence[Start], may_differ: Sequence[str]
) -> list[Difference]:
    """What differs between the pod as it was and as it is now, inside too where that was looked at.

    Args:
        begun: when the processes of the pod of now were started.
    """
    found = differences(before.pod, now, may_differ)
    named = naming(may_differ)
    found += [one for one in starts.differences(begun) if not named(one.field)]
    if node_constraints.constraints(before.pod):
        found += node_constraints.broken(before.pod, _node(cluster, now))
    if before.inside:
        found += differences_inside(before.inside, look_inside(cluster, now, before.look))
    return found


def differences_inside(
    before: Mapping[str, Mapping[str, str]], now: Mapping[str, Mapping[str, str]]
) -> list[Difference]:
    """What the containers show otherwise than before."""
    was, is_now = _flat(before), _flat(now)
    return [
        Difference(path, was.get(path), is_now.get(path))
        for path in sorted({*was, *is_now})
        if was.get(path) != is_now.get(path)
    ]


def changed(before: RememberedPod, name: str, found: Sequence[Difference]) -> NotAsExpected:
    """The failure that shows these differences."""
    count = "1 field differs" if len(found) == 1 else f"{len(found)} fields differ"
    return NotAsExpected(
        f"pod {name} to be as pod {before.pod['metadata']['name']} was when it was checkpointed",
        f"{count}\n{as_text(found)}",
        "the spec that was stored with the checkpoint, and the log of the Cedana manager that made the pod",
        cause=CHANGED,
    )


def as_text(found: Sequence[Difference]) -> str:
    """The differences as a table in plain text."""
    rows = [HEADINGS, *(tuple(_short(cell) for cell in row) for row in _rows(found))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(f"  {line}".rstrip() for line in lines)


def as_html(found: Sequence[Difference]) -> str:
    """The differences as a table in HTML."""
    rows = [_row("th", HEADINGS), *(_row("td", row) for row in _rows(found))]
    return f"<table border='1'>{''.join(rows)}</table>"


def _rows(found: Iterable[Difference]) -> list[tuple[str, str, str]]:
    return [(one.field, _shown(one.was), _shown(one.now)) for one in found]


def _shown(value: str | None) -> str:
    return ABSENT if value is None else value


def _row(tag: str, cells: Iterable[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 4]} ..."


def _flat(inside: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {f"inside[{name}].{key}": value for name, shown in inside.items() for key, value in shown.items()}


def _inside(cluster: Cluster, place: Place, look: Look) -> dict[str, str]:
    def told(*command: str) -> str:
        return execute(cluster, place, command, look.timeout, exit_code=0).stdout

    shown = {"hostname": told("hostname").strip()}
    shown |= _of_status(told("cat", "/proc/1/status"))
    for variable in filter(None, told("cat", "/proc/1/environ").split("\0")):
        name, _, value = variable.partition("=")
        shown[f"env[{name}]"] = value
    return shown | {f"file[{path}]": told("cat", path) for path in look.files}


def _of_status(text: str) -> dict[str, str]:
    named = (line.partition(":") for line in text.splitlines())
    return {name: " ".join(value.split()) for name, _, value in named if name in STATUS_FIELDS}


def _node(cluster: Cluster, pod: Obj) -> Obj:
    name = pod["spec"].get("nodeName", "")
    with api_errors(f"get node {name}"):
        return raw(cluster.core.read_node, name)
