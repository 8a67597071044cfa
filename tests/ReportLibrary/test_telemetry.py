"""Traces and logs: what an OTLP receiver gets of a run, and that nothing is lost where there is none."""

import re

import pytest
from tests.ReportLibrary.otlp_receiver import attributes, receiving
from tests.ReportLibrary.suites.known import VALUE

from harness.failures import BadInput
from harness.secrets import Secrets
from ReportLibrary import optional
from ReportLibrary.telemetry import check_telemetry


@pytest.fixture(scope="module")
def traced(robot):
    with receiving() as (endpoint, received):
        run = robot(
            "traced.robot",
            "--loglevel",
            "TRACE",
            env={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a-key-of-the-collector"},
        )
    return run, received


def test_run_suite_test_step_keyword_and_call_are_spans_in_each_other(traced):
    _, received = traced
    keyword = ["Call The Propagator", "Asking around", "Asking", "Traced", "run"]
    assert received.above(received.span("POST propagator")) == ["POST propagator", *keyword]
    assert received.above(received.span("GET kubernetes")) == ["GET kubernetes", *keyword]
    assert len({span.trace_id for span in received.spans}) == 1
    assert all(span.end_time_unix_nano >= span.start_time_unix_nano > 0 for span in received.spans)
    assert received.resources[0]["service.name"] == "cedana-e2e"


def test_the_call(traced):
    run, received = traced
    span = received.span("POST propagator")
    assert attributes(span) == {
        "http.request.method": "POST",
        "url.full": "http://127.0.0.1:1/v2/pods",
        "peer.service": "propagator",
        "http.response.status_code": 401,
        "error.type": "401",
    }
    assert f"sent 00-{span.trace_id.hex()}-{span.span_id.hex()}-" in (run.out / "output.xml").read_text()


def test_a_failure_has_its_cause(traced):
    span = traced[1].span("Refused")
    assert span.status.code == span.status.STATUS_CODE_ERROR
    assert "Seen: <secret>" in span.status.message
    assert attributes(span)["cedana_e2e.cause"] == "auth"
    assert attributes(span)["test.case.result.status"] == "fail"
    assert attributes(traced[1].span("Asking"))["test.case.result.status"] == "pass"


def test_log_records_belong_to_the_span_that_logged_them(traced):
    received = traced[1]
    (record,) = [one for one in received.logs if one.body.string_value == "the secret is <secret>"]
    assert record.span_id == received.span("Log").span_id
    assert record.severity_text == "INFO"


def test_no_secret_leaves(traced):
    run, received = traced
    secrets = Secrets()
    secrets.add(VALUE)
    assert not secrets.found_in(received.raw)
    assert received.headers[0]["x-key"] == "a-key-of-the-collector"
    assert not [name for name, content in run.bytes().items() if b"a-key-of-the-collector" in content]


def test_without_the_variable_nothing_is_sent(robot):
    assert "sent None" in (robot("traced.robot").out / "output.xml").read_text()


def test_a_collector_that_refuses_is_told_and_fails_nothing(robot):
    with receiving(status=400) as (endpoint, _):
        run = robot("traced.robot", env={"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    assert run.returned == 1
    assert [line for line in run.lines if line.startswith("Traces and logs could not all be sent: ")]


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
            "OTEL_EXPORTER_OTLP_ENDPOINT is 'collector:4318'; it must be",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'; it must be http/protobuf or left out.",
        ),
    ],
)
def test_what_does_not_work_is_refused(environment, said):
    with pytest.raises(BadInput, match=re.escape(said)):
        check_telemetry(environment)


def test_asking_without_the_packages_says_what_to_install(monkeypatch):
    monkeypatch.setattr(optional, "find_spec", lambda _: None)
    with pytest.raises(BadInput, match=r"pip install -r requirements-observability\.txt"):
        check_telemetry({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"})
    assert check_telemetry({}) is False
