"""The figures of a usual call, straight from what was noted: all that its line needs to be filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tracedclient.trace.moments import SECOND
from tracedclient.trace.schema import json_text
from tracedclient.trace.summary import split_address
from tracedclient.trace.timings import KEPT, in_milliseconds, milliseconds, milliseconds_of, opening
from tracedclient.trace.usual import Figures, Opening, Shape, quoted
from tracedclient.trace.verdict import UNUSUAL_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracedclient._clock import Clock
    from tracedclient._drafts import AttemptDraft, ExchangeDraft
    from tracedclient._infos import GotConnInfo
    from tracedclient.notes import Notes
    from tracedclient.trace.model import Pool
    from tracedclient.trace.usual import Filling


def usual_notes(attempts: list[AttemptDraft], status: int | None, url: str | None) -> Notes | None:
    """Return what was noted of the one exchange of a call that was like most; ``None`` of any other.

    Like most: one attempt that was answered below 400, on a connection that was kept or opened at the
    first try, without a proxy.
    """
    if len(attempts) != 1 or len(attempts[0].exchanges) != 1:
        return None
    (attempt,), (exchange,) = attempts, attempts[0].exchanges
    told = attempt.told
    if told is None or told.retry or told.error is not None or told.retry_after is not None:
        return None
    is_usual = (
        status is not None
        and status < 400
        and status == told.status == exchange.status
        and exchange.proxy is None
        and exchange.error is None
        and exchange.url == url
    )
    return exchange.usual if is_usual else None


class Ended(NamedTuple):
    """A call that has ended."""

    trace_id: str
    parent_span_id: str | None
    clock: Clock
    attempt: AttemptDraft
    at: int
    constants: tuple[object, ...]
    """What its record has of the process, the client and the decision."""


def figures(call: Ended, notes: Notes) -> tuple[Shape, Filling, float, Mapping[str, float]] | None:
    """Return the shape and the figures of a call that has such notes, and the milliseconds that it
    and each of its phases took.

    ``None`` when it was not short enough to be judged by these alone.
    """
    trace_id, parent, clock, attempt, ended, constants = call
    second, base = clock.whole_second()
    exchange, told = attempt.exchanges[0], attempt.told
    call_ms = milliseconds(ended - clock.start)
    last = max(ended, notes.put_at, notes.body_done_at)
    if call_ms >= UNUSUAL_MS or base + last >= SECOND or told is None or exchange.pool is None:
        return None
    exchange_end = exchange.ended or ended
    marks = exchange.marks
    opened = opening(marks) if len(marks) > len(KEPT) else None
    send, wait, receive, rest = exchange.usual_phases(notes, exchange_end, opened)
    phases = {"send": send, "wait": wait, "receive": receive}
    if opened:
        phases = {**in_milliseconds(opened), **phases}
    in_order = (
        trace_id,
        parent,
        exchange.span_id,
        quoted(exchange.url),
        second,
        *_moments(base, clock, attempt, notes),
        call_ms,
        milliseconds((attempt.ended or ended) - attempt.start),
        milliseconds(exchange_end - exchange.start),
        send,
        wait,
        receive,
        rest,
        # As the summary does it.
        max(0.0, round(call_ms - sum(phases.values()) - 0.0, 3)),
        max(phases, key=phases.__getitem__),
        notes.status,
        *_connection(notes.conn, exchange.pool),
        *_traffic(exchange, notes),
        *exchange.cpu(),
    )
    found = Figures._make(in_order)
    has = (*_has(found), rest == 0, notes.put_at == 0, notes.conn.reused, exchange.ended is None)
    words = (told.reason, notes.not_kept, exchange.method)
    if not opened:
        return Shape(constants, has, words, KEPT), found, call_ms, phases
    shape = Shape(constants, has, (*words, *_said(exchange)), exchange.hooks())
    return shape, found + _opening(exchange, base, phases), call_ms, phases


def _moments(base: int, clock: Clock, attempt: AttemptDraft, notes: Notes) -> tuple[int, ...]:
    """From the call's start to the body's end."""
    exchange = attempt.exchanges[0]
    first, second, *_ = exchange.marks
    return (
        (base + clock.start) // 1000,
        (base + attempt.start) // 1000,
        (base + exchange.start) // 1000,
        (base + first.at) // 1000,
        (base + second.at) // 1000,
        (base + notes.got_conn_at) // 1000,
        (base + notes.wrote_at) // 1000,
        (base + notes.first_byte_at) // 1000,
        (base + notes.head_at) // 1000,
        (base + notes.put_at) // 1000,
        (base + notes.body_done_at) // 1000,
    )


def _connection(conn: GotConnInfo, pool: Pool) -> tuple[Any, ...]:
    """From the peer's address to the pool's limit."""
    idle = conn.idle_time
    return (
        *split_address(conn.remote),
        conn.conn_id,
        milliseconds_of(conn.age),
        conn.uses,
        None if idle is None else milliseconds_of(idle),
        conn.local,
        conn.remote,
        pool.in_use,
        pool.idle,
        pool.limit,
    )


def _traffic(exchange: ExchangeDraft, notes: Notes) -> tuple[Any, ...]:
    """From the bytes sent to what the kernel counted."""
    buffered, tcp = notes.buffered, notes.tcp
    return (
        notes.bytes_sent,
        exchange.received,
        exchange.reads,
        milliseconds(exchange.longest_silence),
        None if buffered is None else milliseconds_of(buffered),
        None if tcp is None else json_text(tcp),
    )


def _has(found: Figures) -> tuple[bool, ...]:
    return (
        found.parent_span_id is None,
        found.span_id is None,
        found.peer is None,
        found.peer_port is None,
        found.idle is None,
        found.local is None,
        found.remote is None,
        found.tcp is None,
        found.buffered is None,
        found.cpu is None,
        found.throttled is None,
    )


def _said(exchange: ExchangeDraft) -> tuple[str | None, ...]:
    """What of the opening stands in the summary."""
    dns, tls = exchange.dns, exchange.tls
    return (dns.error if dns else None, tls[-1].version if tls else None)


def _opening(exchange: ExchangeDraft, base: int, phases: Mapping[str, float]) -> Opening:
    at = {mark.hook: (base + mark.at) // 1000 for mark in exchange.marks}.get
    dns, spent = exchange.dns, phases.get
    return Opening(
        at("dns_start"),
        at("dns_done"),
        at("connect_start"),
        at("connect_done"),
        at("tls_handshake_start"),
        at("tls_handshake_done"),
        spent("dns"),
        spent("connect"),
        spent("tls"),
        None if dns is None else json_text(dns),
        json_text(exchange.connects),
        json_text(exchange.tls),
    )
