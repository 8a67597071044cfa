"""Label and field selectors of a query, with the parser's words for bad ones.

Source: k8s.io/apimachinery pkg/labels (selector.go) and pkg/fields (selector.go).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from ..kinds import Kind, fields, strategy
from .status import bad_request

Match = Callable[[dict[str, Any]], bool]
_TOKEN = re.compile(r"\s*(==|!=|=|>|<|\(|\)|,|!|[^\s=!<>(),]+)")
_SYMBOLS = ("==", "!=", "=", ">", "<", "(", ")", ",", "!")
_OPERATORS = ("=", "==", "!=", "in", "notin", ">", "<", "gt", "lt")


class _Tokens:
    def __init__(self, text: str) -> None:
        self._items = _TOKEN.findall(text)
        self._position = 0

    def peek(self) -> str:
        return self._items[self._position] if self._position < len(self._items) else ""

    def take(self) -> str:
        token = self.peek()
        self._position += 1
        return token


def labels(text: str) -> Callable[[dict[str, str]], bool] | None:
    """A label selector, or None when there is none. Raises 400."""
    if not text.strip():
        return None
    tokens = _Tokens(text)
    requirements = []
    while True:
        requirements.append(_requirement(tokens))
        if tokens.peek() == "":
            break
        if tokens.take() != ",":
            raise _parse_error(f"found '{tokens.peek()}', expected: ',' or 'end of string'")
        if tokens.peek() == "":
            raise _parse_error("found '', expected: identifier after ','")
    return lambda found: all(requirement(found) for requirement in requirements)


def _parse_error(why: str) -> Exception:
    return bad_request(f"unable to parse requirement: {why}")


def _requirement(tokens: _Tokens) -> Callable[[dict[str, str]], bool]:
    token = tokens.take()
    if token == "!":  # noqa: S105 - a selector's token
        key = _key(tokens.take())
        return lambda found: key not in found
    key = _key(token)
    operator = tokens.peek()
    if operator in ("", ","):
        return lambda found: key in found
    if operator not in _OPERATORS:
        expected = "in, notin, =, ==, !=, gt, lt"
        raise _parse_error(f"found '{operator}', expected: {expected}")
    tokens.take()
    if operator in ("in", "notin"):
        values = _values(tokens)
        return (
            (lambda found: key in found and found[key] in values)
            if operator == "in"
            else (lambda found: found.get(key) not in values)
        )
    value = _value(tokens, key)
    if operator in ("=", "=="):
        return lambda found: found.get(key) == value
    if operator == "!=":
        return lambda found: found.get(key) != value
    return _compare(key, value, greater=operator in (">", "gt"))


def _compare(key: str, value: str, *, greater: bool) -> Callable[[dict[str, str]], bool]:
    if not re.fullmatch(r"-?\d+", value):
        raise bad_request(
            f"values[0][{key}]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer"
        )
    limit = int(value)

    def holds(found: dict[str, str]) -> bool:
        text = found.get(key, "")
        if not re.fullmatch(r"-?\d+", text):
            return False
        return int(text) > limit if greater else int(text) < limit

    return holds


def _key(token: str) -> str:
    if token == "" or token in _SYMBOLS:
        raise _parse_error(f"found '{token}', expected: !, identifier, or 'end of string'")
    problems = fields.qualified_problems(token)
    if problems:
        raise _parse_error(f'key: Invalid value: "{token}": {"; ".join(problems)}')
    return token


def _value(tokens: _Tokens, key: str) -> str:
    token = tokens.peek()
    if token in ("", ","):
        return ""
    if token in _SYMBOLS:
        raise _parse_error(f"found '{token}', expected: identifier")
    return _checked(tokens.take(), key, 0)


def _checked(value: str, key: str, index: int) -> str:
    problems = fields.label_value_problems(value)
    if problems:
        raise _parse_error(f'values[{index}][{key}]: Invalid value: "{value}": {"; ".join(problems)}')
    return value


def _values(tokens: _Tokens) -> set[str]:
    opened = tokens.take()
    if opened != "(":
        raise _parse_error(f"found '{opened}' expected: '('")
    values: set[str] = set()
    while True:
        token = tokens.take()
        if token == "":
            raise _parse_error("found '', expected: ',', ')' or identifier")
        if token == ")":  # noqa: S105 - a selector's token
            return values
        if token == ",":  # noqa: S105 - a selector's token
            if tokens.peek() in (",", ")"):
                values.add("")
            continue
        values.add(_checked(token, "", len(values)))


def field(kind: Kind, text: str) -> Match | None:
    """A field selector for a kind, or None when there is none. Raises 400."""
    if not text:
        return None
    plan = strategy.of(kind)
    terms: list[tuple[str, str, bool]] = []
    for term in _split(text):
        key, operator, value = _term(term)
        if key not in plan.selectable:
            raise bad_request(_unknown_field(key, plan))
        terms.append((key, value, operator != "!="))

    def matches(obj: dict[str, Any]) -> bool:
        return all((plan.field(obj, key) == value) == wanted for key, value, wanted in terms)

    return matches


def _unknown_field(key: str, plan: strategy.Strategy) -> str:
    if tuple(plan.selectable) == tuple(strategy.Strategy.selectable):
        return f'"{key}" is not a known field selector: only "metadata.name", "metadata.namespace"'
    return f"field label not supported: {key}"


def _split(text: str) -> list[str]:
    return [part for part in re.split(r"(?<!\\),", text) if part]


def _term(term: str) -> tuple[str, str, str]:
    for operator in ("!=", "==", "="):
        key, found, value = term.partition(operator)
        if found:
            return key.strip(), operator, re.sub(r"\\(.)", r"\1", value.strip())
    raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")


def matcher(kind: Kind, label_selector: str, field_selector: str) -> Match | None:
    """Both selectors as one question, or None when everything matches. Raises 400."""
    by_label, by_field = labels(label_selector), field(kind, field_selector)
    if by_label is None:
        return by_field
    if by_field is None:
        return lambda obj: by_label(obj["metadata"].get("labels") or {})
    return lambda obj: by_label(obj["metadata"].get("labels") or {}) and by_field(obj)
