"""Marks of events → durations of phases. The only place that knows which event ends which phase.

Phases come from events and not from calls, because the calls nest differently by scheme: plain
http connects while the request is being sent, https before it. A phase that was under way when the
exchange failed lasts until the failure.
"""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from tracedclient.trace.model import PHASES, Timings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


WRITE_FAILED = "write_failed"
"""The mark beside ``wrote_request`` when the kernel did not take the whole request. An answer may
still come: a server can refuse an upload half way."""


class Mark(msgspec.Struct, frozen=True, gc=False):
    """One event of an exchange."""

    hook: str
    at: int
    """Nanoseconds on a monotonic clock."""


# A phase that is the time between two hooks, summed over their pairs.
_PAIRS = {
    "pool_wait_start": ("blocked", "pool_wait_done"),
    "dns_start": ("dns", "dns_done"),
    "connect_start": ("connect", "connect_done"),
    "proxy_connect_start": ("proxy", "proxy_connect_done"),
    "tls_handshake_start": ("tls", "tls_handshake_done"),
    "got_conn": ("send", "wrote_request"),
}


def phase_nanoseconds(
    marks: Sequence[Mark], start: int, end: int, readers_time: int = 0
) -> dict[str, int]:
    """Return the nanoseconds of each phase that took place, for marks in the order of their time.

    ``end`` is when the exchange ended, well or not. The phases are disjoint: their sum is at most
    ``end - start``, whatever the marks. What is marked later than ``end`` is in no phase.
    ``readers_time`` is how long nobody was reading the body although it was not at its end: the time
    of whoever consumes a streamed one, in no phase either.
    """
    phases: dict[str, int] = {}
    firsts: dict[str, int] = {}
    covered = start
    for index, mark in enumerate(marks):
        hook = mark.hook
        if hook not in firsts:
            firsts[hook] = mark.at
        if hook in _PAIRS:
            phase, closing = _PAIRS[hook]
            closed = _closed(islice(marks, index, None), hook, closing)
            until = end if closed is None else min(closed, end)
            since = max(mark.at, covered)
            phases[phase] = phases.get(phase, 0) + max(0, until - since)
            covered = max(covered, until)
    written, answered = firsts.get("wrote_request"), _answer_began(firsts)
    if written is not None and not (WRITE_FAILED in firsts and answered is None):
        written = min(max(written, covered), end)
        # A server may answer before it has taken the whole body: that time is the upload's.
        began = end if answered is None else min(max(answered, written), end)
        phases["wait"] = began - written
        if answered is not None:
            phases["receive"] = max(0, end - began - readers_time)
    return phases


def _closed(marks: Iterable[Mark], opening: str, closing: str) -> int | None:
    """When what the first mark opens is over: addresses are tried while others still are."""
    depth = 0
    for mark in marks:
        depth += (mark.hook == opening) - (mark.hook == closing)
        if depth == 0:
            return mark.at
    return None


def _answer_began(firsts: Mapping[str, int]) -> int | None:
    """When the final answer's first byte came, as near as it is known.

    After a 1xx, only the end of the final head is known to belong to the final answer: the first
    byte was the 1xx's, and taking it would hide the server's time (curl's starttransfer does).
    """
    interim = "got_1xx_response" in firsts
    return firsts.get("response_head" if interim else "got_first_response_byte")


def timings(marks: Sequence[Mark], start: int, end: int, readers_time: int = 0) -> Timings:
    """Return the exchange's ``Timings`` in milliseconds."""
    spent: dict[str, float] = {}
    unaccounted = end - start
    for phase, nanoseconds in phase_nanoseconds(marks, start, end, readers_time).items():
        unaccounted -= nanoseconds
        spent[phase] = milliseconds(nanoseconds)
    return Timings(unaccounted=milliseconds(max(0, unaccounted)), **spent)


_DNS = ("dns_start", "dns_done")
_CONNECT = ("connect_start", "connect_done")
_TLS = ("tls_handshake_start", "tls_handshake_done")
KEPT = ("exchange_start", "get_conn")
"""What comes before a connection of the pool."""

OPENINGS = frozenset(
    {
        KEPT,
        (*KEPT, *_CONNECT),
        (*KEPT, *_DNS, *_CONNECT),
        (*KEPT, *_CONNECT, *_TLS),
        (*KEPT, *_DNS, *_CONNECT, *_TLS),
    }
)
"""What comes before a connection that is there, or is opened at the first try."""


def phases_of(opening: Sequence[tuple[str, int, object]]) -> dict[str, int]:
    """Return the nanoseconds of the phases in which a connection was opened as in ``OPENINGS``, for the
    hooks after ``KEPT``, each with its time.
    """
    pairs = zip(opening[::2], opening[1::2], strict=True)
    return {_PAIRS[began[0]][0]: done[1] - began[1] for began, done in pairs}


def total(all_timings: Sequence[Timings]) -> Mapping[str, float]:
    """Return the sum of each phase over exchanges, without the phases that took place in none."""
    if len(all_timings) == 1:
        # As nearly every call has.
        return all_timings[0].phases()
    sums: dict[str, float] = {}
    for ms in all_timings:
        for phase in PHASES:
            spent = getattr(ms, phase)
            if spent is not None:
                sums[phase] = sums.get(phase, 0.0) + spent
    return {phase: round(sums[phase], 3) for phase in PHASES if phase in sums}


def milliseconds(nanoseconds: int) -> float:
    """Return ``nanoseconds`` as milliseconds to the microsecond."""
    # In whole numbers: `round` to three places takes ten times as long, and a record has thirty.
    return (nanoseconds + 500) // 1000 / 1000


def milliseconds_of(seconds: float) -> float:
    """Return ``seconds``, 0 or more, as milliseconds to the microsecond."""
    return int(seconds * 1e6 + 0.5) / 1000
