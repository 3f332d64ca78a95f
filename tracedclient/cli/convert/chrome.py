"""The trace event format of Chrome's about:tracing, which Perfetto and speedscope read too.

A process is a process; in it each call gets a lane of its own among those that overlap it, because
what shares a lane must nest. In the lane lie the call, its attempts and the sleeps between them,
their exchanges, and their phases. Times are microseconds since the epoch.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.cli.convert.sound import sound
from tracedclient.cli.timeline import SLEEP, UNACCOUNTED, moment, offset_ms, rows
from tracedclient.trace.model import Exchange

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.timeline import Row
    from tracedclient.trace.model import Attempt, TraceResult

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class _Slice(msgspec.Struct, frozen=True):
    """A span of time in microseconds, and those within it, in order."""

    name: str
    start: int
    end: int
    args: dict[str, Any] = {}
    within: tuple[_Slice, ...] = ()


def to_chrome(traces: Iterable[TraceResult]) -> Iterator[bytes]:
    """Yield one JSON file of trace events, in pieces.

    Raises ``ValueError`` when a ``started_at`` is not an ISO 8601 time.
    """
    lanes = _Lanes()
    yield b'{"displayTimeUnit":"ms","traceEvents":['
    separator = b"\n"
    for result in sound(traces):
        for event in lanes.events(result):
            yield separator + msgspec.json.encode(event)
            separator = b",\n"
    yield b"\n]}\n"


class _Lanes:
    """Which lanes of which processes are taken, until when."""

    def __init__(self) -> None:
        self._processes: dict[tuple[Any, ...], int] = {}
        self._ends: dict[int, list[int]] = {}

    def events(self, result: TraceResult) -> Iterator[dict[str, Any]]:
        identity = (result.service_name, result.host_name, result.process_pid)
        if identity not in self._processes:
            # Not the real ones: two hosts' processes may have the same.
            self._processes[identity] = len(self._processes) + 1
            yield _process_name(self._processes[identity], result)
        process = self._processes[identity]
        call = _call(result)
        yield from _drawn(call, process, self._lane(process, call))

    def _lane(self, process: int, call: _Slice) -> int:
        ends = self._ends.setdefault(process, [])
        for lane, end in enumerate(ends):
            if end <= call.start:
                ends[lane] = call.end
                return lane + 1
        ends.append(call.end)
        return len(ends)


def _process_name(process: int, result: TraceResult) -> dict[str, Any]:
    service = result.service_name or "tracedclient"
    name = f"{service} on {result.host_name or '?'}, process {result.process_pid or '?'}"
    return {"ph": "M", "name": "process_name", "pid": process, "tid": 0, "args": {"name": name}}


def _drawn(part: _Slice, process: int, lane: int) -> Iterator[dict[str, Any]]:
    yield {
        "ph": "X",
        "name": part.name,
        "cat": "http",
        "ts": part.start,
        "dur": part.end - part.start,
        "pid": process,
        "tid": lane,
        "args": part.args,
    }
    for inner in part.within:
        yield from _drawn(inner, process, lane)


def _call(result: TraceResult) -> _Slice:
    began = _began(result)
    drawn = rows(result)
    within = [part for attempt in result.attempts for part in _attempt(attempt, drawn, result)]
    end = max([began + _us(result.duration_ms), *(part.end for part in within)])
    name = f"{result.http_request_method or 'call'} {result.server_address or ''}".rstrip()
    args = {k: v for k, v in msgspec.to_builtins(result).items() if k != "attempts"}
    return _fitted(_Slice(name, began, end, args, tuple(within)), began, end)


def _attempt(attempt: Attempt, drawn: tuple[Row, ...], result: TraceResult) -> Iterator[_Slice]:
    began = _began(result)
    mine = [row for row in drawn if row.attempt == attempt.number]
    exchanges = [_exchange(row, began) for row in mine if not row.is_sleep and row.exchange]
    sleeps = [_phases(row, began)[0] for row in mine if row.is_sleep]
    start = began + _us(offset_ms(attempt.started_at, result.started_at))
    end = max([start + _us(attempt.duration_ms), *(part.end for part in exchanges)])
    args = msgspec.to_builtins(msgspec.structs.replace(attempt, exchanges=()))
    yield _Slice(f"attempt {attempt.number}", start, end, args, tuple(exchanges))
    yield from sleeps


def _exchange(row: Row, began: int) -> _Slice:
    assert isinstance(row.exchange, Exchange)
    start = began + _us(row.start_ms)
    args = msgspec.to_builtins(msgspec.structs.replace(row.exchange, events=()))
    name = f"{row.exchange.method} {row.exchange.status or 'failed'}"
    return _Slice(name, start, start + _us(row.duration_ms), args, tuple(_phases(row, began)))


def _phases(row: Row, began: int) -> list[_Slice]:
    parts, now = [], row.start_ms
    for segment in row.segments:
        if segment.phase != UNACCOUNTED:
            start, end = (began + _us(edge) for edge in (now, now + segment.ms))
            name = "retry sleep" if segment.phase == SLEEP else segment.phase
            parts.append(_Slice(name, start, end))
        now += segment.ms
    return parts


def _fitted(part: _Slice, earliest: int, latest: int) -> _Slice:
    """Return ``part`` between these bounds, and all within it one after the other.

    Clocks are read one after the other, and times are rounded: an inner slice that is a microsecond
    too long would make viewers drop it.
    """
    start = min(max(part.start, earliest), latest)
    end = min(max(part.end, start), latest)
    within, now = [], start
    for inner in sorted(part.within, key=lambda inner: inner.start):
        fitted = _fitted(inner, now, end)
        within.append(fitted)
        now = fitted.end
    return msgspec.structs.replace(part, start=start, end=end, within=tuple(within))


def _began(result: TraceResult) -> int:
    return (moment(result.started_at) - _EPOCH) // timedelta(microseconds=1)


def _us(ms: float) -> int:
    return max(0, round(ms * 1000))
