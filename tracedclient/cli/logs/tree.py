"""The traces of several services with one id → who called whom.

A call was made on behalf of another when it lies within one of its exchanges, and the other went to
the service that made it. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from tracedclient.cli.timeline import moment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracedclient.trace.model import Exchange, TraceResult

SKEW_S = 1.0
"""By which the clocks of two machines may differ, when names say who called whom."""
_ONE_CLOCK_S = 0.005
"""The same, when times alone do."""


class Call(NamedTuple):
    """A trace in its place."""

    trace: TraceResult
    depth: int
    caller: int | None = None
    """Index of the call on whose behalf it was made."""
    attempt: int | None = None
    """In which of the caller's attempts."""
    by: str = ""
    """``name and time``, or ``time`` alone."""


class _Link(NamedTuple):
    named: bool
    outside_s: float
    exchange_ms: float
    caller: int
    attempt: int


def calls(traces: Iterable[TraceResult]) -> list[Call]:
    """Return ``traces`` with callers before those whom they called, each in order of time.

    A trace that was found twice, in two files, say, is there once.
    """
    distinct = {_identity(trace): trace for trace in traces}
    found = sorted(distinct.values(), key=lambda trace: moment(trace.started_at))
    links = [_link(child, found) for child in found]
    return list(_walk(found, links, None, 0, {}))


def culprit(found: Sequence[Call]) -> Call:
    """Return the call that explains the others: the deepest at fault, else the longest root."""
    at_fault = [call for call in found if call.trace.verdict_culprit != "none"]
    failed = [call for call in at_fault if call.trace.outcome != "ok"] or at_fault
    if failed:
        return max(failed, key=lambda call: call.depth)
    roots = [call for call in found if call.caller is None]
    return max(roots, key=lambda call: call.trace.duration_ms)


def _walk(
    found: list[TraceResult],
    links: list[_Link | None],
    caller: int | None,
    depth: int,
    places: dict[int, int],
) -> Iterator[Call]:
    for index, link in enumerate(links):
        if (link.caller if link else None) != caller:
            continue
        places[index] = len(places)
        if link is None:
            yield Call(found[index], depth)
        else:
            by = "name and time" if link.named else "time"
            yield Call(found[index], depth, places[link.caller], link.attempt, by)
        yield from _walk(found, links, index, depth + 1, places)


def _link(child: TraceResult, found: Sequence[TraceResult]) -> _Link | None:
    links = [
        link
        for index, other in enumerate(found)
        if other is not child and _writer(other) != _writer(child)
        for link in _links(child, other, index)
    ]
    return min(
        links, key=lambda link: (not link.named, link.outside_s, link.exchange_ms), default=None
    )


def _links(child: TraceResult, other: TraceResult, index: int) -> Iterator[_Link]:
    for attempt in other.attempts:
        for exchange in attempt.exchanges:
            named = _goes_to(exchange, child.service_name)
            outside_s = _outside_s(child, exchange)
            # Durations are of monotonic clocks: what lasts longer cannot have been within.
            if exchange.duration_ms > child.duration_ms and outside_s <= (
                SKEW_S if named else _ONE_CLOCK_S
            ):
                yield _Link(named, outside_s, exchange.duration_ms, index, attempt.number)


def _identity(trace: TraceResult) -> tuple[object, ...]:
    return (*_writer(trace), trace.started_at, trace.duration_ms, trace.url_full, trace.outcome)


def _writer(trace: TraceResult) -> tuple[object, ...]:
    if trace.service_name:
        return (trace.service_name,)
    return trace.host_name, trace.process_pid


def _goes_to(exchange: Exchange, service: str | None) -> bool:
    try:
        host = urlsplit(exchange.url).hostname
    except ValueError:
        return False
    if not service or not host:
        return False
    return any(label == service or label.startswith(f"{service}-") for label in host.split("."))


def _outside_s(child: TraceResult, exchange: Exchange) -> float:
    """Return by how much ``child`` sticks out of ``exchange``, on the clocks of the two."""
    lead = (moment(child.started_at) - moment(exchange.started_at)).total_seconds()
    lag = lead + (child.duration_ms - exchange.duration_ms) / 1000
    return max(0.0, -lead, lag)
