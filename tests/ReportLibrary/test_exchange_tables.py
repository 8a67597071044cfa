"""Tables of requests: short, however many there were, and none is lost."""

import html
import re
import zipfile

import pytest

from harness.exchanges import HELM, KUBERNETES, PROPAGATOR, Exchange
from harness.secrets import SECRETS
from ReportLibrary import exchange_tables
from ReportLibrary.exchange_tables import LONGEST_GOOD, MOST_ROWS, Whole, tables
from ReportLibrary.markup import Markup

LARGEST = 40_000
"""Characters of a table of however many good answers, long as they are."""


def asked(number, to=PROPAGATOR, status=200, path="", answer=""):
    return Exchange(number, "GET", path or f"/things/{number}", status, number / 1000, answer=answer, to=to)


def rows(page):
    """The cells of each row, as text."""
    found = [re.split(r"<td>", row)[1:] for row in page.split("<tr>")[2:]]
    return [[html.unescape(re.sub(r"<[^>]+>", "", cell)) for cell in row] for row in found]


@pytest.fixture
def kept():
    """What was handed over to be kept whole."""
    return []


@pytest.fixture
def keep(kept):
    def take(some):
        kept.append(list(some))
        return Markup("<a>whole</a>")

    return take


@pytest.mark.parametrize("count", [MOST_ROWS, MOST_ROWS + 1, 20 * MOST_ROWS])
def test_a_long_table_shows_both_ends_and_says_what_is_left_out(count, keep, kept):
    page = tables([asked(number, answer="<a>" * 2000) for number in range(count)], keep)
    shown = rows(page)
    assert len(page) < LARGEST
    assert shown[0][1] == "/things/0"
    assert shown[-1][1] == f"/things/{count - 1}"
    left = [row for row in shown if "left out" in row[1]]
    if count == MOST_ROWS:
        assert (len(shown), left, kept) == (MOST_ROWS, [], [])
    else:
        assert len(shown) == MOST_ROWS + 1
        assert [row[1] for row in left] == [f"{count - MOST_ROWS} requests are left out here; all are in whole"]
        assert [len(one) for one in kept] == [count]


def test_what_went_wrong_in_the_middle_is_counted(keep):
    page = tables([asked(number, status=500 if number == 50 else 200) for number in range(100)], keep)
    assert "70 requests are left out here, 1 of them without a good answer" in page


def test_good_answers_are_shortened_and_bad_ones_are_not(keep):
    good, bad = rows(tables([asked(1, answer="g" * 3000), asked(2, status=500, answer="x" * 3000)], keep))
    assert good[4].count("g") == LONGEST_GOOD + "and characters more".count("g")
    assert bad[4].count("x") == 3000


def test_the_same_again_is_one_row_where_nothing_came_between(keep):
    path, other = {"path": "/a"}, {"path": "/b"}
    some = [asked(1, **path), asked(2, **path), asked(3, **other), asked(4, **path)]
    assert [row[1] for row in rows(tables(some, keep))] == ["/a (2 times)", "/b", "/a"]


def test_the_same_to_kubernetes_is_one_row_wherever_it_stands(keep):
    to = {"to": KUBERNETES}
    some = [asked(1, path="/a", **to), asked(2, path="/b", **to), asked(3, path="/a", **to)]
    page = tables(some, keep)
    assert "<summary>Requests to Kubernetes: 3</summary>" in page
    assert [row[1] for row in rows(page)] == ["/a (2 times)", "/b"]


def test_requests_for_metrics_are_one_row(keep):
    some = [asked(number, KUBERNETES, path=f"{exchange_tables.METRICS}v1beta1/{number}") for number in range(5)]
    assert [row[1:4] for row in rows(tables(some, keep))] == [["/apis/metrics.k8s.io/… (5 times)", "200", "0 to 4"]]


def test_each_that_is_asked_has_a_table(keep):
    page = tables([asked(1), asked(2, KUBERNETES), asked(3, HELM, status="ok")], keep)
    titles = re.findall(r"<(?:b|summary)>([^<:]*)", page)
    assert titles == ["Requests to the propagator", "Requests to Kubernetes", "Requests to Helm"]
    assert tables([], keep) == ""


def test_all_are_kept_by_step_and_without_secrets(tmp_path):
    SECRETS.add("tok-not-to-be-kept")
    old = tmp_path / exchange_tables.WHOLE
    old.write_text("of an earlier run")
    whole = Whole()
    link = whole.keep(tmp_path, "Polling / status", [asked(1, answer="tok-not-to-be-kept"), asked(2, status=0)])
    whole.keep(tmp_path, "Polling / status", [asked(3)])
    assert link == '<a href="exchanges.zip">exchanges.zip</a> as 001 Polling - status.txt'
    with zipfile.ZipFile(old) as found:
        assert found.namelist() == ["001 Polling - status.txt", "002 Polling - status.txt"]
        text = found.read(found.namelist()[0]).decode()
    assert text == "#1 GET /things/1: 200, 1 ms\n  answer: <secret>\n#2 GET /things/2: no answer, 2 ms"
