"""A report for the terminal: figures, a line of bars over time, tables as wide as the screen."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING

from tracedclient.cli.columns import clip, columns, pad
from tracedclient.cli.page import BOLD, DIM, RED
from tracedclient.cli.quantities import duration
from tracedclient.cli.reporting import compare, findings
from tracedclient.cli.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.cli.page import Page
    from tracedclient.cli.reporting.findings import Table
    from tracedclient.cli.reporting.statistics import Statistics

_GAP = "  "
_SHOWN_ROWS = 15
_SHOWN_TRACES = 10
_MIN_WORDS = 12
_BARS = " ▁▂▃▄▅▆▇█"
_ASCII_BARS = " .:-=+*#@"


def to_text(statistics: Statistics, before: Statistics | None, page: Page) -> str:
    """Return the report in lines of at most the page's width."""
    return "".join(f"{line}\n" for line in _lines(statistics, before, page))


def _lines(statistics: Statistics, before: Statistics | None, page: Page) -> Iterator[str]:
    read = [findings.span(statistics), findings.sources(statistics.reading)]
    yield from page.items([_safe(one, page) for one in read if one], BOLD, sep=page.symbols.dot)
    for said in findings.left_out(statistics.reading):
        yield from page.lines(_safe(said, page), DIM)
    figures = [f"{name} {value}" for name, value in findings.key_figures(statistics)]
    yield from page.items(figures, sep=_GAP)
    yield from _sparks(statistics, page)
    yield from page.lines(findings.SAMPLE, DIM)
    if before is not None:
        for table in compare.tables(before, statistics):
            yield from _table(table, page)
    for table in findings.tables(statistics)[:-1]:
        yield from _table(table, page)
    yield from _slowest(statistics, page)


def _sparks(statistics: Statistics, page: Page) -> Iterator[str]:
    slices = [found for _, found in statistics.timeline]
    rows = {
        "calls ": [float(found.calls) for found in slices],
        "errors": [found.errors / found.calls for found in slices],
        "p95   ": [found.durations.percentile(0.95) or 0.0 for found in slices],
    }
    for name, values in rows.items():
        bars = _bars(_resampled(values, page.width - len(name) - 1), page)
        yield f"{name} {page.style.paint(bars, *([RED] if name == 'errors' else []))}"


def _bars(values: Sequence[float], page: Page) -> str:
    steps = _BARS if page.style.unicode else _ASCII_BARS
    most = max(values, default=0.0)
    if most <= 0:
        return steps[0] * len(values)
    # What is there at all is seen.
    return "".join(steps[math.ceil(value / most * (len(steps) - 1))] for value in values)


def _resampled(values: Sequence[float], width: int) -> Sequence[float]:
    if len(values) <= width:
        return values
    edges = [index * len(values) // width for index in range(width + 1)]
    return [max(values[a:b]) for a, b in pairwise(edges)]


def _table(table: Table, page: Page) -> Iterator[str]:
    yield from ("", page.style.paint(_safe(table.title, page), BOLD))
    heads = [_safe(head, page) for head in table.heads]
    shown = table.rows[:_SHOWN_ROWS]
    lines = [heads, *([_safe(cell.text, page) for cell in row] for row in shown)]
    widths, last = _fitting(lines, page.width)
    for index, line in enumerate(lines):
        text = _row(line[:last], widths, table, page)
        yield page.style.paint(text, *([DIM] if index == 0 else []))
    if last < len(heads):
        hidden = ", ".join(heads[last:])
        yield from page.lines(f"not shown for want of columns: {hidden}", DIM)
    if len(table.rows) > len(shown):
        yield page.style.paint(f"and {len(table.rows) - len(shown)} more", DIM)


def _fitting(lines: Sequence[Sequence[str]], room: int) -> tuple[list[int], int]:
    """Return the width of each column, and how many there is room for."""
    widths = [max(map(columns, column)) for column in zip(*lines, strict=True)]
    widths[0] = min(widths[0], room // 3)
    last, taken = 1, widths[0]
    while last < len(widths) and taken + len(_GAP) + min(widths[last], _MIN_WORDS) <= room:
        widths[last] = min(widths[last], room - taken - len(_GAP))
        taken += len(_GAP) + widths[last]
        last += 1
    return widths, last


def _row(cells: Sequence[str], widths: Sequence[int], table: Table, page: Page) -> str:
    words = {0, *table.words}
    texts = []
    for index, (cell, width) in enumerate(zip(cells, widths, strict=False)):
        cut = clip(cell, width, ellipsis=page.symbols.ellipsis)
        texts.append(pad(cut, width) if index in words else " " * (width - columns(cut)) + cut)
    return _GAP.join(texts).rstrip()


def _slowest(statistics: Statistics, page: Page) -> Iterator[str]:
    if not statistics.slowest:
        return
    yield from ("", page.style.paint("Slowest calls", BOLD))
    for trace in statistics.slowest[:_SHOWN_TRACES]:
        verdict = "" if trace.verdict_culprit == "none" else f"fault: {trace.verdict_culprit}"
        words = [
            duration(trace.duration_ms),
            trace.trace_id,
            trace.started_at,
            trace.server_address or findings.NOTHING,
            trace.outcome,
            verdict,
        ]
        safe = [_safe(word, page) for word in words if word]
        yield from page.items(
            safe, *([] if trace.outcome == "ok" else [RED]), sep=_GAP, rest="    "
        )


def _safe(text: str, page: Page) -> str:
    return escape(text, unicode=page.style.unicode)
