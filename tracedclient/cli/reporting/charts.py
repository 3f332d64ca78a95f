"""Statistics → SVG: calls and errors over time, and how long they took. Colours are the page's."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.quantities import duration
from tracedclient.cli.reporting.calls import iso
from tracedclient.cli.reporting.findings import percent
from tracedclient.cli.reporting.markup import Markup, element, join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.reporting.timeline import Slice, Timeline

_WIDTH, _HEIGHT = 960, 150
_LEFT, _TOP, _BOTTOM = 70, 12, 22
_FLOOR = _HEIGHT - _BOTTOM


class _Axis(NamedTuple):
    """Where in the picture a time and a value are."""

    first: int
    slices: int
    width_s: int
    most: float

    @property
    def step(self) -> float:
        return (_WIDTH - _LEFT) / self.slices

    def x(self, seconds: int) -> float:
        return _LEFT + (seconds - self.first) / self.width_s * self.step

    def y(self, value: float) -> float:
        return _FLOOR - (value / self.most if self.most else 0.0) * (_FLOOR - _TOP)


def charts(timeline: Timeline) -> Markup:
    """Return both pictures; nothing without calls."""
    found = list(timeline)
    if not found:
        return Markup()
    calls = _axis(found, timeline.width_s, max(one.calls for _, one in found))
    slowest = max((one.durations.percentile(0.95) or 0.0) for _, one in found)
    times = _axis(found, timeline.width_s, slowest)
    pictures = [
        _picture("Calls, and errors among them", calls, f"{calls.most:,.0f}", *_bars(found, calls))
    ]
    if slowest:
        words = "How long calls took: p95, and dashed p50"
        pictures.append(_picture(words, times, duration(slowest), *_curves(found, times)))
    return join(*pictures)


def _axis(found: list[tuple[int, Slice]], width_s: int, most: float) -> _Axis:
    first, last = found[0][0], found[-1][0]
    return _Axis(first, (last - first) // width_s + 1, width_s, most)


def _picture(title: str, axis: _Axis, most: str, *shapes: Markup) -> Markup:
    last = axis.first + axis.slices * axis.width_s
    words = (
        _said(_LEFT - 6, _TOP + 4, most, "end"),
        _said(_LEFT - 6, _FLOOR, "0", "end"),
        _said(_LEFT, _HEIGHT - 6, iso(axis.first), "start"),
        _said(_WIDTH, _HEIGHT - 6, iso(last), "end"),
    )
    drawn = element(
        "svg", *_lines(axis), *shapes, *words,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}", role="img",
        aria_label=f"{title}. The table Over time has the numbers.",
    )  # fmt: skip
    return element("figure", element("figcaption", title), drawn)


def _lines(axis: _Axis) -> Iterator[Markup]:
    for value in (0.0, axis.most):
        y = axis.y(value)
        yield element("line", x1=_LEFT, x2=_WIDTH, y1=y, y2=y, class_="grid")


def _said(x: float, y: float, said: str, anchor: str) -> Markup:
    return element("text", said, x=x, y=y, text_anchor=anchor)


def _bars(found: list[tuple[int, Slice]], axis: _Axis) -> Iterator[Markup]:
    for begins, one in found:
        rate = percent(one.errors, one.calls)
        told = f"{iso(begins)}: {one.calls:,} calls, {one.errors:,} errors ({rate})"
        yield element(
            "g",
            element("title", told),
            _bar(axis, begins, one.calls, 0, "calls"),
            *([_bar(axis, begins, one.errors, 0, "errors")] if one.errors else []),
        )


def _bar(axis: _Axis, begins: int, upper: float, lower: float, kind: str) -> Markup:
    top, gap = axis.y(upper), min(1.0, axis.step / 5)
    return element(
        "rect", x=axis.x(begins) + gap / 2, y=min(top, _FLOOR - 1), class_=kind,
        width=axis.step - gap, height=max(1.0, axis.y(lower) - top),
    )  # fmt: skip


def _curves(found: list[tuple[int, Slice]], axis: _Axis) -> Iterator[Markup]:
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        points = [(begins, one.durations.percentile(share)) for begins, one in found]
        for run in _runs(points, axis.width_s):
            yield _curve(run, axis, name)
        for begins, ms in points:
            if ms is not None:
                told = element("title", f"{iso(begins)}: {name} {duration(ms)}")
                x = axis.x(begins) + axis.step / 2
                yield element("circle", told, cx=x, cy=axis.y(ms), r=2.5, class_=f"dot {name}")


def _curve(run: list[tuple[int, float]], axis: _Axis, name: str) -> Markup:
    points = " ".join(f"{axis.x(at) + axis.step / 2:.1f},{axis.y(ms):.1f}" for at, ms in run)
    return element("polyline", points=points, class_=f"curve {name}")


def _runs(points: list[tuple[int, float | None]], width_s: int) -> list[list[tuple[int, float]]]:
    """Return the stretches without a gap: a line over a time without calls would be made up."""
    runs: list[list[tuple[int, float]]] = []
    previous = None
    for at, ms in points:
        if ms is not None:
            if previous is None or at - previous != width_s:
                runs.append([])
            runs[-1].append((at, ms))
            previous = at
    return runs
