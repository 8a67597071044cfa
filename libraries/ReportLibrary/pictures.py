"""Pictures of a test as inline SVG: its timeline, and the steps of the witness over time.

Text takes the colour of the page, so that it is legible in light and in dark; no script and no style sheet is needed.
Each has a title and a description in words for those who do not see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .markup import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, Markup, quoted, seconds, text

WIDTH, LEFT, RIGHT = 760, 230, 60
"""Of a picture, and what its labels take on both sides."""
ROW, TOP, BAR = 20, 24, 12
HEIGHT = 220
"""Of the chart of the witness."""
COLOURS = {"PASS": GREEN, "FAIL": RED, "SKIP": ORANGE}
OF_LANES = {"step": GREEN, "phase": BLUE, "freeze gap": PURPLE, "downtime": ORANGE, "wait": GREY}
OF_STEPS = {"source": BLUE, "own": GREEN, "other": RED}
MEANINGS = {"source": "source", "own": "restored process", "other": "another process (other nonce)"}
LONGEST_LABEL = 34
TICKS = 6


@dataclass(frozen=True)
class Span:
    """Something that took a while.

    Attributes:
        lane: what kind of thing it is, see `OF_LANES`.
        start: seconds since 1970.
    """

    lane: str
    name: str
    start: float
    seconds: float
    status: str = "PASS"

    @property
    def end(self) -> float:
        """Seconds since 1970."""
        return self.start + self.seconds

    @property
    def told(self) -> str:
        """In words; only a step has a result."""
        took = f"{self.lane} {self.name}: {seconds(self.seconds)}"
        return f"{took}, {self.status}" if self.lane == "step" else took

    @property
    def colour(self) -> str:
        """Of its bar; what failed is red in every lane."""
        return COLOURS.get(self.status, RED) if self.status != "PASS" else OF_LANES.get(self.lane, GREY)


@dataclass(frozen=True)
class Scale:
    """Where a moment stands in a picture."""

    begin: float
    end: float

    def x(self, moment: float) -> float:
        """The place of a moment, from the left."""
        share = (moment - self.begin) / max(self.end - self.begin, 0.001)
        return LEFT + min(1.0, max(0.0, share)) * (WIDTH - LEFT - RIGHT)


def timeline(title: str, spans: Sequence[Span]) -> Markup:
    """A bar for each span, in its order, over one axis of time; nothing where there is none."""
    if not spans:
        return Markup()
    scale = Scale(min(one.start for one in spans), max(one.end for one in spans))
    height = TOP + ROW * len(spans) + 4
    told = "; ".join(one.told for one in spans if one.lane != "step") or "the steps, which the table has in words"
    rows = "".join(_bar(one, TOP + ROW * number, scale) for number, one in enumerate(spans))
    return _svg("timeline", title, told, height, _axis(scale, height) + rows)


def witness(title: str, trail: Sequence[tuple[float, int, str]], phases: Iterable[Span]) -> Markup:
    """The witness's steps over time: one line where the process went on, a break where it did not."""
    if not trail:
        return Markup()
    phases = list(phases)
    ends = [one for phase in phases for one in (phase.start, phase.end)]
    scale = Scale(min(trail[0][0], *ends, trail[-1][0]), max(trail[-1][0], *ends, trail[0][0]))
    top = max(number for _, number, _ in trail)
    shades = "".join(_shade(phase, number, scale) for number, phase in enumerate(phases))
    marks = "".join(
        _marks(whose, [(scale.x(at), _y(step, top)) for at, step, who in trail if who == whose]) for whose in MEANINGS
    )
    levels = "".join(_words(LEFT - 8, _y(step, top) + 4, f"step {step}", "end") for step in sorted({1, top}))
    return _svg(
        "witness", title, _told(trail), HEIGHT, _axis(scale, HEIGHT - 24) + shades + levels + marks + _legend(trail)
    )


def _told(trail: Sequence[tuple[float, int, str]]) -> str:
    parts = []
    for whose, meaning in MEANINGS.items():
        mine = [(moment, number) for moment, number, owner in trail if owner == whose]
        if mine:
            lasted = seconds(mine[-1][0] - mine[0][0])
            parts.append(f"{meaning}: steps {mine[0][1]} to {mine[-1][1]} in {lasted}")
    return "; ".join(parts)


def _y(step: int, top: int) -> float:
    return HEIGHT - 40 - (HEIGHT - 40 - TOP - 30) * step / max(top, 1)


def _svg(kind: str, title: str, told: str, height: float, content: str) -> Markup:
    """The frame, with its title above; a narrow screen scrolls it sideways, as smaller text could not be read."""
    head = f"<desc>{text(told)}</desc>"
    look = f'style="width:100%;max-width:{WIDTH}px;min-width:600px;height:auto;font:12px sans-serif"'
    box = f'viewBox="0 0 {WIDTH} {height:g}" xmlns="http://www.w3.org/2000/svg"'
    name = f'role="img" aria-label="{quoted(title)}" class="{kind}" fill="currentColor"'
    return Markup(
        f'<div style="overflow-x:auto"><b>{text(title)}</b><br/><svg {name} {box} {look}>{head}{content}</svg></div>'
    )


def _axis(scale: Scale, height: float) -> str:
    lasted = scale.end - scale.begin
    marks = [lasted * number / TICKS for number in range(TICKS + 1)]
    places = [scale.x(scale.begin + mark) for mark in marks]
    lines = "".join(f"M{x:.0f} {TOP - 6}V{height:g}" for x in places)
    words = [_words(x, 12, f"{mark:.1f} s", "middle") for x, mark in zip(places, marks, strict=True)]
    return f'<path d="{lines}" stroke="{GREY}" stroke-width="0.5"/>{"".join(words)}'


def _bar(span: Span, y: float, scale: Scale) -> str:
    begin, end = scale.x(span.start), scale.x(span.end)
    shape = f'x="{begin:.1f}" y="{y}" width="{max(2.0, end - begin):.1f}" height="{BAR}" fill="{span.colour}"'
    name = span.name if span.lane == "step" else f"{span.lane}: {span.name}" if span.name != span.lane else span.name
    label = name if len(name) <= LONGEST_LABEL else f"{name[: LONGEST_LABEL - 1]}…"
    hint = f"<title>{text(span.told)}</title>" if label != name else ""
    failed = " ✗" if span.status == "FAIL" else ""
    return (
        (f"<rect {shape}>{hint}</rect>" if hint else f"<rect {shape}/>")
        + _words(LEFT - 8, y + 10, label, "end")
        + _words(max(end, begin + 2) + 4, y + 10, f"{seconds(span.seconds)}{failed}", "start")
    )


def _shade(span: Span, number: int, scale: Scale) -> str:
    begin, end = scale.x(span.start), scale.x(span.end)
    y = TOP + 12 * (number % 2)
    line = f'<rect x="{begin:.1f}" y="{y}" width="{max(1.5, end - begin):.1f}" height="3" fill="{ORANGE}"/>'
    return line + _words(begin, y + 14, span.name, "start")


def _marks(whose: str, points: Sequence[tuple[float, float]]) -> str:
    """Told apart by shape, too: a circle, a square, a cross. One path for all, as there may be hundreds."""
    if not points:
        return ""
    if whose == "other":
        line = "".join(f"M{x - 4:.0f} {y - 4:.0f}l8 8m0-8l-8 8" for x, y in points)
        return f'<path class="other" d="{line}" stroke="{OF_STEPS[whose]}" stroke-width="2.5" fill="none"/>'
    line = "".join(f"M{x:.0f} {y:.0f}h.1" for x, y in points)
    cap = "round" if whose == "source" else "square"
    look = f'stroke="{OF_STEPS[whose]}" stroke-width="7" stroke-linecap="{cap}"'
    return f'<path class="{whose}" d="{line}" {look}/>'


def _legend(trail: Sequence[tuple[float, int, str]]) -> str:
    there = [whose for whose in MEANINGS if any(owner == whose for _, _, owner in trail)]
    places = [(LEFT + 170 * number, whose) for number, whose in enumerate(there)]
    y = HEIGHT - 10
    return "".join(_marks(whose, [(x, y - 4)]) + _words(x + 10, y, MEANINGS[whose], "start") for x, whose in places)


def _words(x: float, y: float, words: str, anchor: str) -> str:
    place = "" if anchor == "start" else f' text-anchor="{anchor}"'
    return f'<text x="{x:.0f}" y="{y:g}"{place}>{text(words)}</text>'
