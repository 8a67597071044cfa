"""Traces and logs of a run for OpenTelemetry: a span each for run, suite, test, step, keyword and API call.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT is set. What fails in sending fails nothing else: it is told at the end.
"""

from __future__ import annotations

import os
import re
import urllib.parse
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from harness.calls import CALLS, Call
from harness.diagnosis import cause_of_message
from harness.failures import BadInput
from harness.ledger import LEDGER
from harness.secrets import SECRETS

from .optional import need
from .robot_internals import running, talking_console

if TYPE_CHECKING:
    from robot import output, result
    from robot import running as data

    from .otlp import Otlp

ENDPOINT, PROTOCOL = "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL"
HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_LOGS_HEADERS")
PACKAGE = "opentelemetry.exporter.otlp.proto.http"
RESULTS = {"PASS": "pass", "FAIL": "fail"}
"""Robot's words in those of OpenTelemetry's conventions for tests."""


def check_telemetry(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether traces and logs are wanted.

    Raises:
        BadInput: they are, but not in a way that works.
    """
    endpoint, protocol = environment.get(ENDPOINT), environment.get(PROTOCOL)
    if not endpoint:
        return False
    if not re.fullmatch(r"https?://[^\s/@]+\S*", endpoint):
        raise BadInput(ENDPOINT, endpoint, "the http:// or https:// URL of a collector, without credentials")
    if protocol and protocol != "http/protobuf":
        raise BadInput(PROTOCOL, protocol, "http/protobuf or left out")
    need(f"{PACKAGE}.trace_exporter", ENDPOINT, endpoint)
    return True


class Telemetry:
    """Listener that makes spans of what runs, and log records of what is logged."""

    ROBOT_LISTENER_PRIORITY = -20  # after the recorder, which gives failures their causes

    def __init__(self) -> None:
        self._otlp: Otlp | None = None
        self._open: list[tuple[Any, Any]] = []

    def start_suite(self, _data: data.TestSuite, result: result.TestSuite) -> None:
        """A suite begins, perhaps with it the run."""
        if self._otlp is None and running():
            self._begin_run()
        self._begin(result, "suite", {"test.suite.name": result.full_name})

    def start_test(self, _data: data.TestCase, result: result.TestCase) -> None:
        """A test begins."""
        self._begin(result, "test", {"test.case.name": result.full_name})

    def start_keyword(self, _data: data.Keyword, result: result.Keyword) -> None:
        """A keyword begins; its arguments are not told."""
        self._begin(result, result.type.lower(), {"robot.library": result.owner or ""})

    def start_group(self, _data: data.Group, result: result.Group) -> None:
        """A step begins."""
        self._begin(result, "group", {})

    def end_suite(self, _data: data.TestSuite, result: result.TestSuite) -> None:
        """A suite is over."""
        self._end(
            result, {"test.suite.run.status": {"PASS": "success", "FAIL": "failure"}.get(result.status, "skipped")}
        )

    def end_test(self, _data: data.TestCase, result: result.TestCase) -> None:
        """A test is over."""
        self._end(result, {"test.case.result.status": RESULTS.get(result.status, result.status.lower())})

    def end_keyword(self, _data: data.Keyword, result: result.Keyword) -> None:
        """A keyword is over."""
        self._end(result, {})

    end_group = end_keyword

    def log_message(self, message: output.Message) -> None:
        """What is logged; pictures and tables are for people."""
        if self._otlp and not message.html:
            self._otlp.log(message.level, message.message, self._span)

    def close(self) -> None:
        """The run is over."""
        if self._otlp is None:
            return
        CALLS.observe(None)
        while self._open:
            self._otlp.end(self._open.pop()[1], None, {})
        problem, self._otlp = self._otlp.close(), None
        console = talking_console()
        if problem and console:
            console.write(f"Traces and logs could not all be sent: {problem}\n")

    @property
    def _span(self) -> Any:
        """The innermost span that is open."""
        return self._open[-1][1] if self._open else None

    def _begin_run(self) -> None:
        try:
            if not check_telemetry():
                return
        except BadInput:
            return  # `Export Results` ends the run with it, before anything is created
        from .otlp import Otlp

        for name in HEADERS:
            for pair in os.environ.get(name, "").split(","):
                for word in urllib.parse.unquote(pair.partition("=")[2]).split():
                    SECRETS.add(word)
        self._otlp = Otlp(LEDGER.run_id)
        self._open.append((None, self._otlp.begin("run", None, {"robot.type": "run"})))
        CALLS.observe(self._watch)

    def _watch(self, call: Call) -> AbstractContextManager[None]:
        assert self._otlp
        return self._otlp.call(call, self._span)

    def _begin(self, item: Any, kind: str, attributes: Mapping[str, str]) -> None:
        known = any(item is one for one, _ in self._open)  # the library is imported twice, by two names
        if self._otlp and not known and item.status != "NOT RUN":
            span = self._otlp.begin(item.name or kind, self._span, {"robot.type": kind, **attributes})
            self._open.append((item, span))

    def _end(self, item: Any, attributes: Mapping[str, str]) -> None:
        if self._otlp is None or not any(item is one for one, _ in self._open):
            return
        failed = item.status == "FAIL"
        more = {"robot.status": item.status} | dict(attributes)
        if failed:
            more["cedana_e2e.cause"] = cause_of_message(item.message).name
        while self._open:
            one, span = self._open.pop()
            self._otlp.end(span, item.message if failed and one is item else None, more if one is item else {})
            if one is item:
                return
