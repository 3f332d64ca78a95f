"""A ``TraceResult`` as rows on one time axis: its exchanges, and the sleeps between its attempts.

Only milliseconds here; characters are ``waterfall``'s business.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import msgspec

from tracedclient.trace.model import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.trace.model import Attempt, Exchange, Timings, TraceResult

UNACCOUNTED = "unaccounted"
SLEEP = "sleep"

_BEGINS = {
    "pool_wait_start": "blocked",
    "dns_start": "dns",
    "connect_start": "connect",
    "proxy_connect_start": "proxy",
    "tls_handshake_start": "tls",
    "got_conn": "send",
    "wrote_request": "wait",
}
"""The event that begins a phase; ``receive`` follows ``wait`` without a gap."""


class Segment(msgspec.Struct, frozen=True):
    """A part of a row: one of ``PHASES``, ``UNACCOUNTED`` (maybe several times) or ``SLEEP``."""

    phase: str
    ms: float


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One bar: its segments follow each other without a gap from ``start_ms`` on."""

    attempt: int
    hop: int
    """0 for the attempt's first exchange, 1 for its first redirect, and so on."""
    exchange: Exchange | None
    """``None`` for a sleep, and for an attempt that never got as far as an exchange."""
    start_ms: float
    """Since the request began."""
    duration_ms: float
    segments: tuple[Segment, ...]
    failed: bool = False

    @property
    def is_sleep(self) -> bool:
        """Whether this is the pause between two attempts."""
        return any(segment.phase == SLEEP for segment in self.segments)


def rows(result: TraceResult) -> tuple[Row, ...]:
    """Return the rows of ``result`` in time order.

    Raises ``ValueError`` when a ``started_at`` in it is not an ISO 8601 time.
    """
    began = moment(result.started_at)
    unordered = [row for attempt in result.attempts for row in _rows_of(attempt, began)]
    return tuple(sorted(unordered, key=lambda row: row.start_ms))


def extent_ms(result: TraceResult, drawn: tuple[Row, ...]) -> float:
    """Return how long the time axis is: the whole request, and any row that outlasts it."""
    return max([result.duration_ms, *(row.start_ms + row.duration_ms for row in drawn)])


def moment(text: str) -> datetime:
    """Return the time that an ISO 8601 text with ``Z`` states.

    Raises ``ValueError`` for any other text.
    """
    # Python 3.10 does not know the Z.
    parsed = datetime.fromisoformat(text.removesuffix("Z"))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def offset_ms(at: str, since: str) -> float:
    """Return the milliseconds from one ISO 8601 time to another; 0 when ``at`` is earlier.

    Raises ``ValueError`` for any other text.
    """
    return _offset_ms(at, moment(since))


def phases_of(timings: Timings) -> Iterator[Segment]:
    """Yield the phases that happened, in the order in which they happen."""
    for phase in PHASES:
        ms = getattr(timings, phase)
        if ms is not None:
            yield Segment(phase, ms)


def _rows_of(attempt: Attempt, began: datetime) -> Iterator[Row]:
    for hop, exchange in enumerate(attempt.exchanges):
        yield _exchange_row(attempt, hop, exchange, began)
    if not attempt.exchanges:
        yield _empty_row(attempt, began)
    if attempt.sleep_ms:
        yield _sleep_row(attempt, attempt.sleep_ms, began)


def _exchange_row(attempt: Attempt, hop: int, exchange: Exchange, began: datetime) -> Row:
    return Row(
        attempt=attempt.number,
        hop=hop,
        exchange=exchange,
        start_ms=_offset_ms(exchange.started_at, began),
        duration_ms=exchange.duration_ms,
        segments=tuple(_with_gaps(exchange)),
        failed=exchange.error is not None,
    )


def _with_gaps(exchange: Exchange) -> Iterator[Segment]:
    """Yield the phases, and what no phase claims where the events say that it lay, else last."""
    began = moment(exchange.started_at)
    starts = {
        _BEGINS[event.event]: _offset_ms(event.at, began)
        for event in reversed(exchange.events)
        if event.event in _BEGINS
    }
    left, now = exchange.ms.unaccounted, 0.0
    for segment in phases_of(exchange.ms):
        gap = min(left, max(0.0, starts.get(segment.phase, now) - now))
        yield Segment(UNACCOUNTED, gap)
        yield segment
        left, now = left - gap, now + gap + segment.ms
    yield Segment(UNACCOUNTED, left)


def _empty_row(attempt: Attempt, began: datetime) -> Row:
    return Row(
        attempt=attempt.number,
        hop=0,
        exchange=None,
        start_ms=_offset_ms(attempt.started_at, began),
        duration_ms=attempt.duration_ms,
        segments=(Segment(UNACCOUNTED, attempt.duration_ms),),
        failed=attempt.error is not None,
    )


def _sleep_row(attempt: Attempt, sleep_ms: float, began: datetime) -> Row:
    return Row(
        attempt=attempt.number,
        hop=0,
        exchange=None,
        start_ms=_offset_ms(attempt.started_at, began) + attempt.duration_ms,
        duration_ms=sleep_ms,
        segments=(Segment(SLEEP, sleep_ms),),
    )


def _offset_ms(at: str, began: datetime) -> float:
    # A clock that was set back must not push a bar off the axis.
    return max(0.0, round((moment(at) - began).total_seconds() * 1000, 3))
