"""The numbers of one exchange in a box: how long each phase took, and beneath, when it was over.

The columns add up to the total to the last digit shown. What lies beneath an edge is the point in
time since the exchange began; it includes what lies in no phase, which has a column of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.bars import apportion
from tracedclient.cli.cumulative import cumulative
from tracedclient.cli.page import DIM, RED
from tracedclient.cli.timeline import UNACCOUNTED, phases_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.cli.page import Page
    from tracedclient.trace.model import Exchange

_UNIT = " ms "
_INDENT = len(_UNIT)

_HEADS = {
    "blocked": ("Pool", "Wait"),
    "dns": ("DNS", "Lookup"),
    "connect": ("TCP", "Connection"),
    "proxy": ("", "Proxy"),
    "tls": ("TLS", "Handshake"),
    "send": ("", "Upload"),
    "wait": ("Server", "Processing"),
    "receive": ("Content", "Transfer"),
    UNACCOUNTED: ("", "Other"),
}
_EDGES = {"dns": "namelookup", "connect": "connect", "wait": "starttransfer"}


class Cell(NamedTuple):
    """One column: its phase, and its share of the total in the smallest unit shown."""

    phase: str
    share: int
    point: str | None = None
    """Which of ``cumulative.POINTS`` its right edge is."""


class _Label(NamedTuple):
    name: str
    value: str


class _Column(NamedTuple):
    """A column as it is drawn. ``width`` is without the border on its right."""

    heads: tuple[str, str]
    value: str
    label: _Label
    width: int
    failed: bool


def box(exchange: Exchange, page: Page) -> Iterator[str]:
    """Yield the lines of the box, folded where the page is too narrow for it.

    There is none where no phase took place.
    """
    if not any(phases_of(exchange.ms)):
        return
    digits = decimals(exchange.duration_ms)
    columns = _columns(exchange, digits)
    while columns:
        tier = _fitting(columns, page.width - _INDENT - 1)
        columns = columns[len(tier) :]
        yield from _tier(tier, page)


def decimals(total_ms: float) -> int:
    """Return how many decimals suit a total: 10 us of 100 ms, 0.1 ms of 10 s."""
    if total_ms < 100:
        return 2
    return 1 if total_ms < 10_000 else 0


def cells(exchange: Exchange) -> list[Cell]:
    """Return the phases that took place, and what lies in none; the shares sum up to the total."""
    parts = [*phases_of(exchange.ms)]
    weights = [*(part.ms for part in parts), exchange.ms.unaccounted]
    seats = round(exchange.duration_ms * 10 ** decimals(exchange.duration_ms))
    shares = apportion(weights, seats, [0] * len(weights))
    phases = [part.phase for part in parts]
    found = [Cell(phase, share) for phase, share in zip(phases, shares, strict=False)]
    if shares[-1] or not found:
        found.append(Cell(UNACCOUNTED, shares[-1]))
    return _with_points(found)


def _with_points(found: list[Cell]) -> list[Cell]:
    phases = [cell.phase for cell in found]
    edges = dict(_EDGES)
    if "send" in phases[1:]:
        # The edge after which the request is sent: TLS's, or the proxy's. Plain http's is connect.
        edges.setdefault(phases[phases.index("send") - 1], "pretransfer")
    edges[phases[-1]] = "total"
    return [cell._replace(point=edges.get(cell.phase)) for cell in found]


def _columns(exchange: Exchange, digits: int) -> list[_Column]:
    points = cumulative(exchange)
    failed = exchange.error.phase if exchange.error else None
    return [_column(cell, points, digits, failed=cell.phase == failed) for cell in cells(exchange)]


def _column(cell: Cell, points: dict[str, float], digits: int, *, failed: bool) -> _Column:
    value = f"{cell.share / 10**digits:.{digits}f}"
    heads, point = _HEADS[cell.phase], cell.point
    label = _Label("", "")
    if point is not None and point in points:
        label = _Label(point, f"{points[point]:.{digits}f}")
    return _Column(heads, value, label, max(len(value) + 2, *map(len, heads)), failed)


def _fitting(columns: Sequence[_Column], room: int) -> list[_Column]:
    """Return the columns that fit, at least one, widened so that no two labels touch."""
    tier: list[_Column] = []
    taken = 0
    label_ends = -_INDENT - 2
    for column in columns:
        label = max(map(len, column.label))
        gap = label_ends + label - taken - column.width if label else 0
        widened = column._replace(width=column.width + max(0, gap))
        taken += widened.width + 1
        if taken > room and tier:
            break
        tier.append(widened)
        if label:
            label_ends = taken
    return tier


def _tier(tier: Sequence[_Column], page: Page) -> Iterator[str]:
    margin = " " * (_INDENT + 1)
    for row in (0, 1):
        words = [column.heads[row].rjust(column.width) for column in tier]
        if any(map(str.strip, words)):
            yield page.style.paint((margin + " ".join(words)).rstrip(), DIM)
    border = page.style.paint(page.symbols.border, DIM)
    values = (_value(column, page) + border for column in tier)
    yield page.style.paint(_UNIT, DIM) + border + "".join(values)
    for row in (0, 1):
        yield from _labels([column.label[row] for column in tier], tier, page)


def _value(column: _Column, page: Page) -> str:
    value = f"{column.value} ".rjust(column.width)
    return page.style.paint(value, *([RED] if column.failed else []))


def _labels(labels: Sequence[str], tier: Sequence[_Column], page: Page) -> list[str]:
    line, edge = "", _INDENT
    for label, column in zip(labels, tier, strict=True):
        edge += column.width + 1
        line += label.rjust(edge + 1 - len(line)) if label else ""
    return [page.style.paint(line, DIM)] if line else []
