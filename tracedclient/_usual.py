"""The figures of a usual call, straight from the journal: all that its line needs to be filled."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from tracedclient._drafts import host_used, traffic
from tracedclient._infos import TLSHandshakeDoneInfo
from tracedclient._replay import agreed, connected, looked_up
from tracedclient.trace.moments import SECOND
from tracedclient.trace.schema import json_text
from tracedclient.trace.summary import split_address
from tracedclient.trace.timings import OPENINGS, in_milliseconds, milliseconds_of, opening
from tracedclient.trace.usual import Figures, Opening, Shape, quoted
from tracedclient.trace.verdict import UNUSUAL_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracedclient._clock import Clock
    from tracedclient._infos import (
        AttemptDoneInfo,
        ExchangeStartInfo,
        GetConnInfo,
        GotConnInfo,
        TLSState,
    )
    from tracedclient._replay import Entry
    from tracedclient.host import HostSample
    from tracedclient.notes import Notes
    from tracedclient.trace.usual import Filling

_USUAL = {("attempt_start", *hooks, "noted", "attempt_done"): hooks for hooks in OPENINGS}


class UsualCall(NamedTuple):
    """What the journal has of a call that was like most: one attempt that was answered below 400, on a
    connection that was kept or opened at the first try, without a proxy. Times are nanoseconds.
    """

    hooks: tuple[str, ...]
    """One of ``OPENINGS``."""
    attempt_start: int
    exchange_start: int
    start: ExchangeStartInfo
    host_before: HostSample
    get_conn: int
    pool: GetConnInfo
    opening: list[Entry]
    exchange_end: int
    notes: Notes
    host_after: HostSample | None
    attempt_end: int
    done: AttemptDoneInfo


def usual_call(journal: list[Entry], status: int | None) -> UsualCall | None:
    """Return what there is of a call that was like most and ended with ``status``; ``None`` of any
    other.
    """
    hooks = _USUAL.get(tuple([entry[0] for entry in journal]))
    if hooks is None or status is None or status >= 400:
        return None
    attempt, exchange, get_conn, *opened, noted, (_, done_at, done) = journal
    (start, before), (notes, after) = exchange[2], noted[2]
    is_usual = (
        status == done.status == notes.status
        and notes.body_done_at
        and not done.retry
        and done.error is None
        and done.retry_after is None
        and start.proxy is None
    )
    if not is_usual:
        return None
    return UsualCall(
        *(hooks, attempt[1], exchange[1], start, before, get_conn[1], get_conn[2], opened),
        *(noted[1], notes, after, done_at, done),
    )


class Ended(NamedTuple):
    """A call that has ended."""

    trace_id: str
    parent_span_id: str | None
    url: str
    """As it may be shown; that of its exchange is the same."""
    clock: Clock
    at: int
    constants: tuple[object, ...]
    """What its record has of the process, the client and the decision."""


def figures(
    ended: Ended, call: UsualCall
) -> tuple[Shape, Filling, float, Mapping[str, float]] | None:
    """Return the shape and the figures of a call, and the milliseconds that it and each of its phases
    took.

    ``None`` when it was not short enough to be judged by these alone.
    """
    start, notes, clock = call.start, call.notes, ended.clock
    second, base = clock.whole_second()
    last = max(ended.at, notes.put_at, notes.body_done_at)
    if ended.at - clock.start >= _UNUSUAL or base + last >= SECOND:
        return None
    received, reads, silence, readers_time = traffic(notes, call.exchange_end)
    opened = opening(call.opening) if call.opening else {}
    # Microseconds, rounded as ``milliseconds`` does it.
    call_us, attempt_us, exchange_us, silence_us, send, wait, receive, rest = [
        (ns + 500) // 1000
        for ns in (
            ended.at - clock.start,
            call.attempt_end - call.attempt_start,
            call.exchange_end - call.exchange_start,
            silence,
            *_spent(call, readers_time, sum(opened.values())),
        )
    ]
    phases = {"send": send / 1000, "wait": wait / 1000, "receive": receive / 1000}
    in_phases = send + wait + receive
    if opened:
        spent = in_milliseconds(opened)
        phases = {**spent, **phases}
        in_phases += round(sum(spent.values()) * 1000)
    found = Figures._make(
        (
            ended.trace_id,
            ended.parent_span_id,
            start.span_id,
            quoted(ended.url),
            second,
            *[(base + at) // 1000 for at in _moments(clock, call)],
            *(call_us / 1000, attempt_us / 1000, exchange_us / 1000),
            *(send / 1000, wait / 1000, receive / 1000, rest / 1000),
            max(0, call_us - in_phases) / 1000,
            max(phases, key=phases.__getitem__),
            notes.status,
            *_connection(notes.conn, call.pool),
            *(notes.bytes_sent, received, reads, silence_us / 1000),
            None if notes.buffered is None else milliseconds_of(notes.buffered),
            None if notes.tcp is None else json_text(notes.tcp),
            *host_used(call.host_before, call.host_after),
        )
    )
    has = (*_has(found), rest == 0, notes.put_at == 0, notes.conn.reused)
    words = (call.done.reason, notes.not_kept, start.method)
    if not opened:
        return Shape(ended.constants, has, words, call.hooks), found, call_us / 1000, phases
    shape = Shape(ended.constants, has, (*words, *_said(call)), call.hooks)
    return shape, found + _opening(call, base, phases), call_us / 1000, phases


_UNUSUAL = int(UNUSUAL_MS * 1e6) - 500
"""Nanoseconds; what is less is less than ``UNUSUAL_MS`` in a record too."""


def _spent(call: UsualCall, readers_time: int, opened: int) -> tuple[int, int, int, int]:
    """Nanoseconds for ``send``, ``wait``, ``receive`` and what they leave over, as ``timings`` has them;
    ``opened`` is what opening the connection took.
    """
    notes, end = call.notes, call.exchange_end
    send, wait = notes.wrote_at - notes.got_conn_at, notes.first_byte_at - notes.wrote_at
    receive = max(0, end - notes.first_byte_at - readers_time)
    return send, wait, receive, end - call.exchange_start - opened - send - wait - receive


def _moments(clock: Clock, call: UsualCall) -> tuple[int, ...]:
    """From the call's start to the body's end."""
    notes = call.notes
    return (
        clock.start,
        call.attempt_start,
        call.exchange_start,
        call.exchange_start,
        call.get_conn,
        notes.got_conn_at,
        notes.wrote_at,
        notes.first_byte_at,
        notes.head_at,
        notes.put_at,
        notes.body_done_at,
    )


def _connection(conn: GotConnInfo, pool: GetConnInfo) -> tuple[Any, ...]:
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


def _said(call: UsualCall) -> tuple[str | None, ...]:
    """What of the opening stands in the summary."""
    given = {hook: info for hook, _, info in call.opening}
    dns, tls = given.get("dns_done"), given.get("tls_handshake_done")
    return (looked_up(dns).error if dns else None, agreed(tls).version if tls else None)


def _opening(call: UsualCall, base: int, phases: Mapping[str, float]) -> Opening:
    given = {hook: (at, info) for hook, at, info in call.opening}
    at = {hook: (base + when) // 1000 for hook, (when, _) in given.items()}.get
    dns, tls = given.get("dns_done"), given.get("tls_handshake_done")
    spent = phases.get
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
        None if dns is None else json_text(looked_up(dns[1])),
        _connects(given["connect_start"], given["connect_done"]),
        json_text(()) if tls is None else _handshakes(tls[1]),
    )


def _connects(began: tuple[int, Any], done: tuple[int, Any]) -> str:
    (since, start), (at, info) = began, done
    return json_text((connected(info, at - since if start.addr == info.addr else 0),))


def _handshakes(info: TLSHandshakeDoneInfo) -> str:
    if info.error is None and info.state is not None:
        return _agreed_on(info.server_name, info.proxy, info.state)
    return json_text((agreed(info),))


@lru_cache(maxsize=256)
def _agreed_on(server_name: str, proxy: bool, state: TLSState) -> str:
    # One peer agrees on the same each time.
    info = TLSHandshakeDoneInfo(server_name=server_name, proxy=proxy, state=state, error=None)
    return json_text((agreed(info),))
