"""Facts for a diagnosis out of what a cluster told: states of pods, events, nodes, Cedana's own pods and their logs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from kubernetes.utils.quantity import parse_quantity

from harness.diagnosis import RESTORED, Fact, Source
from harness.kube.pods import condition, container_statuses, is_ready, state_of

from . import endings
from .describe import event_time
from .seen import Seen

Obj = dict[str, Any]
COMPONENT = "app.kubernetes.io/component"
"""Label of the pods of Cedana's chart: `manager` or `helper`."""
ERROR = re.compile(r"\b(error|fatal|panic|fail(ed|ure)?)\b|Error \(criu/", re.IGNORECASE)
LOG_ERRORS = 3
"""The last ones of each log."""
CLOCKS = timedelta(seconds=2)
"""How far the node's clock may be from ours."""
STARTING = {"FailedScheduling", "FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox"}
PULLING = {"Failed", "ErrImageNeverPull", "InspectFailed"}


def facts(seen: Seen, since: datetime | None = None) -> list[Fact]:
    """The facts that may tell why something failed; lines of Cedana's logs only from `since` on."""
    about_pods = [*endings.facts(seen), *_astray(seen, since), *_pods(seen), *_events(seen)]
    return [
        *about_pods,
        *_quotas(seen),
        *_namespaces(seen),
        *_nodes(seen),
        *_cedana(seen, since),
        *_errors(seen, since),
    ]


def nodes_of(seen: Seen) -> set[str]:
    """The nodes of all pods outside of Cedana's namespace."""
    return {node for pod in _workloads(seen) if (node := pod["spec"].get("nodeName"))}


def _workloads(seen: Seen) -> Iterator[Obj]:
    for namespace, pods in seen.pods.items():
        if namespace != seen.cedana_namespace:
            yield from pods


def _pods(seen: Seen) -> Iterator[Fact]:
    for namespace, pods in seen.pods.items():
        for pod in pods:
            name = pod["metadata"]["name"]
            if not is_ready(pod):
                why = [pod.get("status", {}).get(part) for part in ("reason", "message")]
                told = ": ".join(filter(None, why))
                state = state_of(pod).seen
                state += " but not Ready" if state.endswith(" is Running") else ""
                text = f"{state}; {told}" if told else state
                yield Fact(Source.POD, text, name, namespace, strength=4)


def _events(seen: Seen) -> Iterator[Fact]:
    for namespace, events in seen.events.items():
        pods = {pod["metadata"]["uid"]: pod for pod in seen.pods.get(namespace, [])}
        newest = _newest(events, {pod["metadata"]["name"]: uid for uid, pod in pods.items()})
        for event in sorted(events, key=event_time, reverse=True):
            about = event.get("involvedObject", {})
            name, uid = str(about.get("name")), about.get("uid")
            # An earlier pod of the same name has nothing to do with this failure.
            if event.get("type") == "Normal" or uid != newest.get((about.get("kind"), name), uid):
                continue
            if _overcome(event, pods.get(uid)):
                continue
            text = f"event of {about.get('kind')} {name}: {event.get('reason')}: {event.get('message', '')}"
            yield Fact(Source.EVENT, text, name, namespace, strength=3)


def _newest(events: Iterable[Obj], pods: Mapping[str, str]) -> dict[tuple[str | None, str], str | None]:
    """The UID of the newest object of each kind and name."""
    newest: dict[tuple[str | None, str], str | None] = {}
    for event in sorted(events, key=event_time):
        about = event.get("involvedObject", {})
        newest[about.get("kind"), str(about.get("name"))] = about.get("uid")
    return newest | {("Pod", name): uid for name, uid in pods.items()}


def _overcome(event: Obj, pod: Obj | None) -> bool:
    """Whether the pod got past what the event tells: trouble at its start that passed."""
    if pod is None:
        return False
    scheduled = condition(pod, "PodScheduled")
    if event.get("reason") == "FailedScheduling":
        return bool(scheduled and scheduled["status"] == "True")
    started = ["running" in (one.get("state") or {}) for one in container_statuses(pod)]
    return event.get("reason") in STARTING | PULLING and bool(started) and all(started)


def _astray(seen: Seen, since: datetime | None) -> Iterator[Fact]:
    """Restored pods that came to be where nobody looked for them."""
    for pod in seen.elsewhere:
        meta = pod["metadata"]
        if (
            meta["namespace"] not in seen.pods
            and RESTORED in meta["name"]
            and _is_since(meta["creationTimestamp"], since)
        ):
            text = (
                f"pod {meta['name']} was made in another namespace, {meta['namespace']}, at {meta['creationTimestamp']}"
            )
            yield Fact(Source.POD, text, meta["name"], meta["namespace"], strength=6, tells="restored-pod-missing")


def _quotas(seen: Seen) -> Iterator[Fact]:
    """The quotas that have no room."""
    for namespace, quotas in seen.quotas.items():
        for quota in quotas:
            name, status = quota["metadata"]["name"], quota.get("status", {})
            used, hard = status.get("used") or {}, status.get("hard") or {}
            full = [
                f"{what} {used[what]} of {most}" for what, most in sorted(hard.items()) if _is_full(used, what, most)
            ]
            if full:
                text = f"ResourceQuota {name} of namespace {namespace} is used up: {', '.join(full)}"
                yield Fact(Source.QUOTA, text, name, namespace, strength=4, tells="quota")


def _namespaces(seen: Seen) -> Iterator[Fact]:
    """The namespaces that are being deleted, and what holds them."""
    for name, namespace in seen.namespaces.items():
        since = namespace.get("metadata", {}).get("deletionTimestamp")
        if since:
            conditions = namespace.get("status", {}).get("conditions") or []
            held = [one.get("message", "") for one in conditions if one["status"] == "True"]
            held += [f"finalizers: {', '.join(left)}" for left in [_finalizers(namespace)] if left]
            why = "; ".join(held) or "nothing tells why"
            text = f"namespace {name} is being deleted since {since}, and does not go away: {why}"
            yield Fact(Source.NAMESPACE, text, name, name, strength=5, tells="stuck-terminating")


def _finalizers(namespace: Obj) -> list[str]:
    spec = namespace.get("spec", {}).get("finalizers") or []
    own = [one for one in spec if one != "kubernetes"]  # that one is there until everything in it is gone
    return [*own, *(namespace["metadata"].get("finalizers") or [])]


def _is_full(used: Mapping[str, str], what: str, most: str) -> bool:
    return what in used and bool(parse_quantity(used[what]) >= parse_quantity(most))


def _nodes(seen: Seen) -> Iterator[Fact]:
    by_name = {node["metadata"]["name"]: node for node in seen.nodes}
    for namespace, pods in seen.pods.items():
        for pod in pods:
            node = by_name.get(pod["spec"].get("nodeName", ""))
            if node is None:
                continue
            for one in node.get("status", {}).get("conditions") or []:
                wanted = "True" if one["type"] == "Ready" else "False"
                if one["status"] != wanted:
                    state = "is not Ready" if one["type"] == "Ready" else f"has {one['type']} {one['status']}"
                    text = f"node {node['metadata']['name']} {state}: {one.get('message', '')}"
                    yield Fact(Source.NODE, text, pod["metadata"]["name"], namespace, strength=4)


def _cedana(seen: Seen, since: datetime | None) -> Iterator[Fact]:
    """Which of Cedana's own pods were not at work where they were needed, or ended while they should have been."""
    own = seen.pods.get(seen.cedana_namespace)
    if own is None or not (own or any(_workloads(seen))):  # it could not be asked, or nobody has come to need it
        return
    for pod in own:
        if not is_ready(pod) and pod.get("status", {}).get("phase") != "Succeeded":
            name = pod["metadata"]["name"]
            yield Fact(Source.CEDANA, f"Cedana's {state_of(pod).seen}", name, seen.cedana_namespace, strength=4)
    ready = [pod for pod in own if is_ready(pod)]
    if not any(_component(pod) == "manager" for pod in ready):
        yield Fact(Source.CEDANA, f"no Ready manager of Cedana in namespace {seen.cedana_namespace}", strength=3)
    helped = {pod["spec"].get("nodeName") for pod in ready if _component(pod) == "helper"}
    for pod in _workloads(seen):
        name, node = pod["metadata"]["name"], pod["spec"].get("nodeName")
        if node and node not in helped:
            text = f"no Ready helper of Cedana on node {node}, where pod {name} is"
            yield Fact(Source.CEDANA, text, name, pod["metadata"].get("namespace", ""), strength=4)
    for pod in own:
        yield from _ended(seen, pod, since)


def _ended(seen: Seen, pod: Obj, since: datetime | None) -> Iterator[Fact]:
    """That a pod of Cedana ended lately. It may be Ready again, but what it was at is lost."""
    node = pod["spec"].get("nodeName")
    for container in container_statuses(pod):
        ended = (container.get("lastState") or {}).get("terminated") or {}
        if not _is_since(str(ended.get("finishedAt")), since):
            continue
        how = "ended once" if is_ready(pod) else "keeps ending"
        how += f", last at {ended['finishedAt']}: {ended.get('reason')}, exit code {ended.get('exitCode')}"
        how += endings.last_words(seen, seen.cedana_namespace, pod, container)
        if _component(pod) == "manager":
            yield Fact(Source.CEDANA, f"Cedana's manager {how}", strength=4)
        elif _component(pod) == "helper":
            for one in _workloads(seen):
                if one["spec"].get("nodeName") == node:
                    text = f"Cedana's helper on node {node} {how}"
                    yield Fact(Source.CEDANA, text, one["metadata"]["name"], strength=4)


def _component(pod: Obj) -> str:
    return str((pod["metadata"].get("labels") or {}).get(COMPONENT, ""))


def _errors(seen: Seen, since: datetime | None) -> Iterator[Fact]:
    """The last errors in the logs of Cedana and of pods that are not Ready."""
    ready = {(ns, pod["metadata"]["name"]) for ns, pods in seen.pods.items() for pod in pods if is_ready(pod)}
    for (namespace, pod, container), text in seen.logs.items():
        cedana = namespace == seen.cedana_namespace
        if not cedana and (namespace, pod) in ready:
            continue
        lines = [line for line in text.splitlines() if ERROR.search(line) and (not cedana or _is_since(line, since))]
        for line in reversed(lines[-LOG_ERRORS:]):
            said = f"log of {pod} {container}: {line.partition(' ')[2] or line}"
            name = "" if cedana and since else pod
            yield Fact(Source.LOG, said, name, namespace, strength=2)


def _is_since(line: str, since: datetime | None) -> bool:
    """Whether the runtime's timestamp in front of the line is not before `since`."""
    try:
        at = datetime.fromisoformat(re.sub(r"(\.\d{6})\d*", r"\1", line.partition(" ")[0]))
    except ValueError:
        return False
    return since is None or (at if at.tzinfo else at.replace(tzinfo=UTC)) >= since - CLOCKS
