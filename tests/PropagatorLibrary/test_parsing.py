"""Ids, URLs and error bodies, in every form in which they come."""

import contextlib
import json
import string

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from harness.failures import BadInput
from PropagatorLibrary.answers import Answer, excerpt, failure_of, message_of
from PropagatorLibrary.errors import NotUnderstood, PropagatorError, Refused, ServiceFailed, TooMany, Unauthorized
from PropagatorLibrary.ids import is_id, parse_id
from PropagatorLibrary.listing import read_list
from PropagatorLibrary.models import (
    LONGEST_DETAILS,
    LONGEST_WORD,
    Outcome,
    actions_of,
    cluster_of,
    outcome_of,
    pod_of,
    status_of,
)
from PropagatorLibrary.urls import is_local, normalise

UUIDS = st.uuids().map(str)
SPACE = st.text(" \t\r\n", max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["action_id", "checkpoint_id", "status", "type", "details", "id", "name"]), JSON)
)


@given(UUIDS, SPACE, SPACE, st.sampled_from(["{}", '"{}"', '""{}""']))
def test_ids_are_read_bare_and_in_quotes(value: str, before: str, after: str, form: str):
    assert parse_id(before + form.format(value) + after) == value


@given(UUIDS, st.sampled_from(["id", "action_id", "checkpoint_id", "cluster_id"]), st.booleans())
def test_ids_are_read_from_objects(value: str, key: str, nested: bool):
    body = {"more": 1, key: value}
    assert parse_id(json.dumps({"data": body} if nested else body)) == value


@given(st.text() | JSON.map(json.dumps))
def test_whatever_is_no_id_is_none(text: str):
    assert parse_id(text) is None or is_id(parse_id(text))


@pytest.mark.parametrize("text", ["", '""', "null", "{}", "[]", "OK", '{"id": null}', "[" * 100_000])
def test_bodies_without_an_id(text: str):
    assert parse_id(text) is None


@pytest.mark.parametrize(
    "written",
    ["ci.cedana.ai/v1", "https://ci.cedana.ai", "https://ci.cedana.ai/", "https://ci.cedana.ai/v1",
     "https://ci.cedana.ai/v1/", "HTTPS://CI.cedana.ai//", " ci.cedana.ai/v1// ", "ci.cedana.ai/v1/v1"],
)  # fmt: skip
def test_one_service_however_it_is_written(written: str):
    assert normalise(written) == "https://ci.cedana.ai"


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("http://localhost:1324", "http://localhost:1324"),
        ("https://x/api/v1", "https://x/api"),
        ("https://x/v2", "https://x/v2"),
        ("http://[::1]:80/v1", "http://[::1]:80"),
        ("x:8443", "https://x:8443"),
    ],
)
def test_other_urls_stay_what_they_are(written: str, base: str):
    assert normalise(written) == base


@pytest.mark.parametrize(
    "written",
    ["", " ", "https://", "ftp://x", "file:///etc", "http://", "https://x:port", "https://a b", "https://x?y=1",
     "https://x#y", "https://user:pass@x", "https://x:99999", "//x", "https://[::1"],
)  # fmt: skip
def test_what_is_no_url_is_refused(written: str):
    with pytest.raises(BadInput) as refused:
        normalise(written)
    assert "CEDANA_URL" in str(refused.value)
    assert "pass" not in str(refused.value).split("it must be")[0]


@given(
    st.sampled_from(["", "http://", "https://", "HTTP://"]),
    st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=8).filter(lambda host: host[0] != "-"),
    st.lists(st.sampled_from(["/", "/v1", "/v2", "/api", "v1"]), max_size=5).map("".join),
)
def test_normalising_twice_is_as_good_as_once(scheme: str, host: str, path: str):
    path = path if path.startswith("/") or not path else "/" + path
    once = normalise(scheme + host + path)
    assert normalise(once) == once
    assert not once.endswith(("/", "/v1"))


@given(st.text())
def test_a_url_is_normalised_or_refused(text: str):
    with contextlib.suppress(BadInput):
        assert normalise(text).startswith(("http://", "https://"))


def test_what_is_local():
    assert [is_local(f"http://{host}:1") for host in ("127.0.0.1", "localhost", "[::1]", "127.evil.example")] == [
        True, True, True, False,
    ]  # fmt: skip


def answered(status: int, **headers: str) -> requests.Response:
    response = requests.Response()
    response.status_code = status
    response.headers.update({key.replace("_", "-"): value for key, value in headers.items()})
    return response


@pytest.mark.parametrize(
    "body",
    ['{"cedana_error_code": 7, "message": "no such pod"}', '{"message": "no such pod", "code": "404", "details": {}}',
     '{"message": "no such pod"}', "no such pod", '"no such pod"', " no such\n pod "],
)  # fmt: skip
def test_every_shape_of_an_error_body_gives_the_servers_words(body: str):
    failed = failure_of("GET /v2/x", answered(404, X_Request_Id="r-1"), body)
    assert isinstance(failed, Refused)
    assert failed.message == "no such pod"
    assert failed.request_id == "r-1"
    assert "GET /v2/x" in str(failed)
    assert "404" in str(failed)
    assert "r-1" in str(failed)


@given(st.text() | JSON.map(json.dumps), st.integers(300, 599))
def test_every_error_body_makes_a_readable_failure(body: str, status: int):
    failed = failure_of("GET /v2/x", answered(status), body)
    assert isinstance(failed, PropagatorError)
    assert failed.status == status
    assert len(str(failed)) < 2000
    assert message_of(body)


@pytest.mark.parametrize(
    ("status", "kind", "cause"),
    [(401, Unauthorized, "auth"), (403, Unauthorized, "auth"), (404, Refused, "propagator-refused"),
     (422, Refused, "propagator-refused"), (429, TooMany, "rate-limited"),
     (500, ServiceFailed, "propagator-error"), (503, ServiceFailed, "propagator-error"),
     (302, NotUnderstood, "propagator-answer")],
)  # fmt: skip
def test_the_status_decides_about_the_cause(status: int, kind: type, cause: str):
    failed = failure_of("GET /v2/x", answered(status), "words")
    assert type(failed) is kind
    assert failed.cause.name == cause


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [("7", 7, 7), ("soon", 0, 0), ("", 0, 0), ("-1", 0, 0), ("Fri, 01 Jan 2100 00:00:00 GMT", 1e6, 1e12),
     ("Fri, 01 Jan 1999 00:00:00 GMT", 0, 0)],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date(value: str, least: float, most: float):
    assert least <= failure_of("GET /", answered(429, Retry_After=value), "").retry_after <= most


@pytest.mark.parametrize("word", ["ready", "success", "completed", "Ready"])
def test_words_of_success(word: str):
    assert outcome_of(word) is Outcome.SUCCEEDED


@pytest.mark.parametrize("word", ["error", "failed", "FAILED"])
def test_words_of_failure(word: str):
    assert outcome_of(word) is Outcome.FAILED


@pytest.mark.parametrize("word", ["initialized", "processing", "checkpoint_created", "", "never heard of"])
def test_any_other_word_means_to_go_on_waiting(word: str):
    assert outcome_of(word) is Outcome.RUNNING


@pytest.mark.parametrize(
    ("statuses", "together"),
    [(["ready", "ready"], Outcome.SUCCEEDED), (["ready", "processing"], Outcome.RUNNING),
     (["ready", "error"], Outcome.FAILED), (["processing", "failed"], Outcome.FAILED)],
)  # fmt: skip
def test_the_rows_of_one_action_count_together(statuses: list[str], together: Outcome):
    rows = [{"action_id": "a", "checkpoint_id": str(n), "status": word} for n, word in enumerate(statuses)]
    (action,) = actions_of(rows)
    assert action.outcome is together
    assert action.checkpoint_ids == ("0", "1")


def test_a_checkpoint_id_of_null_is_none():
    assert actions_of([{"action_id": "a", "checkpoint_id": "null"}, {"action_id": "a"}])[0].checkpoint_ids == ()


@given(ROWS)
def test_rows_of_any_kind_are_borne(rows: list[dict]):
    assert read_list([json.dumps(rows)], "actions", dict).kept == rows
    for row in rows:
        str(cluster_of(row)), str(pod_of(row)), status_of("a", row)
    assert len(actions_of(rows)) <= len(rows)


def test_old_clusters_have_capital_keys():
    assert str(cluster_of({"ID": "7", "Name": "old", "Status": "active"})) == "cluster old (7): active"


def test_nothing_that_a_terminal_obeys_is_shown():
    assert excerpt("\x1b[31mred\x00\x07\n and \u202ereversed") == "?[31mred?? and ?reversed"


def test_a_status_that_is_no_word_is_cut():
    status = status_of("a", {"status": "x" * 1_000_000, "details": "y" * 1_000_000})
    assert status is not None
    assert (len(status.status), len(status.details)) == (LONGEST_WORD, LONGEST_DETAILS)


def test_a_page_of_a_gateway_is_told_by_its_title():
    page = "<html><head><title>502 Bad\nGateway &amp; more</title></head><body>nginx</body></html>"
    assert message_of(page) == "a page '502 Bad Gateway & more', not the API"
    failed = Answer("GET /v2/user", page).not_understood("an id")
    assert failed.seen == "200 with a page '502 Bad Gateway & more', not the API"


@pytest.mark.parametrize(
    ("operation", "status", "look"),
    [
        ("POST /v2/checkpoint/pod", 404, "the pod's UID and its cluster's id"),
        ("POST /v2/restore/pod", 404, "the checkpoint's action id"),
        ("DELETE /v2/cluster/1", 404, "the id in the path"),
        ("PATCH /v2/checkpoints/deprecate/1", 409, "who else works on the same thing"),
        ("POST /v2/restore/pod", 400, "the era of the service"),
        ("POST /v2/restore/pod", 422, "the era of the service"),
        ("GET /v2/actions", 405, "the era of the service"),
    ],
)
def test_a_refusal_says_where_to_look(operation: str, status: int, look: str):
    (line,) = [each for each in str(failure_of(operation, answered(status), "no")).splitlines() if "Look next" in each]
    assert look in line
