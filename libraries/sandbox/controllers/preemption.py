"""Preemption: which pods of lower priority have to go so that a pod finds room.

Source: kube-scheduler's plugin DefaultPreemption (pkg/scheduler/framework/preemption). Disruption budgets, which it
would rather not violate, are not asked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .scheduling import NodeState, guards, reason_against

Object = dict[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A node, and the pods that would have to leave it."""

    node: str
    victims: tuple[Object, ...]


def candidate(pod: Object, states: list[NodeState]) -> Candidate | None:
    """The node where it costs least, or None: nowhere does it help, or the pod may not preempt."""
    if pod["spec"].get("preemptionPolicy") == "Never" or _waits_for_victims(pod, states):
        return None
    found = [each for state in states if (each := _on(pod, state, states))]
    return min(found, key=lambda each: (max(map(priority, each.victims)), len(each.victims), each.node), default=None)


def priority(pod: Object) -> int:
    """A pod's priority."""
    return int(pod["spec"].get("priority") or 0)


def _waits_for_victims(pod: Object, states: list[NodeState]) -> bool:
    nominated = pod.get("status", {}).get("nominatedNodeName")
    state = next((each for each in states if each.name == nominated), None)
    return state is not None and any(
        other["metadata"].get("deletionTimestamp") and priority(other) < priority(pod) for other in state.pods
    )


def _on(pod: Object, state: NodeState, states: list[NodeState]) -> Candidate | None:
    lower = sorted((other for other in state.pods if priority(other) < priority(pod)), key=priority, reverse=True)
    reason = reason_against(pod, state, states, guards(states)) if lower else None
    if reason is None or reason.fixed:
        return None
    emptied = NodeState(state.node)
    for other in state.pods:
        if other not in lower:
            emptied.put(other)
    without = [emptied if each is state else each for each in states]
    if reason_against(pod, emptied, without, guards(without)):
        return None
    victims = []
    for other in lower:
        emptied.put(other)
        if reason_against(pod, emptied, without, guards(without)):
            emptied.remove(other["metadata"]["uid"])
            victims.append(other)
    return Candidate(state.name, tuple(victims)) if victims else None
