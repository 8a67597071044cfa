"""What can be spoiled in a module: each mutation changes one spot of its syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLS = {"min": "max", "max": "min", "any": "all", "all": "any"}
BODIES = ("body", "orelse", "finalbody")
FOR_PEOPLE = ("logger.",)
"""Statements that are left alone: what only a log tells."""
NEEDED = ("super().__init__",)
"""Statements that are not taken away: nothing works without them."""


@dataclass(frozen=True)
class Mutation:
    """One spot, as it is and as it would be.

    Attributes:
        line: where it is.
        lines: those of the statement around it: a test that comes by one of them may notice.
        place: the class and function around it; empty at the module's level.
        before: the code there, for people and for the list of equivalent ones.
        after: the same, spoiled.
        inside: of a constant or a sum, what it stands in.
        apply: spoils it, in the tree that it was found in.
    """

    line: int
    lines: tuple[int, ...]
    place: str
    before: str
    after: str
    apply: Callable[[], None] = field(repr=False, compare=False)
    inside: str = ""

    @property
    def what(self) -> str:
        """In one line, without a line number, so that it stays the same when the code around it changes."""
        inside = f" in {self.inside}" if self.inside else ""
        return f"{self.place or 'module'}: {self.before} -> {self.after}{inside}"


def mutations(tree: ast.Module) -> list[Mutation]:
    """All mutations of a module, in the order of its text."""
    return sorted(_of(tree, "", ()), key=lambda one: one.line)


def spoiled(source: str, number: int) -> ast.Module:
    """The module with its mutation of that number."""
    tree = ast.parse(source)
    mutations(tree)[number].apply()
    return ast.fix_missing_locations(tree)


def _of(node: ast.AST, place: str, lines: tuple[int, ...]) -> Iterator[Mutation]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        place = f"{place}.{node.name}".lstrip(".")
    for mutate in (_comparison, _operator, _negation, _condition, _constant, _call, _result):
        yield from (replace(one, lines=lines or one.lines) for one in mutate(node, place))
    yield from _statements(node, place)
    for child in _children(node):
        found = _of(child, place, _lines_of(child) if isinstance(child, ast.stmt) else lines)
        inside = _line(ast.unparse(node)) if isinstance(child, ast.Constant | ast.BinOp) else ""
        yield from (replace(one, inside=one.inside or inside) for one in found) if inside else found


def _lines_of(statement: ast.stmt) -> tuple[int, ...]:
    """A statement's lines; of one that has others in it those before the first of them."""
    body = getattr(statement, "body", None)
    last = max(statement.lineno, body[0].lineno - 1) if body else statement.end_lineno or statement.lineno
    return tuple(range(statement.lineno, last + 1))


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """What can be spoiled below a node: no annotations, decorators, docstrings, asserts, and no texts of f-strings."""
    skipped = (
        {"annotation", "returns", "decorator_list", "bases", "keywords"}
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.arg | ast.AnnAssign)
        else set()
    )
    for name, value in ast.iter_fields(node):
        if name in skipped:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_said(node, child):
                yield child


def _is_said(node: ast.AST, child: ast.AST) -> bool:
    text = isinstance(child, ast.Constant) and isinstance(child.value, str)
    if text and isinstance(node, ast.Expr | ast.JoinedStr):
        return True
    if isinstance(child, ast.Assert | ast.Import | ast.ImportFrom):
        return True
    if isinstance(child, ast.Expr) and ast.unparse(child).startswith(FOR_PEOPLE):
        return True
    if isinstance(child, ast.Assign):
        return ast.unparse(child).startswith("__all__ = ") or ast.unparse(child.value).startswith("TypeVar(")
    return isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING"


def _comparison(node: ast.AST, place: str) -> Iterator[Mutation]:
    if not isinstance(node, ast.Compare):
        return
    for number, operator in enumerate(node.ops):
        yield _changed(node, place, partial(_put, node, "ops", number, COMPARISONS[type(operator)]()))


def _operator(node: ast.AST, place: str) -> Iterator[Mutation]:
    if isinstance(node, ast.BoolOp):
        to: ast.AST = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        to = ARITHMETIC[type(node.op)]()
    else:
        return
    yield _changed(node, place, lambda: setattr(node, "op", to))


def _negation(node: ast.AST, place: str) -> Iterator[Mutation]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        operand = node.operand
        yield _changed(node, place, lambda: setattr(node, "operand", ast.UnaryOp(ast.Not(), operand)))


def _condition(node: ast.AST, place: str) -> Iterator[Mutation]:
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        test = node.test
        if not isinstance(test, ast.Compare | ast.UnaryOp | ast.Constant):  # their own mutations are the same
            negated = ast.copy_location(ast.UnaryOp(ast.Not(), test), test)
            after = f"not ({ast.unparse(test)})"
            yield _changed(test, place, partial(setattr, node, "test", negated), after=after)
    if isinstance(node, ast.comprehension):
        for number, test in enumerate(node.ifs):
            always = ast.copy_location(ast.Constant(True), test)
            yield _changed(test, place, partial(_put, node, "ifs", number, always), after="True")


def _constant(node: ast.AST, place: str) -> Iterator[Mutation]:
    if not isinstance(node, ast.Constant):
        return
    value = node.value
    if isinstance(value, bool):
        to: object = not value
    elif isinstance(value, int | float):
        to = value + 1
    elif isinstance(value, str) and not any(letter.isspace() for letter in value):
        to = f"{value}XX"
    else:
        return
    yield _changed(node, place, lambda: setattr(node, "value", to))


def _call(node: ast.AST, place: str) -> Iterator[Mutation]:
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
        function, to = node.func, CALLS[node.func.id]
        yield _changed(node, place, lambda: setattr(function, "id", to))


def _result(node: ast.AST, place: str) -> Iterator[Mutation]:
    if isinstance(node, ast.Return) and node.value and not isinstance(node.value, ast.Constant):
        yield _changed(node, place, lambda: setattr(node, "value", ast.copy_location(ast.Constant(None), node)))


def _statements(node: ast.AST, place: str) -> Iterator[Mutation]:
    for name in BODIES:
        body = getattr(node, name, None)
        if not isinstance(body, list):
            continue
        for number, statement in enumerate(body):
            if to := _in_place_of(statement):
                there = ast.copy_location(to, statement)
                found = _changed(statement, place, partial(_put, node, name, number, there), after=ast.unparse(to))
                yield replace(found, lines=_lines_of(statement))


def _put(node: ast.AST, name: str, number: int, to: Any) -> None:
    getattr(node, name)[number] = to


def _in_place_of(statement: ast.stmt) -> ast.stmt | None:
    """What a statement is replaced by: nothing, or the other way out of a loop."""
    if isinstance(statement, ast.Break):
        return ast.Continue()
    if isinstance(statement, ast.Continue):
        return ast.Break()
    if isinstance(statement, ast.Expr):
        text = isinstance(statement.value, ast.Constant)
        return None if text or ast.unparse(statement).startswith((*FOR_PEOPLE, *NEEDED)) else ast.Pass()
    if isinstance(statement, ast.AugAssign | ast.Delete | ast.Raise):
        return ast.Pass()
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Attribute | ast.Subscript):
        return ast.Pass()
    return None


def _changed(node: ast.AST, place: str, apply: Callable[[], None], after: str = "") -> Mutation:
    """The mutation, with the code after it; it is tried on the node and undone for that."""
    before = _line(ast.unparse(node))
    if not after:
        saved = {name: list(value) if isinstance(value, list) else value for name, value in ast.iter_fields(node)}
        function = getattr(node, "func", None)
        called = getattr(function, "id", None)
        apply()
        after = ast.unparse(ast.fix_missing_locations(node))
        for name, value in saved.items():
            setattr(node, name, value)
        if called:
            function.id = called  # type: ignore[union-attr]
    line = getattr(node, "lineno", 0)
    return Mutation(line, (line,), place, before, _line(after), apply)


def _line(code: str) -> str:
    text = " ".join(code.split())
    return text if len(text) <= 90 else f"{text[:60]} ... {text[-25:]}"
