"""The bars of a trace: one line per exchange and per sleep, on one time axis, with a legend."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.bars import GLYPHS, LEGEND_ORDER, draw
from tracedclient.cli.columns import clip, columns, pad
from tracedclient.cli.page import DIM, RED
from tracedclient.cli.quantities import duration
from tracedclient.cli.timeline import extent_ms, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.bars import Bar, Run
    from tracedclient.cli.page import Page
    from tracedclient.cli.timeline import Row
    from tracedclient.trace.model import TraceResult

_MAX_LABEL = 24


class _Layout(NamedTuple):
    """Columns of one line; the bar has a border on each side, in no count."""

    label: int
    bar: int
    aside: int


def chart(result: TraceResult, page: Page) -> Iterator[str]:
    """Yield the axis, the bars in time order, and the legend; nothing where nothing was tried."""
    lines = rows(result)
    if not lines:
        return
    extent = extent_ms(result, lines)
    layout = _layout(lines, page)
    drawn = [(row, draw(row, extent, layout.bar)) for row in lines]
    yield _axis(layout, extent, page)
    yield from (_line(row, bar, layout, page) for row, bar in drawn)
    yield from _legend({run.phase for _, bar in drawn for run in bar.runs}, page)


def _layout(lines: tuple[Row, ...], page: Page) -> _Layout:
    widest = max(columns(_label(row, page)) for row in lines)
    label = min(widest, _MAX_LABEL, page.width // 3) + 1
    aside = max(columns(_aside(row)) for row in lines) + 1
    rest = page.width - label - 2
    # On a narrow screen the bars need the columns more than the times beside them do.
    return _Layout(label, rest - aside, aside) if rest > 2 * aside else _Layout(label, rest, 0)


def _label(row: Row, page: Page) -> str:
    if row.is_sleep:
        return "   sleep"
    if row.exchange is None:
        return f"#{row.attempt} {'failed' if row.failed else 'nothing sent'}"
    hop = f"{page.symbols.arrow} " if row.hop else ""
    end = "failed" if row.failed else str(row.exchange.status or "")
    return f"#{row.attempt} {hop}{row.exchange.method} {end}"


def _aside(row: Row) -> str:
    connection = row.exchange.connection if row.exchange else None
    how = ("reused" if connection.reused else "new") if connection else ""
    return f"{duration(row.duration_ms):>7} {how}".rstrip()


def _axis(layout: _Layout, extent: float, page: Page) -> str:
    end = duration(extent)
    return page.style.paint(" " * (layout.label + 1) + "0" + end.rjust(layout.bar - 1), DIM)


def _line(row: Row, bar: Bar, layout: _Layout, page: Page) -> str:
    label = pad(clip(_label(row, page), layout.label - 1, ellipsis=""), layout.label)
    border = page.style.paint(page.symbols.border, DIM)
    before = " " * bar.start
    after = " " * (layout.bar - bar.start - bar.cells)
    cells = "".join(_cells(run, page) for run in bar.runs)
    aside = f" {_aside(row)}" if layout.aside else ""
    return (
        f"{page.style.paint(label, *_emphasis(row))}{border}{before}{cells}{after}{border}{aside}"
    )


def _emphasis(row: Row) -> tuple[int, ...]:
    if row.is_sleep:
        return (DIM,)
    return (RED,) if row.failed else ()


def _cells(run: Run, page: Page) -> str:
    return page.style.paint(_glyph(run.phase, page) * run.cells, *GLYPHS[run.phase].sgr)


def _glyph(phase: str, page: Page) -> str:
    glyph = GLYPHS[phase]
    return glyph.unicode if page.style.unicode else glyph.ascii


def _legend(phases: set[str], page: Page) -> list[str]:
    words = [f"{_glyph(phase, page)} {phase}" for phase in LEGEND_ORDER if phase in phases]
    return page.items(words, DIM, sep="  ", first="  ", rest="  ")
