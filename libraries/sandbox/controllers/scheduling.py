"""Which nodes a pod may run on, and the scheduler's words for why not.

The order of the checks and their texts are those of kube-scheduler's default plugins (NodeUnschedulable,
TaintToleration, NodeAffinity, NodePorts, NodeResourcesFit, PodTopologySpread,
InterPodAffinity); the first that fails counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from .selectors import matches, matches_map, matches_node, quantity

Object = dict[str, Any]
UNHELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"


@dataclass(frozen=True)
class Reason:
    """Why a node does not do; `fixed` says that removing other pods would not help."""

    text: str
    fixed: bool = True


@dataclass
class NodeState:
    """A node with the pods on it and what they ask for; `guarded` are those with anti-affinity rules."""

    node: Object
    by_uid: dict[str, Object] = field(default_factory=dict)
    used: dict[str, Decimal] = field(default_factory=dict)
    guarded: dict[str, Object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node["metadata"]["name"])

    @property
    def pods(self) -> Collection[Object]:
        """The pods on it."""
        return self.by_uid.values()

    def put(self, pod: Object) -> None:
        """Takes a pod in, or its newer state."""
        self.remove(pod["metadata"]["uid"])
        self.by_uid[pod["metadata"]["uid"]] = pod
        if (pod["spec"].get("affinity") or {}).get("podAntiAffinity"):
            self.guarded[pod["metadata"]["uid"]] = pod
        for name, amount in requests(pod).items():
            self.used[name] = self.used.get(name, Decimal(0)) + amount

    def remove(self, uid: str) -> None:
        """Takes a pod out, if it is there."""
        pod = self.by_uid.pop(uid, None)
        self.guarded.pop(uid, None)
        for name, amount in requests(pod).items() if pod else ():
            self.used[name] -= amount


def requests(pod: Object) -> dict[str, Decimal]:
    """What a pod asks for: the sum of its containers, or its largest init container where that is more."""
    spec = pod["spec"]
    total: dict[str, Decimal] = {}
    sidecars = [c for c in spec.get("initContainers") or [] if c.get("restartPolicy") == "Always"]
    for container in (*spec["containers"], *sidecars):
        for name, amount in ((container.get("resources") or {}).get("requests") or {}).items():
            total[name] = total.get(name, Decimal(0)) + quantity(amount)
    for container in spec.get("initContainers") or []:
        for name, amount in ((container.get("resources") or {}).get("requests") or {}).items():
            total[name] = max(total.get(name, Decimal(0)), quantity(amount))
    for name, amount in (spec.get("overhead") or {}).items():
        total[name] = total.get(name, Decimal(0)) + quantity(amount)
    return total


def guards(states: list[NodeState]) -> list[NodeState]:
    """The nodes with pods that have anti-affinity rules."""
    return [state for state in states if state.guarded]


def reason_against(pod: Object, state: NodeState, states: list[NodeState], guarding: list[NodeState]) -> Reason | None:
    """Why the pod may not run on this node, or None; `guarding` are the `guards` of the nodes."""
    checks: tuple[Callable[[], Reason | None], ...] = (
        lambda: _unschedulable(pod, state.node),
        lambda: _taints(pod, state.node),
        lambda: _affinity(pod, state.node),
        lambda: _ports(pod, state),
        lambda: _resources(pod, state),
        lambda: _spread(pod, state, states),
        lambda: _pod_affinity(pod, state, states, guarding),
    )
    return next((reason for check in checks if (reason := check())), None)


def tolerates(tolerations: list[Object], taint: Object) -> bool:
    """Whether one of the tolerations tolerates the taint."""
    return any(_tolerates(toleration, taint) for toleration in tolerations)


def _tolerates(toleration: Object, taint: Object) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    key = toleration.get("key")
    if not key:
        return toleration.get("operator") == "Exists"
    if key != taint["key"]:
        return False
    return toleration.get("operator") == "Exists" or (toleration.get("value") or "") == (taint.get("value") or "")


def _unschedulable(pod: Object, node: Object) -> Reason | None:
    taint = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if node["spec"].get("unschedulable") and not tolerates(pod["spec"].get("tolerations") or [], taint):
        return Reason("node(s) were unschedulable")
    return None


def _taints(pod: Object, node: Object) -> Reason | None:
    for taint in node["spec"].get("taints") or []:
        if taint["effect"] in ("NoSchedule", "NoExecute") and not tolerates(
            pod["spec"].get("tolerations") or [], taint
        ):
            return Reason(f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value') or ''}}}")
    return None


def fits_affinity(pod: Object, node: Object) -> bool:
    """Whether nodeSelector and required node affinity select the node."""
    selector = pod["spec"].get("nodeSelector")
    if selector and not matches_map(selector, node["metadata"].get("labels")):
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(matches_node(term, node) for term in required.get("nodeSelectorTerms") or [])


def _affinity(pod: Object, node: Object) -> Reason | None:
    return None if fits_affinity(pod, node) else Reason("node(s) didn't match Pod's node affinity/selector")


def _host_ports(pod: Object) -> set[tuple[str, int]]:
    return {
        (port.get("protocol", "TCP"), port["hostPort"])
        for container in pod["spec"]["containers"]
        for port in container.get("ports") or []
        if port.get("hostPort")
    }


def _ports(pod: Object, state: NodeState) -> Reason | None:
    wanted = _host_ports(pod)
    if wanted and any(wanted & _host_ports(other) for other in state.pods):
        return Reason("node(s) didn't have free ports for the requested pod ports", fixed=False)
    return None


def _resources(pod: Object, state: NodeState) -> Reason | None:
    allocatable = state.node["status"]["allocatable"]
    if len(state.pods) >= quantity(allocatable.get("pods", 0)):
        return Reason("Too many pods", fixed=False)
    wanted = requests(pod)
    if not wanted:
        return None
    for name, amount in wanted.items():
        if amount and state.used.get(name, Decimal(0)) + amount > quantity(allocatable.get(name, 0)):
            return Reason(f"Insufficient {name}", fixed=False)
    return None


def _spread(pod: Object, state: NodeState, states: list[NodeState]) -> Reason | None:
    text = "node(s) didn't match pod topology spread constraints"
    for rule in pod["spec"].get("topologySpreadConstraints") or []:
        if rule.get("whenUnsatisfiable", "DoNotSchedule") != "DoNotSchedule":
            continue
        own = _domain(rule, state)
        if own is None:
            return Reason(f"{text} (missing required label)")
        counts: Counter[str] = Counter()
        for other in states:
            domain = _domain(rule, other)
            if domain is not None and fits_affinity(pod, other.node):
                counts[domain] += sum(_spreads_with(pod, rule, each) for each in other.pods)
        least = min(counts.values(), default=0)
        if counts[own] + _spreads_with(pod, rule, pod) - least > rule["maxSkew"]:
            return Reason(text, fixed=False)
    return None


def _domain(rule: Object, state: NodeState) -> str | None:
    return (state.node["metadata"].get("labels") or {}).get(rule["topologyKey"])


def _spreads_with(pod: Object, rule: Object, other: Object) -> bool:
    same = other["metadata"]["namespace"] == pod["metadata"]["namespace"]
    return same and matches(rule.get("labelSelector"), other["metadata"].get("labels"))


def _pod_affinity(pod: Object, state: NodeState, states: list[NodeState], guarding: list[NodeState]) -> Reason | None:
    rules = pod["spec"].get("affinity") or {}
    for term in _required(rules.get("podAffinity")):
        peers = _peers(pod, term, states)
        if not any(_same_domain(term, state, other) for other, _ in peers) and (peers or not _selects(pod, term, pod)):
            return Reason("node(s) didn't match pod affinity rules")
    for term in _required(rules.get("podAntiAffinity")):
        if any(_same_domain(term, state, other) for other, _ in _peers(pod, term, states)):
            return Reason("node(s) didn't match pod anti-affinity rules", fixed=False)
    for other_state in guarding:
        for other in other_state.guarded.values():
            for term in _required((other["spec"].get("affinity") or {}).get("podAntiAffinity")):
                if _selects(other, term, pod) and _same_domain(term, state, other_state):
                    return Reason("node(s) didn't satisfy existing pods anti-affinity rules", fixed=False)
    return None


def _required(rules: Object | None) -> list[Object]:
    return (rules or {}).get("requiredDuringSchedulingIgnoredDuringExecution") or []


def _peers(pod: Object, term: Object, states: list[NodeState]) -> list[tuple[NodeState, Object]]:
    return [(state, other) for state in states for other in state.pods if _selects(pod, term, other)]


def _selects(owner: Object, term: Object, other: Object) -> bool:
    namespaces = term.get("namespaces") or ([] if "namespaceSelector" in term else [owner["metadata"]["namespace"]])
    if namespaces and other["metadata"]["namespace"] not in namespaces:
        return False
    return matches(term.get("labelSelector"), other["metadata"].get("labels"))


def _same_domain(term: Object, a: NodeState, b: NodeState) -> bool:
    key = term["topologyKey"]
    labels_a, labels_b = a.node["metadata"].get("labels") or {}, b.node["metadata"].get("labels") or {}
    return key in labels_a and labels_a.get(key) == labels_b.get(key)


def explain(reasons: list[Reason], *, preempts: bool = False) -> str:
    """The message of the Unschedulable condition, for one reason a node; other pods are asked to go if it preempts."""
    count = len(reasons)
    why = ", ".join(sorted(f"{n} {text}" for text, n in Counter(r.text for r in reasons).items()))
    help_counts = Counter(UNHELPFUL if r.fixed else NO_VICTIMS for r in reasons)
    preemption = ", ".join(sorted(f"{n} {text}" for text, n in help_counts.items()))
    head = f"0/{count} nodes are available"
    if not count:
        return "no nodes available to schedule pods"
    return f"{head}: {why}." if preempts else f"{head}: {why}. preemption: {head}: {preemption}."


def explain_all(message: str, nodes: int) -> str:
    """The message when the pod itself is the reason, whatever the node."""
    head = f"0/{nodes} nodes are available"
    return f"{head}: {message}. preemption: {head}: {nodes} {UNHELPFUL}."


def score(pod: Object, state: NodeState) -> tuple[int, int, str]:
    """The higher the better: preferred affinity first, then the emptier node, then the name (lower first)."""
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    preferred = sum(
        term["weight"]
        for term in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or []
        if matches_node(term["preference"], state.node)
    )
    soft = sum(
        1
        for taint in state.node["spec"].get("taints") or []
        if taint["effect"] == "PreferNoSchedule" and not tolerates(pod["spec"].get("tolerations") or [], taint)
    )
    return preferred - 100 * soft, -len(state.pods), "".join(chr(0x10FFFF - ord(c)) for c in state.name)
