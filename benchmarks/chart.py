"""Results → the picture: the keep-alive GET of all peers, then the other scenarios. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bars import BARS
from benchmarks.peers import AIOHTTP, DO_OFF, DO_ON, HTTPX, NIQUESTS, REQUESTS, SESSION, URLLIB3
from benchmarks.results import cpus, ratio
from benchmarks.scenarios import SCENARIOS
from benchmarks.svg import document, line, mark, rect, text

if TYPE_CHECKING:
    from benchmarks.measure import Measured
    from benchmarks.results import Ratio, Results

_WIDTH = 860
_LEFT, _RIGHT = 300, 800
_ROW = 24
_MOST = 2.0
"""The greatest ratio that is drawn in its place; greater ones stand at the edge with a number."""

_COLOURS = {DO_OFF: "own", DO_ON: "own", SESSION: "session"}
_MARKS = {
    DO_OFF: "circle",
    DO_ON: "ring",
    SESSION: "diamond",
    URLLIB3: "square",
    HTTPX: "triangle",
    AIOHTTP: "cross",
    NIQUESTS: "plus",
}


def chart(results: Results) -> str:
    """Return the picture as SVG. The keep-alive GET must have been measured."""
    shapes, y = _bars(results.scenarios["get"], 24)
    more, y = _dots(results, y + 40)
    return document(_WIDTH, y + 12, "CPU time for one request, requests = 1", shapes + more)


def _x(value: float) -> float:
    return _LEFT + (_RIGHT - _LEFT) * min(value, _MOST) / _MOST


def _ratios(measured: Measured) -> dict[str, Ratio]:
    """Each row's ratio to requests, the least first."""
    base = cpus(measured.costs[REQUESTS])
    found = {name: ratio(cpus(costs), base) for name, costs in measured.costs.items()}
    return dict(sorted(found.items(), key=lambda item: item[1].median))


def _bars(measured: Measured, top: float) -> tuple[list[str], float]:
    found = _ratios(measured)
    start = top + 44
    bottom = start + len(found) * _ROW
    shapes = [
        text(20, top + 6, "Keep-alive GET: CPU time, requests = 1", "title"),
        text(20, top + 24, "whiskers: least and greatest of all rounds · red: the bar", "faint"),
        *_scale(start, bottom),
    ]
    for n, (name, one) in enumerate(found.items()):
        shapes += _bar(name, one, start + n * _ROW)
    return shapes, bottom + 18


def _bar(name: str, one: Ratio, y: float) -> list[str]:
    colour = _COLOURS.get(name, "peer")
    middle = y + _ROW / 2
    end = _x(one.median)
    limits = [b.limit for b in BARS if (b.scenario, b.of, b.against) == ("get", name, REQUESTS)]
    shapes = [
        text(_LEFT - 10, middle + 4, name, "end"),
        rect(_LEFT, y + 4, end - _LEFT, _ROW - 8, colour, told=f"{name}: {one}"),
        line(_x(one.least), middle, _x(one.greatest), middle, "ink"),
        text(_x(max(one.greatest, *limits, 0)) + 8, middle + 4, f"{one.median:.2f}", "small"),
    ]
    thick = 'stroke-width="2.5"'
    shapes += [
        line(_x(limit), y + 1, _x(limit), y + _ROW - 1, "bar", more=thick) for limit in limits
    ]
    return shapes


def _scale(start: float, bottom: float) -> list[str]:
    shapes = []
    for tick in (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2):
        dash = "" if tick in {0, 1} else 'stroke-dasharray="2 3"'
        shapes += [
            line(_x(tick), start, _x(tick), bottom, "line", more=dash),
            text(_x(tick), bottom + 14, f"{tick:g}", "faint middle small"),
        ]
    return shapes


def _dots(results: Results, top: float) -> tuple[list[str], float]:
    scenarios = [
        one
        for one in SCENARIOS
        if one.name != "get" and not one.by_wall and one.name in results.scenarios
    ]
    start = top + 48
    bottom = start + len(scenarios) * _ROW
    shapes = [text(20, top + 6, "Other requests: CPU time, requests = 1", "title")]
    shapes += [*_legend(top + 28), *_scale(start, bottom)]
    for n, scenario in enumerate(scenarios):
        y = start + (n + 0.5) * _ROW
        shapes.append(text(_LEFT - 10, y + 4, scenario.label, "end"))
        shapes += _line_of_dots(_ratios(results.scenarios[scenario.name]), y)
    return shapes, bottom + 18


def _line_of_dots(found: dict[str, Ratio], y: float) -> list[str]:
    shapes = []
    # Ours last, so that no peer hides them.
    for name in reversed(_MARKS):
        if name in found:
            one = found[name]
            colour = _COLOURS.get(name, "peer")
            shapes.append(mark(_MARKS[name], _x(one.median), y, colour, told=f"{name}: {one}"))
            if one.median > _MOST:
                shapes.append(text(_RIGHT + 9, y + 4, f"{one.median:.1f}", "small"))
    return shapes


def _legend(y: float) -> list[str]:
    shapes, x = [], 26.0
    for name, shape in _MARKS.items():
        shapes.append(mark(shape, x, y - 4, _COLOURS.get(name, "peer")))
        shapes.append(text(x + 10, y, name, "small"))
        x += 34 + 6.3 * len(name)
    return shapes
