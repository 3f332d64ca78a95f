"""What a call spent its time on: causes, each with its milliseconds and its culprit."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from tracedclient.trace.verdict.facts import is_unusual

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.trace.model import Exchange
    from tracedclient.trace.verdict.facts import Facts


class Cause(NamedTuple):
    culprit: str
    phase: str
    """A phase, or ``buffered``, ``head``, ``unaccounted``, ``retry_sleep``, ``retry_after``."""
    ms: float
    words: str
    """What it was spent on."""
    field: str
    """The summary's or the exchanges' field that says so."""
    weight: float = 0.0
    """What counts: the milliseconds, or those above the usual where a call was not as usual."""


_OF_PHASE = {
    "blocked": ("pool", "waiting for a free connection of the pool"),
    "dns": ("dns", "looking up the name"),
    "connect": ("connect", "opening the connection"),
    "proxy": ("proxy", "waiting for the proxy's answer to CONNECT"),
    "tls": ("tls", "in the TLS handshake"),
    "send": ("send", "sending the request"),
    "wait": ("server", "waiting for the server's answer"),
    "receive": ("body", "receiving the body"),
}
_FORWARDED = "waiting for the answer of the proxy, or of the server behind it"
_HEAD = "receiving the answer's head"
_BUFFERED = (
    "with the answer lying in this process's receive buffer (the process was busy, not the server)"
)
_ASKED = "sleeping between attempts, as the server's Retry-After asked"
_OUTSIDE = "outside of the wire, in this process or in the reader of the body"


def causes(facts: Facts) -> list[Cause]:
    """Return what took time, what weighs most first."""
    found = [cause for cause in _causes(facts) if cause.ms > 0]
    if is_unusual(facts):
        weighed = [cause._replace(weight=_above_usual(cause, facts)) for cause in found]
    else:
        weighed = [cause._replace(weight=cause.ms) for cause in found]
    return sorted(weighed, key=lambda cause: -cause.weight)


def usual_ms(phase: str, facts: Facts) -> float | None:
    """Return the recent median of ``phase``, if there is one."""
    ms: float | None = getattr(facts.usual, f"{phase}_ms", None)
    return ms


def _above_usual(cause: Cause, facts: Facts) -> float:
    return max(0.0, cause.ms - (usual_ms(cause.phase, facts) or 0.0))


def _causes(facts: Facts) -> Iterator[Cause]:
    for phase, ms in facts.phases.items():
        if phase == "wait":
            yield from _of_the_wait(ms, facts)
        elif phase == "receive":
            yield from _of_the_receiving(ms, facts)
        else:
            yield _of_phase(phase, ms)
    yield from _of_the_sleep(facts)
    accounted = sum(facts.phases.values()) + facts.retry_sleep_ms
    outside = facts.duration_ms - accounted
    yield Cause("client", "unaccounted", outside, _OUTSIDE, "unaccounted_ms")


def _of_phase(phase: str, ms: float) -> Cause:
    culprit, words = _OF_PHASE[phase]
    return Cause(culprit, phase, ms, words, f"{phase}_ms")


def _of_the_receiving(ms: float, facts: Facts) -> Iterator[Cause]:
    """The body's part, and that of a head that dripped in."""
    head = min(ms, sum(head_ms(exchange) for exchange in facts.exchanges))
    yield Cause("server", "head", head, _HEAD, "receive_ms")
    yield _of_phase("receive", ms - head)


def head_ms(exchange: Exchange) -> float:
    """Return how long the final head took after its first byte, as its events tell."""
    received = exchange.ms.receive
    if received is None or exchange.status is None:
        return received or 0.0
    at = {event.event: event.at for event in exchange.events}
    began, ended = at.get("got_first_response_byte"), at.get("response_head")
    if began is None or ended is None or exchange.interim:
        return 0.0
    # 3.10 reads no Z, and at a year's end the texts do not subtract.
    took = datetime.fromisoformat(ended[:-1]) - datetime.fromisoformat(began[:-1])
    return min(received, max(0.0, took.total_seconds() * 1e3))


def _of_the_wait(ms: float, facts: Facts) -> Iterator[Cause]:
    """The server's part, and what lay in our own buffer meanwhile."""
    lay = sum(_lay_unread(exchange.buffered_ms, exchange.ms.wait) for exchange in facts.exchanges)
    buffered = min(lay, ms)
    yield Cause("client", "buffered", buffered, _BUFFERED, "buffered_ms")
    words = _FORWARDED if _is_forwarded(facts) else _OF_PHASE["wait"][1]
    yield Cause("server", "wait", ms - buffered, words, "wait_ms")


def _lay_unread(buffered: float | None, wait: float | None) -> float:
    return 0.0 if buffered is None else buffered if wait is None else min(buffered, wait)


def _is_forwarded(facts: Facts) -> bool:
    return any(e.proxy is not None and e.proxy.target is None for e in facts.exchanges)


def _of_the_sleep(facts: Facts) -> Iterator[Cause]:
    """What the server asked for, and what was our own policy's."""
    asked = sum(a.sleep_ms or 0.0 for a in facts.attempts if a.retry_after_ms)
    yield Cause("server", "retry_after", asked, _ASKED, "attempts")
    own = facts.retry_sleep_ms - asked
    yield Cause("retry", "retry_sleep", own, "sleeping between attempts", "retry_sleep_ms")


def weight_of(ranked: Sequence[Cause], culprit: str) -> float:
    """Return what a culprit's causes weigh together."""
    return sum(cause.weight for cause in ranked if cause.culprit == culprit)
