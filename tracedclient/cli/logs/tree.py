"""The traces of several services with one id → who called whom.

A call says in ``parent_span_id`` for which exchange of another it was made. Where that is not known,
it was made on behalf of another when it lies within one of its exchanges, and the other went to the
service that made it. Pure.
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
    """``span id``; where none says it, ``name and time``, or ``time`` alone."""


class _Place(NamedTuple):
    """One of the attempts that may have led to a call."""

    caller: int
    attempt: int


class _Link(NamedTuple):
    place: _Place
    by: str


class _Fit(NamedTuple):
    """How well names and times agree with a call being made for an exchange; the least is best."""

    unnamed: bool
    outside_s: float
    exchange_ms: float
    place: _Place


def calls(traces: Iterable[TraceResult]) -> list[Call]:
    """Return ``traces`` with callers before those whom they called, each in order of time.

    A trace that was found twice, in two files, say, is there once.
    """
    distinct = {_identity(trace): trace for trace in traces}
    found = sorted(distinct.values(), key=lambda trace: moment(trace.started_at))
    return list(_walk(found, _without_circles([*_links(found)])))


def culprit(found: Sequence[Call]) -> Call:
    """Return the call that explains the others: the deepest at fault, else the longest root."""
    at_fault = [call for call in found if call.trace.verdict_culprit != "none"]
    failed = [call for call in at_fault if call.trace.outcome != "ok"] or at_fault
    if failed:
        return max(failed, key=lambda call: call.depth)
    roots = [call for call in found if call.caller is None]
    return max(roots, key=lambda call: call.trace.duration_ms)


def _walk(found: list[TraceResult], links: list[_Link | None]) -> Iterator[Call]:
    led_to: dict[int | None, list[int]] = {}
    for index, link in enumerate(links):
        led_to.setdefault(link.place.caller if link else None, []).append(index)
    places: dict[int, int] = {}
    # Not by recursion: services that call each other in a loop go deeper than Python does.
    left = [(index, 0) for index in reversed(led_to.get(None, []))]
    while left:
        index, depth = left.pop()
        link = links[index]
        places[index] = len(places)
        if link is None:
            yield Call(found[index], depth)
        else:
            caller, attempt = link.place
            yield Call(found[index], depth, places[caller], attempt, link.by)
        left += [(child, depth + 1) for child in reversed(led_to.get(index, []))]


def _links(found: Sequence[TraceResult]) -> Iterator[_Link | None]:
    spans = {
        exchange.span_id: _Place(index, attempt.number)
        for index, trace in enumerate(found)
        for attempt in trace.attempts
        for exchange in attempt.exchanges
        if exchange.span_id
    }
    for child in found:
        # A span that no line has may be of a proxy on the way: names and times then still tell.
        place = spans.get(child.parent_span_id or "")
        yield _Link(place, "span id") if place else _best_fit(child, found)


def _without_circles(links: list[_Link | None]) -> list[_Link | None]:
    """Have no call lead to itself, as forged ids can: its calls would be nowhere in the tree."""
    for start in range(len(links)):
        seen = {start}
        link = links[start]
        while link is not None and link.place.caller not in seen:
            seen.add(link.place.caller)
            link = links[link.place.caller]
        if link is not None and link.place.caller == start:
            links[start] = None
    return links


def _best_fit(child: TraceResult, found: Sequence[TraceResult]) -> _Link | None:
    fits = [
        fit
        for index, other in enumerate(found)
        if other is not child and _writer(other) != _writer(child)
        for fit in _fits(child, other, index)
    ]
    if not fits:
        return None
    best = min(fits)
    return _Link(best.place, "time" if best.unnamed else "name and time")


def _fits(child: TraceResult, other: TraceResult, index: int) -> Iterator[_Fit]:
    for attempt in other.attempts:
        for exchange in attempt.exchanges:
            named = _goes_to(exchange, child.service_name)
            outside_s = _outside_s(child, exchange)
            # Durations are of monotonic clocks: what lasts longer cannot have been within.
            if exchange.duration_ms > child.duration_ms and outside_s <= (
                SKEW_S if named else _ONE_CLOCK_S
            ):
                place = _Place(index, attempt.number)
                yield _Fit(not named, outside_s, exchange.duration_ms, place)


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
