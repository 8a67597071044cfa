"""Runs without a fault: each on another cluster, with another propagator, at another pace. None may fail."""

from __future__ import annotations

import random
from dataclasses import dataclass

from tests.end_to_end.runner import ROOT

ERAS = ("seed", "jan26", "next")
FIRST = "lifecycle"


@dataclass(frozen=True)
class Circumstances:
    """Of one run: the sandbox's options, and the suites by name."""

    options: tuple[str, ...]
    suites: tuple[str, ...]
    era: str
    nodes: int

    @property
    def paths(self) -> list[str]:
        """Of the suites, from the root."""
        return [f"suites/{name}.robot" for name in self.suites]

    def __str__(self) -> str:
        return f"{' '.join(self.suites)} ({self.era}, {self.nodes} nodes)"


def suites() -> list[str]:
    """The names of all suites, the lifecycle first."""
    names = sorted(file.stem for file in (ROOT / "suites").glob("[!_]*.robot"))
    return sorted(names, key=lambda name: name != FIRST)


def circumstances(seed: int, number: int, names: list[str]) -> Circumstances:
    """Those of run `number` (from 0 on), always the same ones.

    Every other run is of the lifecycle, the others take the suites in turn, so that all get their share; one in two has
    a second suite beside it.
    """
    draw = random.Random(f"{seed}/{number}")  # noqa: S311 - repeatable on purpose
    others = names[1:] or names
    chosen = [names[0] if number % 2 == 0 else others[number // 2 % len(others)]]
    rest = [name for name in names if name not in chosen]
    if rest and draw.random() < 0.5:
        chosen.append(draw.choice(rest))
    latencies = {
        "pod_start": draw.uniform(0.05, 1.0),
        "pod_stop": draw.uniform(0.05, 0.8),
        "checkpoint": draw.uniform(0.1, 2.0),
        "restore": draw.uniform(0.1, 2.0),
        "uninstall": draw.uniform(0.1, 2.0),
    }
    paces = [part for name, seconds in latencies.items() for part in ("--latency", f"{name}={seconds:.2f}")]
    nodes, era = draw.randint(1, 4), draw.choice(ERAS)
    return Circumstances(("--nodes", str(nodes), "--era", era, *paces), tuple(chosen), era, nodes)
