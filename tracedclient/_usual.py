"""The figures of a usual call, straight from the journal: all that its line needs to be filled."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tracedclient._drafts import describe, host_used, traffic
from tracedclient._infos import TLSHandshakeDoneInfo
from tracedclient._replay import agreed, looked_up
from tracedclient.trace.figures import quoted
from tracedclient.trace.model import Connect
from tracedclient.trace.moments import SECOND
from tracedclient.trace.schema import json_text
from tracedclient.trace.summary import split_address
from tracedclient.trace.timings import OPENINGS, milliseconds_of, phases_of
from tracedclient.trace.verdict import UNUSUAL_MS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tracedclient._clock import Clock
    from tracedclient._infos import AttemptDoneInfo, ExchangeStartInfo, TLSState
    from tracedclient._replay import Entry
    from tracedclient.notes import Notes
    from tracedclient.trace.figures import Filling, Like

_USUAL = {("attempt_start", *hooks, "noted", "attempt_done"): hooks for hooks in OPENINGS}


# Plain tuples, here as in what is returned: to make a named one of a dozen parts takes longer than most
# of the parts do.
Ended = tuple[str, "str | None", "str | None", str, "int | None", "Clock", int, tuple[object, ...]]
"""A call that has ended: the ids of its trace and of its parent's span, its URL as given and as it may be
shown, its status, its clock, its end on that, and what its record has of the process, the client and the
decision. Times are nanoseconds, as all here."""


def figures(
    call: Ended, journal: Sequence[Entry]
) -> tuple[Like, Filling, float, Mapping[str, float]] | None:
    """Return the ``Shape`` and the ``Figures`` of a call with this journal, and the milliseconds that it
    and each of its phases took.

    ``None`` when it was not like most: one attempt that was answered below 400, on a connection that
    was kept or opened at the first try, without a proxy, and so short that this alone is judged.
    """
    hooks = _USUAL.get(tuple([entry[0] for entry in journal]))
    if hooks is None:
        return None
    attempt, exchange, (_, get_conn, pool), *opening, noted, (_, attempt_end, done) = journal
    (_, start, (begun, before)), (_, end, (notes, after)) = exchange, noted
    trace_id, parent_span_id, _, shown_url, _, clock, call_end, constants = call
    second, base = clock.whole_second()
    if base + call_end >= SECOND or not _is_usual(call, begun, notes, done):
        return None
    received, reads, silence, readers_time = traffic(notes, end)
    lasted = (call_end - clock.start, attempt_end - attempt[1], end - start, silence)
    opened = phases_of(opening) if opening else {}
    (call_ms, attempt_ms, exchange_ms, silence_ms, rest), phases = _milliseconds(
        lasted, opened, notes, end - readers_time
    )
    # ``Figures`` has a second more in each moment.
    since = base + SECOND
    moments = (clock.start, attempt[1], start, start, get_conn, *_moments(notes))
    conn, peer, used = notes.conn, split_address(notes.conn.remote), host_used(before, after)
    found: Filling = (
        *(trace_id, parent_span_id, begun.span_id, quoted(shown_url), second),
        *[(since + at) // 1000 for at in moments],
        *(call_ms, attempt_ms, exchange_ms),
        *(phases["send"], phases["wait"], phases["receive"], rest),
        # As the summary has it.
        max(0, round((call_ms - sum(phases.values())) * 1000)) / 1000,
        max(phases, key=phases.__getitem__),
        notes.status,
        *(*peer, conn.conn_id, milliseconds_of(conn.age), conn.uses),
        None if conn.idle_time is None else milliseconds_of(conn.idle_time),
        *(conn.local, conn.remote, pool.in_use, pool.idle, pool.limit),
        *(notes.bytes_sent, received, reads, silence_ms),
        None if notes.buffered is None else milliseconds_of(notes.buffered),
        *(notes.tcp, *used),
    )
    has = (parent_span_id is None, begun.span_id is None, rest == 0, *_has(notes, peer, used))
    words = (done.reason, notes.not_kept, begun.method)
    if not opening:
        return (constants, has, words, hooks), found, call_ms, phases
    how, said = _opening(opening, since, phases)
    return (constants, has, (*words, *said), hooks), (*found, *how), call_ms, phases


_UNUSUAL = int(UNUSUAL_MS * 1e6) - 500
"""Nanoseconds; what is less is less than ``UNUSUAL_MS`` in a record too."""


def _is_usual(call: Ended, begun: ExchangeStartInfo, notes: Notes, done: AttemptDoneInfo) -> bool:
    _, _, url, _, status, clock, end, _ = call
    return (
        begun.url == url
        and begun.proxy is None
        and status is not None
        and status < 400
        and status == done.status == notes.status
        and not done.retry
        and done.error is None
        and done.retry_after is None
        and notes.body_done_at > 0
        and end - clock.start < _UNUSUAL
        # The name of an interface may hold what JSON would escape.
        and not ("%" in (notes.conn.local or "") or "%" in (notes.conn.remote or ""))
    )


def _milliseconds(
    lasted: tuple[int, ...],
    opened: Mapping[str, int],
    notes: Notes,
    read_until: int,
) -> tuple[list[float], dict[str, float]]:
    """How long the call, its attempt, its exchange and the longest silence ``lasted``, and what the
    phases leave over; and the phases, those in which the connection was ``opened`` first.
    """
    send, wait = notes.wrote_at - notes.got_conn_at, notes.first_byte_at - notes.wrote_at
    receive = max(0, read_until - notes.first_byte_at)
    rest = lasted[2] - sum(opened.values()) - send - wait - receive
    # As ``milliseconds`` has them.
    *found, send_ms, wait_ms, receive_ms = [
        (ns + 500) // 1000 / 1000 for ns in (*lasted, rest, *opened.values(), send, wait, receive)
    ]
    phases = {"send": send_ms, "wait": wait_ms, "receive": receive_ms}
    if not opened:
        return found, phases
    return found[:5], dict(zip(opened, found[5:], strict=True)) | phases


def _moments(notes: Notes) -> tuple[int, ...]:
    """From the connection to the body's end."""
    return (
        *(notes.got_conn_at, notes.wrote_at, notes.first_byte_at),
        *(notes.head_at, notes.put_at, notes.body_done_at),
    )


def _has(
    notes: Notes, peer: tuple[str | None, int | None], used: tuple[float | None, float | None]
) -> tuple[bool, ...]:
    """Which of the figures that need not be there are not, and what else decides about a field."""
    conn = notes.conn
    return (
        *(None in peer, conn.remote is None, conn.idle_time is None, conn.local is None),
        *(notes.tcp is None, notes.buffered is None, used[0] is None, used[1] is None),
        *(notes.put_at == 0, conn.reused),
    )


_OPENING = (
    *("dns_start", "dns_done", "connect_start", "connect_done"),
    *("tls_handshake_start", "tls_handshake_done"),
)


def _opening(
    opening: Sequence[Entry], since: int, phases: Mapping[str, float]
) -> tuple[Filling, tuple[str | None, ...]]:
    """The figures of ``Opening``, and what of it stands in the summary."""
    given = {hook: (at, info) for hook, at, info in opening}
    dns, tls = given.get("dns_done"), given.get("tls_handshake_done")
    looked = None if dns is None else looked_up(dns[1])
    version, handshakes = (None, "[]") if tls is None else _handshakes(tls[1])
    found: Filling = (
        *[(since + given[hook][0]) // 1000 if hook in given else None for hook in _OPENING],
        *(phases.get("dns"), phases.get("connect"), phases.get("tls")),
        None if looked is None else json_text(looked),
        _connects(given["connect_start"], given["connect_done"], phases["connect"]),
        handshakes,
    )
    return found, (None if looked is None else looked.error, version)


def _connects(began: tuple[int, Any], done: tuple[int, Any], ms: float) -> str:
    (_, start), (_, info) = began, done
    error = None if info.error is None else describe(info.error)
    return json_text(
        (Connect(addr=info.addr, ms=ms if start.addr == info.addr else 0.0, error=error),)
    )


def _handshakes(info: TLSHandshakeDoneInfo) -> tuple[str | None, str]:
    """The version that was agreed on, and all of it as JSON."""
    if info.error is None and info.state is not None:
        return _agreed_on(info.server_name, info.proxy, info.state)
    found = agreed(info)
    return found.version, json_text((found,))


@lru_cache(maxsize=256)
def _agreed_on(server_name: str, proxy: bool, state: TLSState) -> tuple[str | None, str]:
    # One peer agrees on the same each time.
    info = TLSHandshakeDoneInfo(server_name=server_name, proxy=proxy, state=state, error=None)
    return state.version, json_text((agreed(info),))
