"""Several requests of one client in a table: what a new connection costs, and what comes after it."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.box import decimals
from tracedclient.cli.facts import connects_text, tls_text
from tracedclient.cli.page import BOLD, DIM, RED
from tracedclient.cli.quantities import counted
from tracedclient.cli.timeline import UNACCOUNTED
from tracedclient.trace.model import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.cli.page import Page
    from tracedclient.trace.model import Exchange, TraceResult

MIN_SAMPLES = 5
"""Fewer than these have a largest one, but no percentile worth the name."""

_TOTAL = "total"
_ROWS = (*PHASES, UNACCOUNTED, _TOTAL)
_NOTHING = "-"
_MAX_FAILURES = 3


class _Split(NamedTuple):
    """The requests that were answered, by their connections, and those that were not."""

    cold: list[TraceResult]
    """Some connection of theirs was new."""
    warm: list[TraceResult]
    failed: list[TraceResult]


def table(traces: Sequence[TraceResult], page: Page) -> Iterator[str]:
    """Yield the table of ``traces``, what is known about their connections, and the failures.

    The traces must have been through ``waterfall.escaped``.
    """
    split = _split(traces)
    count = counted(len(traces), "request", "requests")
    what = f"{count}: {traces[0].http_request_method} {traces[0].url_full}"
    yield from page.lines(what, BOLD, rest="  ")
    yield from page.lines(_counts(split), rest="  ")
    if split.cold or split.warm:
        yield from ("", *_table(split, page))
    yield ""
    for note in _notes(traces):
        yield from page.lines(note, rest="  ")
    for why, times in Counter(map(_failure, split.failed)).most_common(_MAX_FAILURES):
        yield from page.lines(f"failed {times}x: {why}", RED, rest="  ")


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that ``share`` of ``values`` do not exceed (nearest rank).

    ``None`` when there are fewer than ``MIN_SAMPLES``.
    """
    if len(values) < MIN_SAMPLES:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def _split(traces: Sequence[TraceResult]) -> _Split:
    split = _Split([], [], [])
    for trace in traces:
        if trace.http_response_status_code is None or trace.error_type is not None:
            split.failed.append(trace)
        elif all(_is_reused(exchange) for exchange in _exchanges([trace])):
            split.warm.append(trace)
        else:
            split.cold.append(trace)
    return split


def _is_reused(exchange: Exchange) -> bool:
    return exchange.connection is not None and exchange.connection.reused


def _exchanges(traces: Sequence[TraceResult]) -> Iterator[Exchange]:
    for trace in traces:
        for attempt in trace.attempts:
            yield from attempt.exchanges


def _counts(split: _Split) -> str:
    words = [
        f"{len(split.cold)} cold (new connection)",
        f"{len(split.warm)} warm (kept alive)",
        *([f"{len(split.failed)} FAILED"] if split.failed else []),
    ]
    return ", ".join(words)


def _failure(trace: TraceResult) -> str:
    why = trace.verdict_sentence or trace.error_message or "no details"
    return f"{trace.outcome.replace('_', ' ')}. {why}"


def _table(split: _Split, page: Page) -> Iterator[str]:
    heads = [*_heads("cold", split.cold), *_heads("warm", split.warm)]
    rows = [(name, _numbers(name, split)) for name in _ROWS if _took_place(name, split)]
    digits = decimals(max((number or 0.0 for _, row in rows for number in row), default=0.0))
    lines = [
        ["ms", *heads],
        *([name, *(_text(number, digits) for number in row)] for name, row in rows),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for index, (name, *row) in enumerate(lines):
        words = (f"  {word:>{width}}" for word, width in zip(row, widths[1:], strict=True))
        line = f"  {name:<{widths[0]}}{''.join(words)}"
        yield page.style.paint(line, *([DIM] if index == 0 else []))


def _heads(name: str, traces: Sequence[TraceResult]) -> list[str]:
    if len(traces) > 1:
        return [f"{name} p50", "p95", "max"]
    return [name] if traces else []


def _took_place(name: str, split: _Split) -> bool:
    return bool(_values(name, [*split.cold, *split.warm]))


def _numbers(name: str, split: _Split) -> list[float | None]:
    return [number for traces in split[:2] for number in _column(name, traces)]


def _column(name: str, traces: Sequence[TraceResult]) -> list[float | None]:
    values = _values(name, traces)
    largest = max(values, default=None)
    if len(traces) > 1:
        return [percentile(values, 0.5), percentile(values, 0.95), largest]
    return [largest] if traces else []


def _values(name: str, traces: Sequence[TraceResult]) -> list[float]:
    field = "duration_ms" if name == _TOTAL else f"{name}_ms"
    return [ms for trace in traces if (ms := getattr(trace, field)) is not None]


def _text(number: float | None, digits: int) -> str:
    return _NOTHING if number is None else f"{number:.{digits}f}"


def _notes(traces: Sequence[TraceResult]) -> list[str]:
    """Return the first of each kind: which addresses were tried, what TLS agreed on."""
    exchanges = list(_exchanges(traces))
    connected = next((e.connects for e in exchanges if e.connects), ())
    shaken = next((e for e in exchanges if e.tls), None)
    return [
        *([f"connect {connects_text(connected)}"] if connected else []),
        *([f"tls {tls_text(tls, shaken.started_at)}" for tls in shaken.tls] if shaken else []),
        *_not_kept(exchanges),
    ]


def _not_kept(exchanges: Sequence[Exchange]) -> list[str]:
    reasons = Counter(e.connection.not_returned for e in exchanges if e.connection)
    return [f"connection not kept {n}x: {why}" for why, n in reasons.items() if why]
