"""Expands the words of a script: variables, arithmetic, command substitution, field splitting."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping

from .tokens import Part, Unsupported, Word

_NAME = re.compile(r"\$?\{?([A-Za-z_]\w*)\}?")
_OCTAL = re.compile(r"\b0+(?=\d)")
_OPERATORS: dict[type[ast.AST], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda a, b: int(a / b),
    ast.Mod: operator.mod,
    ast.Lt: operator.lt,
    ast.Gt: operator.gt,
    ast.LtE: operator.le,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


class Expander:
    """Expands words with these variables; `capture` runs a command substitution and gives its output."""

    def __init__(self, variables: Mapping[str, str], capture: Callable[[str], str]) -> None:
        self.variables = variables
        self.capture = capture

    def text(self, word: Word) -> str:
        """The word as one string (assignments, redirections)."""
        return "".join(self._part(part) for part in word.parts)

    def fields(self, words: tuple[Word, ...]) -> list[str]:
        """The words after expansion and field splitting."""
        return [field for word in words for field in self._fields(word)]

    def _fields(self, word: Word) -> list[str]:
        fields: list[str] = []
        open_field: str | None = None
        for part in word.parts:
            text = self._part(part)
            if part.kind == "text" or part.quoted:
                open_field = (open_field or "") + text
                continue
            pieces = text.split()
            if not pieces or text[0].isspace():
                fields, open_field = self._close(fields, open_field)
            for piece in pieces[:-1]:
                fields.append((open_field or "") + piece)
                open_field = None
            if pieces:
                open_field = (open_field or "") + pieces[-1]
                if text[-1].isspace():
                    fields, open_field = self._close(fields, open_field)
        return self._close(fields, open_field)[0]

    @staticmethod
    def _close(fields: list[str], open_field: str | None) -> tuple[list[str], None]:
        return (fields if open_field is None else [*fields, open_field]), None

    def _part(self, part: Part) -> str:
        if part.kind == "var":
            return self.variables.get(part.text, "") or part.default
        if part.kind == "sub":
            return self.capture(part.text).rstrip("\n")
        if part.kind == "math":
            return str(arithmetic(part.text, self.variables))
        return part.text


def arithmetic(expression: str, variables: Mapping[str, str]) -> int:
    """The value of `$((expression))`. Raises Unsupported for what is not + - * / % or a comparison of integers."""
    plain = _NAME.sub(lambda match: variables.get(match.group(1), "") or "0", expression).strip()
    try:
        return _value(ast.parse(_OCTAL.sub("0o", plain) or "0", mode="eval").body)
    except (SyntaxError, ZeroDivisionError) as error:
        raise Unsupported(f"$(({expression}))") from error


def _value(node: ast.AST) -> int:
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_value(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        return _OPERATORS[type(node.op)](_value(node.left), _value(node.right))
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in _OPERATORS:
        return int(_OPERATORS[type(node.ops[0])](_value(node.left), _value(node.comparators[0])))
    raise Unsupported("an arithmetic expression that is not + - * / % or a comparison")
