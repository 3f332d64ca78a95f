"""Rows of a time axis → runs of character cells, and the character and colour of each phase."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.timeline import SLEEP, UNACCOUNTED
from tracedclient.trace.model import PHASES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.cli.timeline import Row

FAILED = "failed"
LEGEND_ORDER = (*PHASES, UNACCOUNTED, SLEEP, FAILED)

MIN_CELLS = len(PHASES) + 1
"""A bar needs room for one cell of each phase and the mark of a failure."""


class Glyph(NamedTuple):
    unicode: str
    ascii: str
    sgr: tuple[int, ...]


# The phases in which the most time goes are drawn as blocks; the short ones by their initial, so
# that a single cell can still be told from its neighbour without colour.
GLYPHS = {
    "blocked": Glyph("b", "b", (35,)),
    "dns": Glyph("d", "d", (36,)),
    "connect": Glyph("c", "c", (34,)),
    "proxy": Glyph("p", "p", (95,)),
    "tls": Glyph("t", "t", (33,)),
    "send": Glyph("s", "s", (94,)),
    "wait": Glyph("█", "#", (32,)),
    "receive": Glyph("▒", "=", (92,)),
    UNACCOUNTED: Glyph("·", ".", (2,)),
    SLEEP: Glyph("z", "z", (2,)),
    FAILED: Glyph("✗", "x", (1, 31)),
}


class Run(NamedTuple):
    phase: str
    cells: int


class Bar(NamedTuple):
    """One drawn row: empty cells, then its runs."""

    start: int
    runs: tuple[Run, ...]

    @property
    def cells(self) -> int:
        """How many cells the runs take."""
        return sum(run.cells for run in self.runs)


def draw(row: Row, extent_ms: float, cells: int) -> Bar:
    """Return ``row`` on an axis of ``cells`` cells that stand for ``extent_ms``.

    Lengths are in proportion, but a phase that took any time gets a cell. A bar that grows by that
    is moved left where it would leave the axis, so it always fits ``MIN_CELLS`` or more cells.
    """
    scale = partial(_cells, extent_ms=extent_ms, cells=cells)
    parts = [(segment.phase, segment.ms) for segment in row.segments if segment.ms > 0]
    least = [int(phase != UNACCOUNTED) for phase, _ in parts]
    room = cells - row.failed
    length = min(room, max(sum(least), round(scale(row.duration_ms))))
    shares = apportion([ms for _, ms in parts], length, least)
    runs = [Run(phase, share) for (phase, _), share in zip(parts, shares, strict=True) if share]
    if row.failed:
        # What no phase claims came after the failure: handling it.
        runs.insert(len(runs) - bool(runs and runs[-1].phase == UNACCOUNTED), Run(FAILED, 1))
    bar = Bar(math.floor(scale(row.start_ms)), tuple(runs))
    return bar._replace(start=min(bar.start, cells - bar.cells))


def _cells(ms: float, *, extent_ms: float, cells: int) -> float:
    # The quotient first: it is at most about 1, however small the extent is.
    return ms / extent_ms * cells if extent_ms > 0 else 0.0


def apportion(weights: Sequence[float], seats: int, least: Sequence[int]) -> list[int]:
    """Split ``seats`` in proportion to ``weights``, none below its ``least``.

    ``seats`` must be at least ``sum(least)``; without weights nothing is given out.
    """
    total = math.fsum(weights)
    if total <= 0:
        return list(least)
    quotas = [weight / total * seats for weight in weights]
    given = [max(minimum, math.floor(quota)) for minimum, quota in zip(least, quotas, strict=True)]
    seat = range(len(given))
    while sum(given) < seats:
        given[max(seat, key=lambda index: quotas[index] - given[index])] += 1
    while sum(given) > seats:
        spare = [index for index in seat if given[index] > least[index]]
        given[max(spare, key=lambda index: given[index] - quotas[index])] -= 1
    return given
