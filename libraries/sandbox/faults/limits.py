"""When an active fault strikes: at most so often, with a probability, for some pods, in a phase."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .declaration import LIMITS, Fault

PHASES = tuple(f"{when}-{work}" for work in ("checkpoint", "restore") for when in ("before", "during", "after"))
_SEED = 1


class FaultError(ValueError):
    """No such fault, or not a parameter of it; the text says what is allowed."""


@dataclass
class Limits:
    """Limits of one activation.

    Attributes:
        count: how often it strikes at most; None: always.
        each: how often it strikes requests of the same kind at most.
        probability: of striking, drawn from `seed`.
        namespace: only there.
        pod: only pods of that name, and what is restored from them.
        phase: only then; one of `PHASES`.
    """

    count: int | None = None
    each: int | None = None
    probability: float = 1.0
    seed: int = _SEED
    namespace: str = ""
    pod: str = ""
    phase: str = ""
    hits: int = 0
    _of_kind: Counter[str] = field(default_factory=Counter)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - repeatable on purpose

    def fits(self, namespace: str, pod: str) -> bool:
        """Whether a pod, or a request for one, is concerned. What is not known ("") does not fit a limit."""
        return self.namespace in ("", namespace) and (not self.pod or _named_for(pod, self.pod))

    def strike(self, kind: str) -> bool:
        """Whether it strikes now; counted when it does."""
        if self.count is not None and self.hits >= self.count:
            return False
        if self.each is not None and self._of_kind[kind] >= self.each:
            return False
        if self.probability < 1 and self._random.random() >= self.probability:
            return False
        self.hits += 1
        self._of_kind[kind] += 1
        return True


def _named_for(pod: str, name: str) -> bool:
    return pod == name or pod.startswith(f"{name}-restored")


def settings(fault: Fault, given: Mapping[str, Any]) -> tuple[dict[str, Any], Limits]:
    """The parameters and limits of an activation, from texts or JSON values. Raises FaultError."""
    allowed = sorted(fault.limits | set(fault.parameters))
    for key in given:
        if key not in allowed:
            raise FaultError(f"fault {fault.name} has no parameter {key!r}; allowed are {', '.join(allowed)}")
    values = {**fault.defaults, **{key: _parsed(fault, key, value) for key, value in given.items()}}
    limits = Limits(**{key: value for key, value in values.items() if key in LIMITS})
    return {key: value for key, value in values.items() if key not in LIMITS}, limits


def _parsed(fault: Fault, key: str, value: Any) -> Any:
    parse = _OF_LIMIT.get(key) or _OF_TYPE[type(fault.parameters[key])]
    try:
        return parse(value)
    except (TypeError, ValueError) as problem:
        raise FaultError(f"fault {fault.name}: {key} is {value!r}; allowed is {problem}") from None


def _whole(least: int) -> Callable[[Any], int]:
    def parse(value: Any) -> int:
        if isinstance(value, bool) or not str(value).isdecimal() or int(value) < least:
            raise ValueError(f"a whole number from {least} on")
        return int(value)

    return parse


def _number(least: float, most: float) -> Callable[[Any], float]:
    def parse(value: Any) -> float:
        try:
            number = least - 1 if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = least - 1
        if not least <= number <= most:
            raise ValueError(f"a number from {least:g} to {most:g}")
        return number

    return parse


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("a text")
    return value


def _phase(value: Any) -> str:
    if value not in PHASES:
        raise ValueError(f"one of {', '.join(PHASES)}")
    return str(value)


_OF_LIMIT: dict[str, Callable[[Any], Any]] = {
    "count": _whole(1),
    "each": _whole(1),
    "probability": _number(0, 1),
    "seed": _whole(0),
    "namespace": _text,
    "pod": _text,
    "phase": _phase,
}
_OF_TYPE: dict[type, Callable[[Any], Any]] = {int: _whole(0), float: _number(0, 86_400), str: _text}
