"""Masks every known secret in what Robot Framework writes: output.xml and what is made from it, console, debug file.

Listeners see a text before it is written, with two gaps that the listener API leaves:

- what is written at the *start* of something (names of tests and groups, conditions, limits) is written before
  listeners are called;
- a changed `message` of a keyword makes Robot raise a plain failure in place of the original one, which would lose
  that it is fatal, or passes the test (robot/running/statusreporter.py, 7.5).

So a second listener stands around all others: it masks at the start, and at the end, when all is written, it gives the
message back, so that redaction never changes how a run goes.

Secrets that a library writes to file descriptor 1 past `sys.stdout`, or in pieces, are beyond reach.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .robot_internals import Outermost, running

if TYPE_CHECKING:
    from robot import model, output, result
    from robot import running as data

    from .screen import Screen

_KEYWORD = ("name", "owner", "source_name", "args", "assign", "doc", "tags")
FIELDS: Mapping[str, tuple[str, ...]] = {
    "KEYWORD": _KEYWORD,
    "SETUP": _KEYWORD,
    "TEARDOWN": _KEYWORD,
    "FOR": ("assign", "values", "start", "mode", "fill"),
    "ITERATION": ("assign",),
    "WHILE": ("condition", "limit", "on_limit", "on_limit_message"),
    "IF": ("condition",),
    "ELSE IF": ("condition",),
    "EXCEPT": ("patterns", "assign"),
    "GROUP": ("name",),
    "VAR": ("name", "value", "separator"),
    "RETURN": ("values",),
    "ERROR": ("values",),
}
"""What stands in the log for each type of body item, beside its message."""
TEST_FIELDS = ("name", "doc", "tags", "metadata", "message")
SUITE_FIELDS = ("name", "doc", "metadata", "message")


class Redaction:
    """Listener that masks known secrets before they are written.

    Args:
        redact: gives a text with every known secret masked.
        screen: the standard streams, watched during a run.
    """

    ROBOT_LISTENER_PRIORITY = 1000  # other listeners see masked texts

    def __init__(self, redact: Callable[[str], str], screen: Screen) -> None:
        self._redact = redact
        self._screen = screen
        self._messages: dict[int, str] = {}
        self._outermost = Outermost(_Outermost(self))

    def resource_import(self, _resource: object, _importer: object) -> None:
        """The first chance in a run, as libraries are imported by resources: before the suite's name is written."""
        self._attach()

    def start_suite(self, _data: data.TestSuite, _result: result.TestSuite) -> None:
        """The last chance for it."""
        self._attach()

    def end_suite(self, _data: data.TestSuite, result: result.TestSuite) -> None:
        """Name, documentation, metadata and message of the suite."""
        self.mask(result, SUITE_FIELDS)

    def end_test(self, _data: data.TestCase, result: result.TestCase) -> None:
        """Name, documentation, tags, metadata and message of the test."""
        self.mask(result, TEST_FIELDS)

    def end_body_item(self, _data: object, result: Any) -> None:
        """What a keyword or control structure shows in the log."""
        self.mask(result, _fields(result))
        masked = self._redact(result.message)
        if masked != result.message:
            self._messages[id(result)] = result.message
            result.message = masked

    def log_message(self, message: output.Message) -> None:
        """Messages of keywords, failures and tracebacks among them, at every level."""
        message.message = self._masked(message.message)

    def message(self, message: output.Message) -> None:
        """Robot's own messages and the errors section."""
        message.message = self._masked(message.message)

    def close(self) -> None:
        """The run is over."""
        self._outermost.detach()
        self._screen.remove()
        self._messages.clear()

    def mask(self, item: Any, fields: Iterable[str]) -> None:
        """Masks the named attributes of a result object; what holds no secret is not touched."""
        for field in fields:
            value = getattr(item, field)
            masked = self._masked(value)
            if masked is not value:
                setattr(item, field, masked)

    def give_back(self, item: object) -> None:
        """Sets the message as it was before it was masked."""
        if id(item) in self._messages:
            item.message = self._messages.pop(id(item))  # type: ignore[attr-defined]

    def _attach(self) -> None:
        if running():
            self._outermost.attach()
            self._screen.install()

    def _masked(self, value: Any) -> Any:
        """`value` itself where there is nothing to mask in it."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return self._masked_mapping(value)
        if isinstance(value, Iterable) and not isinstance(value, str | bytes):
            items = list(value)
            masked = [self._masked(item) for item in items]
            return value if all(new is old for new, old in zip(masked, items, strict=True)) else masked
        text = str(value)
        masked_text = self._redact(text)
        return value if masked_text == text else masked_text

    def _masked_mapping(self, value: Mapping[Any, Any]) -> Any:
        masked = {self._masked(key): self._masked(item) for key, item in value.items()}
        return value if masked == dict(value) else masked


def _fields(item: Any) -> tuple[str, ...]:
    if item.type == "ITERATION" and item.parent.type != "FOR":
        return ()
    return FIELDS.get(item.type, ())


class _Outermost:
    """Stands around all other listeners and loggers, see the module."""

    def __init__(self, redaction: Redaction) -> None:
        self._redaction = redaction

    def start_suite(self, _data: model.TestSuite, result: result.TestSuite) -> None:
        self._redaction.mask(result, SUITE_FIELDS)

    def start_test(self, _data: model.TestCase, result: result.TestCase) -> None:
        self._redaction.mask(result, TEST_FIELDS)

    def start_body_item(self, _data: object, result: Any) -> None:
        self._redaction.mask(result, _fields(result))

    def end_body_item(self, _data: object, result: Any) -> None:
        self._redaction.give_back(result)
