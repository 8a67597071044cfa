"""Pieces of HTML and pictures: nothing gets through that is markup or a secret, and all can be seen and read."""

import re
import xml.etree.ElementTree as ET
from importlib.resources import files

import pytest

from harness.secrets import SECRETS
from ReportLibrary import markup, pages, pictures
from ReportLibrary.pictures import Span

TOKEN = "tok-5up3r-s3cret&<b>"
SVG = "{http://www.w3.org/2000/svg}"
NASTY = "<script>alert(1)</script>\"'&"
SPANS = [
    Span("step", f"Deploying {NASTY} {TOKEN}", 100.0, 0.5),
    Span("phase", "restore", 101.0, 2.0),
    Span("freeze gap", "freeze gap", 101.0, 0.2),
    Span("step", "Verifying", 103.0, 1.0, "FAIL"),
]
TRAIL = [(100.0, 1, "source"), (100.5, 2, "source"), (103.0, 3, "own"), (103.5, 1, "other")]


def luminance(colour):
    """Relative luminance of WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def drawn(picture):
    """The picture as XML, which it must be to stand in a page."""
    return ET.fromstring(picture).find(f"{SVG}svg")  # noqa: S314 - our own


@pytest.mark.parametrize("ground", markup.GROUNDS)
@pytest.mark.parametrize("colour", sorted({*pictures.COLOURS.values(), *pictures.OF_LANES.values()}))
def test_shapes_stand_out_in_light_and_dark(colour, ground):
    assert contrast(colour, ground) >= 3  # WCAG 2.1, 1.4.11: graphical objects


def test_the_measure_of_contrast():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("picture", [pictures.timeline(NASTY, SPANS), pictures.witness(NASTY, TRAIL, SPANS[1:2])])
def test_a_picture_has_words_for_those_who_do_not_see_it(picture):
    svg = drawn(picture)
    assert svg.get("role") == "img"
    assert svg.get("aria-label") == NASTY
    assert f"<b>{markup.text(NASTY)}</b>" in picture
    assert svg.findtext(f"{SVG}desc")


def test_a_timeline_tells_each_span():
    svg = drawn(pictures.timeline("t", SPANS))
    assert len(svg.findall(f".//{SVG}rect")) == len(SPANS)
    told = svg.findtext(f"{SVG}desc")
    assert "phase restore: 2.0 s" in told
    assert "phase restore: 2.0 s, PASS" not in told
    assert "Verifying" not in told, "the table of steps has it in words"
    words = [one.text for one in svg.iter(f"{SVG}text")]
    assert "phase: restore" in words
    assert "1.0 s ✗" in words


def test_bars_stand_in_the_order_of_time():
    bars = [float(one.get("x")) for one in drawn(pictures.timeline("t", SPANS)).iter(f"{SVG}rect")]
    assert bars[0] < bars[1] == bars[2] < bars[3]


def test_a_witness_is_told_apart_by_shape_too():
    svg = drawn(pictures.witness("w", TRAIL, []))
    legend = 1
    assert {one.get("stroke-linecap") for one in svg.findall(f"{SVG}path[@class='source']")} == {"round"}
    assert [one.get("d").count("M") for one in svg.findall(f"{SVG}path[@class='source']")] == [2, legend]
    assert [one.get("stroke-linecap") for one in svg.findall(f"{SVG}path[@class='own']")] == ["square"] * 2
    assert [one.get("d").count("l8 8") for one in svg.findall(f"{SVG}path[@class='other']")] == [1, legend]
    assert "source: steps 1 to 2 in 500 ms" in svg.findtext(f"{SVG}desc")


def test_nothing_is_drawn_of_nothing():
    assert not pictures.timeline("t", [])
    assert not pictures.witness("w", [], SPANS)


def of_robot():
    """Ink and ground of log.html, in light and dark, from Robot Framework's own style sheet."""
    sheet = files("robot.htmldata.rebot").joinpath("common.css").read_text()
    parts = [sheet.split("}")[0], sheet.partition('[data-theme="dark"] {')[2].split("}")[0]]
    named = {"black": "#000000", "white": "#ffffff"}
    for part in parts:
        ink, ground = (re.search(rf"--{name}-color: (\S+);", part)[1] for name in ("text", "background"))
        yield named.get(ink, ink), named.get(ground, ground)


def of_pages():
    """Ink, marks and links on the grounds of our pages of diagnostics."""
    light, dark = (dict(re.findall(r"--(\w+): (#\w+)", part)) for part in pages.LOOK.split("@media"))
    for theme in (light, dark):
        yield theme["ink"], theme["ground"]
        yield theme["ink"], theme["mark"]
        yield theme["link"], theme["ground"]
        yield theme["link"], theme["mark"]


def test_the_grounds_are_those_of_robot():
    assert tuple(ground for _, ground in of_robot()) == markup.GROUNDS


@pytest.mark.parametrize(("ink", "ground"), [*of_robot(), *of_pages()])
def test_texts_can_be_read_in_light_and_dark(ink, ground):
    assert contrast(ink, ground) >= 4.5  # WCAG 2.1, 1.4.3: text


def test_text_colours_are_those_of_the_page():
    svg = drawn(pictures.timeline("t", SPANS))
    assert svg.get("fill") == "currentColor"
    assert {one.get("fill") for one in svg.iter(f"{SVG}text")} == {None}


def test_nothing_gets_through():
    SECRETS.add(TOKEN)
    made = [
        markup.table(NASTY, [NASTY, TOKEN], [[NASTY, TOKEN]], "kind"),
        markup.folded(NASTY, f"{NASTY}{TOKEN}"),
        markup.link(f"#{NASTY}{TOKEN}", NASTY),
        pictures.timeline(f"{NASTY}{TOKEN}", SPANS),
        pictures.witness(f"{NASTY}{TOKEN}", TRAIL, SPANS),
    ]
    whole = "".join(made)
    assert "<script" not in whole
    assert "5up3r" not in whole
    assert "&lt;secret&gt;" in whole
