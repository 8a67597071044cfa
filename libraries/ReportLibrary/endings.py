"""Facts about containers that ended: how, how often, against which limit, and what they said last."""

from __future__ import annotations

from collections.abc import Iterator

from harness.diagnosis import Fact, Source
from harness.kube.pods import container_statuses, is_ready

from .seen import Obj, Seen

LAST_LINES = 3
"""Of a previous log: what a container says last tells the most."""
LONGEST_LINE = 100
KILLED = "OOMKilled"
STATUSES = {
    126: "its command cannot be executed",
    127: "its command is not there",
    137: "it was killed",
    139: "it did what no process may with its memory",
    143: "it was asked to end",
}
"""What exit codes mean by convention: those of shells, and 128 and the number of a signal."""


def facts(seen: Seen) -> Iterator[Fact]:
    """Of each container that ended, and of each that runs or ran and said nothing."""
    for namespace, pods in seen.pods.items():
        own = namespace == seen.cedana_namespace
        for pod in [pod for pod in pods if not (own and is_ready(pod))]:  # what Cedana got over is told elsewhere
            for status in container_statuses(pod):
                ended = _ended(status)
                if ended.get("reason") == KILLED:
                    yield _killed(namespace, pod, status, ended)
                elif ended and (status.get("restartCount") or ended.get("exitCode")):
                    yield _crashed(seen, namespace, pod, status, ended)
                if not own:
                    yield from _said_nothing(seen, namespace, pod, status)


def _ended(status: Obj) -> Obj:
    """How the container ended last; empty where it did not."""
    for state in ("state", "lastState"):
        ended: Obj = (status.get(state) or {}).get("terminated") or {}
        if ended:
            return ended
    return {}


def _killed(namespace: str, pod: Obj, status: Obj, ended: Obj) -> Fact:
    name, limit = pod["metadata"]["name"], _memory_limit(pod, status["name"])
    why = f"it used more than its memory limit of {limit}" if limit else f"node {_node(pod)} ran out of memory"
    how = f"({KILLED}, exit code {ended.get('exitCode')})"
    text = f"container {status['name']} of pod {name} was killed: {why} {how}"
    return Fact(Source.POD, text, name, namespace, strength=6, tells="out-of-memory")


def _crashed(seen: Seen, namespace: str, pod: Obj, status: Obj, ended: Obj) -> Fact:
    name, code = pod["metadata"]["name"], ended.get("exitCode")
    state = status.get("state") or {}
    again = status.get("restartCount", 0) + ("running" not in state)
    often = "once" if again == 1 else f"{again} times, the last time"
    meaning = f", {STATUSES[code]}" if code in STATUSES else ""
    text = f"container {status['name']} of pod {name} ended {often} with exit code {code}{meaning}"
    text += last_words(seen, namespace, pod, status)
    own = namespace == seen.cedana_namespace
    source, tells = (Source.CEDANA, "cedana-crash") if own else (Source.POD, "crash-loop")
    return Fact(source, text, name, namespace, strength=6, tells=tells)


def last_words(seen: Seen, namespace: str, pod: Obj, status: Obj) -> str:
    """What a container said before it ended, as a clause; empty where its log could not be read."""
    over = "terminated" in (status.get("state") or {})
    said = (seen.logs if over else seen.previous).get((namespace, pod["metadata"]["name"], status["name"]))
    if said is None:
        return ""
    which, last = "log" if over else "previous log", _last_lines(said)
    return f"; its {which} ends: {last}" if last else f"; its {which} is empty"


def _said_nothing(seen: Seen, namespace: str, pod: Obj, status: Obj) -> Iterator[Fact]:
    name = pod["metadata"]["name"]
    if "running" in (status.get("state") or {}) and seen.logs.get((namespace, name, status["name"])) == "":
        text = f"the log of container {status['name']} of pod {name} is empty: it has written nothing yet"
        yield Fact(Source.LOG, text, name, namespace, strength=3)


def _last_lines(log: str) -> str:
    lines = [line.partition(" ")[2] for line in log.splitlines()]  # without the runtime's timestamps
    return " / ".join(line[:LONGEST_LINE] for line in [line for line in lines if line.strip()][-LAST_LINES:])


def _memory_limit(pod: Obj, container: str) -> str:
    specs = [*(pod["spec"].get("initContainers") or []), *(pod["spec"].get("containers") or [])]
    spec: Obj = next((one for one in specs if one["name"] == container), {})
    return str(((spec.get("resources") or {}).get("limits") or {}).get("memory") or "")


def _node(pod: Obj) -> str:
    return str(pod["spec"].get("nodeName") or "not known")
