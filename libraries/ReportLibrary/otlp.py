"""Spans and log records over OTLP/HTTP with OpenTelemetry's SDK, which is asked for only here.

The SDK takes endpoint, headers, certificates and the rest from its own OTEL_... variables.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from harness.calls import Call
from harness.secrets import SECRETS

from .evidence import without_credentials

NAME = "cedana-e2e"
TIMEOUT = 5.0
"""Seconds for one sending, its repetitions included."""
QUEUE = 20_000
"""Spans, or records, that wait to be sent."""
LONGEST_BODY = 10_000
"""Characters of a log record."""
SEVERITY = {
    "TRACE": SeverityNumber.TRACE,
    "DEBUG": SeverityNumber.DEBUG,
    "INFO": SeverityNumber.INFO,
    "WARN": SeverityNumber.WARN,
    "ERROR": SeverityNumber.ERROR,
    "FAIL": SeverityNumber.ERROR,
}
Attributes = Mapping[str, str | int]


class Otlp:
    """What is sent in a run. Every text is redacted."""

    def __init__(self, run_id: str) -> None:
        self._problems = _Problems()
        name = os.environ.get("OTEL_SERVICE_NAME") or NAME
        resource = Resource.create({"service.name": name, "cedana_e2e.run.id": run_id})
        self._traces = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._traces.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=TIMEOUT), max_queue_size=QUEUE))
        self._logs = LoggerProvider(resource=resource, shutdown_on_exit=False)
        exporter = OTLPLogExporter(timeout=TIMEOUT)
        self._logs.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=QUEUE))
        self._tracer, self._logger = self._traces.get_tracer(NAME), self._logs.get_logger(NAME)

    def begin(self, name: str, parent: Span | None, attributes: Attributes) -> Span:
        """A span that has begun."""
        return self._tracer.start_span(SECRETS.redact(name), _within(parent), attributes=_redacted(attributes))

    def end(self, span: Span, error: str | None, attributes: Attributes) -> None:
        """It is over; with what was wrong where it failed."""
        span.set_attributes(_redacted(attributes))
        if error is not None:
            span.set_status(Status(StatusCode.ERROR, SECRETS.redact(error)[:LONGEST_BODY]))
        span.end()

    def log(self, level: str, text: str, parent: Span | None) -> None:
        """A log record of the running span."""
        record = LogRecord(
            context=_within(parent),
            severity_text=level,
            severity_number=SEVERITY.get(level, SeverityNumber.UNSPECIFIED),
            body=SECRETS.redact(text)[:LONGEST_BODY],
        )
        self._logger.emit(record)

    @contextmanager
    def call(self, call: Call, parent: Span | None) -> Iterator[None]:
        """Around an API call: a span of its own, which goes on in the server by its `traceparent`."""
        attributes = {
            "http.request.method": call.method,
            "url.full": SECRETS.redact(without_credentials(call.url)),
            "peer.service": call.to,
        }
        name = f"{call.method} {call.to}"
        span = self._tracer.start_span(name, _within(parent), kind=SpanKind.CLIENT, attributes=attributes)
        TraceContextTextMapPropagator().inject(call.headers, trace.set_span_in_context(span))
        error: str | None = None
        try:
            yield
        except BaseException as failed:
            error = type(failed).__name__
            raise
        finally:
            if call.status is not None:
                span.set_attribute("http.response.status_code", call.status)
                error = error or (str(call.status) if call.status >= 400 else None)
            self.end(span, error, {"error.type": error} if error else {})

    def close(self) -> str | None:
        """Sends what is left; the first problem that there was in sending, in words."""
        self._traces.shutdown()
        self._logs.shutdown()
        return self._problems.end()


class _Problems(logging.Handler):
    """Keeps what the SDK complains about away from the log of the run."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._first: str | None = None
        self._logger = logging.getLogger("opentelemetry")
        self._logger.addHandler(self)
        self._logger.propagate = False

    def emit(self, record: logging.LogRecord) -> None:
        self._first = self._first or SECRETS.redact(record.getMessage())

    def end(self) -> str | None:
        """Looks away; what came first."""
        self._logger.removeHandler(self)
        self._logger.propagate = True
        return self._first


def _within(parent: Span | None) -> Context:
    return trace.set_span_in_context(parent or trace.INVALID_SPAN)


def _redacted(attributes: Attributes) -> dict[str, str | int]:
    return {name: SECRETS.redact(value) if isinstance(value, str) else value for name, value in attributes.items()}
