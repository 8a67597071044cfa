"""Lists are taken apart while they come, wherever the pieces end, and are read as a whole text would be."""

import json
from collections.abc import Iterator

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from tests.propagator_server.fake import TOKEN, served
from tests.PropagatorLibrary.conftest import connect

from harness.exchanges import EXCHANGES, LONGEST_BODY
from PropagatorLibrary.errors import NotUnderstood
from PropagatorLibrary.listing import Listed, NotAList, read_list
from PropagatorLibrary.sending import Sender
from PropagatorLibrary.transport import open_session

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(1 - 2**63, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
PAGES = st.fixed_dictionaries({}, optional={"more": VALUES, "actions": VALUES, "total_count": VALUES, "": VALUES})
BODIES = st.lists(VALUES) | st.lists(st.dictionaries(st.text(), VALUES)) | PAGES | VALUES
INDENTS = st.none() | st.integers(0, 2)


def pieces(text: str, size: int) -> Iterator[str]:
    for start in range(0, len(text), size):
        yield text[start : start + size]
        yield ""


def read_whole(text: str) -> Listed[dict] | None:
    """What the text holds, read by a simpler way; None where it is no list."""
    try:
        body = json.loads(text)
    except ValueError:
        return None
    rows = body.get("actions") if isinstance(body, dict) else body
    if not isinstance(rows, list):
        return None
    total = body.get("total_count") if isinstance(body, dict) else None
    found = [row for row in rows if isinstance(row, dict)]
    return Listed(found, len(found), total if isinstance(total, int) else None)


def read(text: str, size: int) -> Listed[dict] | None:
    try:
        return read_list(pieces(text, size), "actions", dict)
    except NotAList:
        return None


@given(BODIES, INDENTS, st.integers(1, 40))
def test_pieces_are_read_as_the_whole_would_be(body: object, indent: int | None, size: int):
    text = json.dumps(body, indent=indent)
    assert read(text, size) == read_whole(text)


@given(BODIES, st.data(), st.integers(1, 40))
def test_what_breaks_off_is_no_list_wherever_it_does(body: object, data: st.DataObject, size: int):
    text = json.dumps(body)
    broken = text[: data.draw(st.integers(0, len(text)))]
    assert read(broken, size) == read_whole(broken)


@pytest.mark.parametrize(
    "text", ["[1]]", "[]x", '{"actions": []},', "[,]", "[1 2]", '{"actions"}', "[{]}", "[1,]", "[01]"]
)
def test_what_is_no_json_is_no_list(text: str):
    assert read(text, 3) is None
    assert read_whole(text) is None


def test_only_what_is_kept_of_a_row_is_held():
    def rows() -> Iterator[str]:
        yield "["
        for number in range(50_000):
            yield json.dumps({"action_id": str(number), "details": "x" * 200}) + ","
        yield "{}]"

    listed = read_list(rows(), "actions", lambda row: row if row.get("action_id") == "7" else None)
    assert ([row["action_id"] for row in listed.kept], listed.count) == (["7"], 50_001)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("", "JSON"), ("<html>", "JSON"), ("{", "JSON"), ("[" * 100_000, "JSON"), ('{"actions": [{"a": 1}', "JSON"),
     ("3", "an array or a page of actions"), ('{"total_count": 1}', "an array or a page of actions"),
     ('{"actions": null}', "an array or a page of actions"), ('"rows"', "an array or a page of actions")],
)  # fmt: skip
def test_what_is_no_list_is_not_understood(text: str, wanted: str):
    with served(saying(text)) as url, pytest.raises(NotUnderstood) as failed:
        connect(url).list_actions()
    assert failed.value.cause.name == "propagator-answer"
    assert failed.value.expected == f"GET /v2/actions to answer {wanted}"


def test_a_long_list_is_noted_by_its_beginning():
    text = json.dumps([{"action_id": "a", "details": "x" * 100} for _ in range(3000)])
    before = EXCHANGES.count
    with served(saying(text)) as url:
        sender = Sender(open_session(url, TOKEN), url)
        assert len(sender.list("/actions", "actions", dict)) == 3000
    (exchange,) = EXCHANGES.since(before)
    assert exchange.answer == f"{text[:LONGEST_BODY]} and {len(text) - LONGEST_BODY} characters more"


def test_of_a_long_answer_that_is_no_list_it_is_told_how_long_it_is():
    with served(saying("x" * 300_000)) as url, pytest.raises(NotUnderstood, match=r"\.\.\. \(300000 characters\)"):
        connect(url).list_actions()


def saying(text: str) -> web.Application:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=text)

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    return app
