"""Cuts a small POSIX shell script into words and operators.

What the emulation does not know (here-documents, functions, case, globs as patterns) raises Unsupported.
"""

from __future__ import annotations

from dataclasses import dataclass

OPERATORS = ("&&", "||", ">>", ">&", "<&", "<<", ";;", ";", "&", "|", "\n", "(", ")", ">", "<")
_BLANK = " \t\r"


class Unsupported(Exception):
    """The script uses something that the emulation does not know; the message names it."""


@dataclass(frozen=True)
class Part:
    """A piece of a word. kind: `text`, `var` (with default), `sub` (command substitution), `math`."""

    kind: str
    text: str
    quoted: bool
    default: str = ""


@dataclass(frozen=True)
class Word:
    """One word; it expands to one string, or to several or none when an unquoted expansion is in it."""

    parts: tuple[Part, ...]

    @property
    def plain(self) -> str | None:
        """The word's text when nothing in it is expanded or quoted (so that it may be a keyword), else None."""
        return (
            self.parts[0].text
            if len(self.parts) == 1 and self.parts[0] == Part("text", self.parts[0].text, False)
            else None
        )


@dataclass(frozen=True)
class Token:
    """A word or an operator, and where in the source it begins and ends."""

    start: int
    end: int
    word: Word | None = None
    operator: str = ""


class Tokenizer:
    """Walks over the source once."""

    def __init__(self, source: str) -> None:
        self.source = source.replace("\\\n", "")
        self.at = 0

    def tokens(self) -> list[Token]:
        """All tokens of the source."""
        found: list[Token] = []
        while self.at < len(self.source):
            char = self.source[self.at]
            if char in _BLANK:
                self.at += 1
            elif char == "#" and (self.at == 0 or self.source[self.at - 1] in " \t\r\n;"):
                self._skip_comment()
            else:
                found.append(self._operator() or self._word())
        return found

    def _skip_comment(self) -> None:
        end = self.source.find("\n", self.at)
        self.at = len(self.source) if end < 0 else end

    def _operator(self) -> Token | None:
        for operator in OPERATORS:
            if self.source.startswith(operator, self.at):
                if operator in ("<<", ";;"):
                    raise Unsupported(f"{operator!r} in a script")
                self.at += len(operator)
                return Token(self.at - len(operator), self.at, operator=operator)
        return None

    def _word(self) -> Token:
        start, parts = self.at, list[Part]()
        while self.at < len(self.source) and self.source[self.at] not in " \t\r\n;&|()<>":
            parts.extend(self._piece())
        return Token(start, self.at, word=Word(tuple(_joined(parts))))

    def _piece(self) -> list[Part]:
        char = self.source[self.at]
        if char == "'":
            end = self._find("'", self.at + 1)
            text, self.at = self.source[self.at + 1 : end], end + 1
            return [Part("text", text, True)]
        if char == '"':
            return self._double_quoted()
        if char == "\\":
            self.at += 2
            return [Part("text", self.source[self.at - 1 : self.at], True)]
        if char in "$`":
            return [self._expansion(False)]
        self.at += 1
        return [Part("text", char, False)]

    def _double_quoted(self) -> list[Part]:
        self.at += 1
        parts = [Part("text", "", True)]
        while (char := self._peek()) != '"':
            if char == "\\" and self.source[self.at + 1 : self.at + 2] in ('"', "$", "`", "\\"):
                parts.append(Part("text", self.source[self.at + 1], True))
                self.at += 2
            elif char in "$`":
                parts.append(self._expansion(True))
            else:
                parts.append(Part("text", char, True))
                self.at += 1
        self.at += 1
        return parts

    def _expansion(self, quoted: bool) -> Part:
        if self.source[self.at] == "`":
            end = self._find("`", self.at + 1)
            text, self.at = self.source[self.at + 1 : end], end + 1
            return Part("sub", text, quoted)
        if self.source.startswith("$((", self.at):
            text = self._balanced(self.at + 1)
            return Part("math", text[1:-1], quoted)
        if self.source.startswith("$(", self.at):
            return Part("sub", self._balanced(self.at + 1), quoted)
        if self.source.startswith("${", self.at):
            return self._braced(quoted)
        return self._variable(quoted)

    def _braced(self, quoted: bool) -> Part:
        end = self._find("}", self.at)
        name, self.at = self.source[self.at + 2 : end], end + 1
        name, mark, default = name.partition(":-")
        if not (name.isidentifier() or name in ("?", "$", "#") or name.isdigit()):
            raise Unsupported(f"${{{name}{mark}{default}}} in a script")
        return Part("var", name, quoted, default)

    def _variable(self, quoted: bool) -> Part:
        end = self.at + 1
        while end < len(self.source) and (self.source[end].isalnum() or self.source[end] == "_"):
            end += 1
        if end == self.at + 1 and self.source[end : end + 1] in ("?", "$", "#", "!"):
            end += 1
        name, self.at = self.source[self.at + 1 : end], end
        if name and (name[0] in "@*"):
            raise Unsupported(f"${name} in a script")
        return Part("var", name, quoted) if name else Part("text", "$", quoted)

    def _balanced(self, start: int) -> str:
        depth, at, quote = 0, start, ""
        while at < len(self.source):
            char = self.source[at]
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char in "()":
                depth += 1 if char == "(" else -1
                if depth == 0:
                    self.at = at + 1
                    return self.source[start + 1 : at]
            at += 1
        raise Unsupported("a parenthesis that is not closed")

    def _find(self, char: str, start: int) -> int:
        end = self.source.find(char, start)
        if end < 0:
            raise Unsupported(f"a {char} that is not closed")
        return end

    def _peek(self) -> str:
        if self.at >= len(self.source):
            raise Unsupported('a " that is not closed')
        return self.source[self.at]


def _joined(parts: list[Part]) -> list[Part]:
    joined: list[Part] = []
    for part in parts:
        if joined and part.kind == "text" == joined[-1].kind and part.quoted == joined[-1].quoted:
            joined[-1] = Part("text", joined[-1].text + part.text, part.quoted)
        else:
            joined.append(part)
    return joined
