"""What a kind does beyond being stored: defaults, what a client may set, validation, columns, field selectors."""
# ruff: noqa: ARG002 - a strategy need not look at all that it is given

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import fields
from .fields import FieldError
from .kind import Kind

Object = dict[str, Any]

NAME_DOC = "@io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.name"
AGE_DOC = "@io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta.creationTimestamp"


@dataclass(frozen=True)
class Column:
    """A column of `kubectl get`. A description that begins with @ is looked up in the API's documentation:
    `@definition.field`."""

    name: str
    description: str
    type: str = "string"
    priority: int = 0

    @property
    def format(self) -> str:
        """`name` for the column that names the object."""
        return "name" if self.name == "Name" else ""


NAME = Column("Name", NAME_DOC)
AGE = Column("Age", AGE_DOC)


class Strategy:
    """A kind without anything of its own; the modules beside this one have the others."""

    columns: Sequence[Column] = (NAME, AGE)
    selectable: Sequence[str] = ("metadata.name", "metadata.namespace")
    has_status = False
    needs_version = False
    creates_on_update = False

    def name_problems(self, name: str) -> list[str]:
        """Why the name cannot be."""
        return fields.subdomain_problems(name)

    def default(self, obj: Object) -> None:
        """Sets what a client left out."""

    def prepare_create(self, obj: Object) -> None:
        """Takes away what a client may not set, sets what the server sets."""

    def prepare_update(self, obj: Object, old: Object) -> None:
        """Keeps what an update may not change."""

    def prepare_status(self, obj: Object, old: Object) -> None:
        """Keeps what an update of the status may not change."""

    def validate(self, obj: Object) -> list[FieldError]:
        """What is wrong with a new object."""
        return []

    def validate_update(self, obj: Object, old: Object) -> list[FieldError]:
        """What is wrong with a changed object, beyond `validate`."""
        return []

    def warnings(self, obj: Object) -> list[str]:
        """What the server warns of."""
        return []

    def unknown_fields(self, obj: Object) -> list[str]:
        """Paths that a custom kind's schema does not have; built-in kinds have types for that."""
        return []

    def field(self, obj: Object, selector: str) -> str:
        """The value that a field selector compares."""
        return str(dig(obj, selector) or "")

    def row(self, obj: Object) -> list[Any]:
        """The cells of `kubectl get`, wide ones included."""
        return [obj["metadata"]["name"], age(obj)]

    def row_conditions(self, obj: Object) -> list[dict[str, str]]:
        """Conditions of the row: whether the object has completed."""
        return []


_STRATEGIES: dict[Kind, Strategy] = {}


def register(*kinds: Kind) -> Callable[[type[Strategy]], type[Strategy]]:
    """Makes a strategy the one of these kinds."""

    def add(strategy: type[Strategy]) -> type[Strategy]:
        for kind in kinds:
            _STRATEGIES[kind] = strategy()
        return strategy

    return add


def set_strategy(kind: Kind, strategy: Strategy) -> None:
    """The same for kinds that come up while the server runs."""
    _STRATEGIES[kind] = strategy


_PLAIN = Strategy()


def of(kind: Kind) -> Strategy:
    """The strategy of a kind."""
    return _STRATEGIES.get(kind, _PLAIN)


def dig(obj: Any, path: str) -> Any:
    """The value at a dotted path, or None."""
    for part in path.split("."):
        obj = obj.get(part) if isinstance(obj, dict) else None
    return obj


def default(obj: Object, **values: Any) -> None:
    """Sets each field that is missing or empty."""
    for key, value in values.items():
        if obj.get(key) in (None, ""):
            obj[key] = value


def moment(text: str) -> datetime:
    """A timestamp of the API."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def now() -> str:
    """This moment, as the API writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def since(text: str | None) -> str:
    """How long ago, as kubectl prints it."""
    if not text:
        return "<unknown>"
    return human((datetime.now(UTC) - moment(text)).total_seconds())


def age(obj: Object) -> str:
    """The age of an object, as kubectl prints it."""
    return since(obj["metadata"].get("creationTimestamp"))


_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 86400 * 365
_SPELLED = (
    (2 * _MINUTE, 1, "s", 0, ""),
    (10 * _MINUTE, _MINUTE, "m", 1, "s"),
    (3 * _HOUR, _MINUTE, "m", 0, ""),
    (8 * _HOUR, _HOUR, "h", _MINUTE, "m"),
    (2 * _DAY, _HOUR, "h", 0, ""),
    (8 * _DAY, _DAY, "d", _HOUR, "h"),
    (2 * _YEAR, _DAY, "d", 0, ""),
    (8 * _YEAR, _YEAR, "y", _DAY, "d"),
)


def human(seconds: float) -> str:
    """A duration as `kubectl get` writes it (k8s.io/apimachinery pkg/util/duration: HumanDuration)."""
    total = int(seconds)
    if total < 0:
        return "<invalid>" if total < -1 else "0s"
    for below, large, unit, small, small_unit in _SPELLED:
        if total < below:
            rest = total % large // small if small else 0
            return f"{total // large}{unit}" + (f"{rest}{small_unit}" if rest else "")
    return f"{total // _YEAR}y"


def selector_text(selector: Object | None) -> str:
    """A label selector as kubectl prints it."""
    if not selector:
        return "<none>"
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for item in selector.get("matchExpressions") or []:
        parts.append(_expression(item))
    return ",".join(parts) or "<none>"


def _expression(item: Object) -> str:
    key, operator = item["key"], item["operator"]
    if operator in ("Exists", "DoesNotExist"):
        return key if operator == "Exists" else f"!{key}"
    values = ",".join(sorted(item.get("values") or []))
    return f"{key} {'in' if operator == 'In' else 'notin'} ({values})"


def selects(selector: Object | None, labels: dict[str, str] | None) -> bool:
    """Whether a label selector of an object (matchLabels, matchExpressions) matches; None matches nothing."""
    if selector is None:
        return False
    have = labels or {}
    if any(have.get(key) != value for key, value in (selector.get("matchLabels") or {}).items()):
        return False
    return all(_holds(item, have) for item in selector.get("matchExpressions") or [])


def _holds(item: Object, labels: dict[str, str]) -> bool:
    key, operator, values = item["key"], item["operator"], item.get("values") or []
    if operator == "In":
        return labels.get(key) in values and key in labels
    if operator == "NotIn":
        return key not in labels or labels[key] not in values
    is_there = key in labels
    return is_there if operator == "Exists" else not is_there
