"""What more a trace can say of a cause than its milliseconds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.trace.verdict.words import count, span

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tracedclient.trace.model import Connect, Exchange, Pool
    from tracedclient.trace.verdict.causes import Cause
    from tracedclient.trace.verdict.facts import Facts

_UNANSWERED = ("ETIMEDOUT", "TimeoutError", "timed out", "ECANCELED")
_HOLDERS = 3
_LARGE_PART = 0.5
_A_PART = 0.25
_FIRST_RETRANSMISSION_MS = 200.0
"""Linux's least time until a segment is sent again."""


def detail(cause: Cause, facts: Facts) -> str:
    """Return what more there is to say of ``cause``, empty when there is nothing."""
    tell = _DETAILS.get(cause.phase)
    found = [tell(cause, facts) if tell else "", _hop(cause, facts)]
    return "; ".join(part for part in found if part)


def unreachable(connect: Connect) -> str:
    """Return what came of an address that gave no connection."""
    if not _is_refusal(connect):
        return f"{connect.addr} did not answer for {span(connect.ms)}"
    return f"{connect.addr} failed after {span(connect.ms)} ({connect.error})"


def _is_refusal(connect: Connect) -> bool:
    # Given up because another address was faster: all that is known is that it had not answered.
    return bool(connect.error) and not str(connect.error).startswith(_UNANSWERED)


def _of_connect(_: Cause, facts: Facts) -> str:
    tried = [connect for exchange in facts.exchanges for connect in exchange.connects]
    dead = [unreachable(connect) for connect in tried if connect.error]
    alive = [connect for connect in tried if not connect.error]
    if not dead:
        return ""
    after = f", {alive[-1].addr} did after {span(alive[-1].ms)}" if alive else ""
    return ", ".join(dict.fromkeys(dead)) + after


def _of_blocked(_: Cause, facts: Facts) -> str:
    return holders([exchange.pool for exchange in facts.exchanges if exchange.pool])


def holders(pools: Sequence[Pool]) -> str:
    """Return how many connections were in use, and who held them, the oldest call first."""
    held = [holder for pool in pools for holder in pool.holders]
    calls = ", ".join(f"{h.trace_id} ({span(h.age_ms)}, {h.phase})" for h in held[:_HOLDERS])
    if not calls:
        return ""
    limits = {f"{pool.in_use} of {pool.limit} in use" for pool in pools if pool.holders}
    return f"{', '.join(sorted(limits))}, held by {calls}"


def _of_dns(_: Cause, facts: Facts) -> str:
    said = (e.dns.resolver.explanation for e in facts.exchanges if e.dns and e.dns.resolver)
    return "; ".join(dict.fromkeys(words for words in said if words))


def _of_wait(cause: Cause, facts: Facts) -> str:
    return "; ".join(
        part for part in (_lost(cause, facts), _unless_throttled(cause, facts)) if part
    )


def _lost(cause: Cause, facts: Facts) -> str:
    again = max((e.tcp.retransmits or 0 for e in facts.exchanges if e.tcp), default=0)
    # Each repetition waits twice as long as the one before (RFC 6298 §5.5).
    waited = (2 ** min(again, 20) - 1) * _FIRST_RETRANSMISSION_MS
    if waited < _A_PART * cause.ms:
        return ""
    return f"the network may have a part in it: {count(again, 'segment')} sent again"


def _unless_throttled(cause: Cause, facts: Facts) -> str:
    """Where the kernel gave no time of arrival, a process held back looks like a slow server."""
    unknown = [e for e in facts.exchanges if e.buffered_ms is None]
    held = sum(exchange.throttled_ms or 0.0 for exchange in unknown)
    if held < _LARGE_PART * cause.ms:
        return ""
    return (
        f"but its CPU limit held this process back for {span(held)} meanwhile, and when the answer "
        "arrived is not known: it may have been either"
    )


def _of_this_process(_: Cause, facts: Facts) -> str:
    held = sum(exchange.throttled_ms or 0.0 for exchange in facts.exchanges)
    return f"its CPU limit held it back for {span(held)}" if held else ""


def _of_unaccounted(cause: Cause, facts: Facts) -> str:
    worked = sum(exchange.cpu_ms or 0.0 for exchange in facts.exchanges)
    own = f"this thread computed for {span(worked)}" if worked >= _LARGE_PART * cause.ms else ""
    return "; ".join(part for part in (own, _of_this_process(cause, facts)) if part)


def _of_receive(_: Cause, facts: Facts) -> str:
    slowest = max(facts.exchanges, key=lambda e: e.ms.receive or 0.0, default=None)
    if slowest is None or slowest.bytes_received is None or not slowest.reads:
        return ""
    got = f"{count(slowest.bytes_received, 'byte')} in {count(slowest.reads, 'read')}"
    silence = slowest.longest_silence_ms
    return got if silence is None else f"{got}, the longest silence {span(silence)}"


def _of_send(_: Cause, facts: Facts) -> str:
    slowest = max(facts.exchanges, key=lambda e: e.ms.send or 0.0, default=None)
    if slowest is None or slowest.bytes_sent is None:
        return ""
    return f"{count(slowest.bytes_sent, 'byte')} sent"


def _of_proxy(_: Cause, facts: Facts) -> str:
    urls = dict.fromkeys(e.proxy.url for e in facts.exchanges if e.proxy)
    return f"the proxy is {', '.join(urls)}" if urls else ""


_DETAILS: dict[str, Callable[[Cause, Facts], str]] = {
    "blocked": _of_blocked,
    "dns": _of_dns,
    "connect": _of_connect,
    "proxy": _of_proxy,
    "send": _of_send,
    "wait": _of_wait,
    "receive": _of_receive,
    "buffered": _of_this_process,
    "unaccounted": _of_unaccounted,
}

_TIMING = {"head": "receive", "buffered": "wait"}


def _hop(cause: Cause, facts: Facts) -> str:
    """Which exchange of a chain of redirects took most of it."""
    chain = max((a.exchanges for a in facts.attempts), key=len, default=())
    if len(chain) < 2:
        return ""
    phase = _TIMING.get(cause.phase, cause.phase)
    slowest = max(chain, key=lambda exchange: _ms(exchange, phase))
    if not _ms(slowest, phase):
        return ""
    where = f"{span(_ms(slowest, phase))} at {slowest.url}"
    return f"in {count(len(chain), 'exchange')} of a chain of redirects, {where}"


def _ms(exchange: Exchange, phase: str) -> float:
    return getattr(exchange.ms, phase, None) or 0.0
