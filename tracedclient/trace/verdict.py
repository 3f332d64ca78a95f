"""Whose fault it was: a pure function from what a trace holds to a culprit and a sentence.

The sentence is written to be pasted into an incident's channel. It names what was measured, and
where the facts do not decide, it says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tracedclient.trace.model import DNS, Attempt, Connect, ErrorInfo, Exchange

SLOW_MS = 500.0
"""A call that ends well within this time has nothing to explain."""

_DOMINANT_SHARE = 0.5


class Verdict(NamedTuple):
    culprit: str
    """One of ``model.CULPRITS``."""
    sentence: str | None
    evidence: tuple[str, ...] = ()
    """The fields it rests on."""


GOOD = Verdict("none", None)


class Facts(NamedTuple):
    """What the verdict is computed from."""

    status: int | None
    error: ErrorInfo | None
    duration_ms: float
    attempts: Sequence[Attempt]
    phases: Mapping[str, float]
    """Milliseconds of each phase, summed over all exchanges."""
    retry_sleep_ms: float
    cancelled: bool = False
    """The caller's process ended the call: Ctrl-C, a shutdown."""

    @property
    def shares(self) -> Mapping[str, float]:
        """Milliseconds of all that the call is known to have spent its time on."""
        return {**self.phases, "retry_sleep": self.retry_sleep_ms}


def judge(facts: Facts) -> Verdict:
    """Return the verdict on one call."""
    if facts.error is not None:
        return _failed(facts, facts.error)
    if facts.status is not None and facts.status >= 500:
        return _server_error(facts, facts.status)
    if facts.status is not None and facts.status >= 400:
        return _client_error(facts.status)
    if facts.duration_ms >= SLOW_MS:
        return _slow(facts)
    return GOOD


def _failed(facts: Facts, error: ErrorInfo) -> Verdict:
    if facts.cancelled:
        return _cancelled(facts, error)
    if error.type == "DeadlineExceeded":
        return Verdict("deadline", _deadline(facts), ("duration_ms", "attempts"))
    if error.type == "AddressRefused":
        return Verdict("config", f"nothing was sent: {_why(error)}", ("error_type", "url_full"))
    exchange = _last_exchange(facts.attempts)
    explain = _EXPLAIN.get(error.phase, _failed_elsewhere)
    return explain(error, exchange)


def _cancelled(facts: Facts, error: ErrorInfo) -> Verdict:
    return Verdict(
        "client",
        f"{error.type} ended the call after {facts.duration_ms:.0f} ms, in {error.phase}",
        ("error_type", "error_phase"),
    )


def _deadline(facts: Facts) -> str:
    phase, spent = max(facts.shares.items(), key=lambda item: item[1])
    share = "most" if spent > facts.duration_ms * _DOMINANT_SHARE else "the largest part"
    most = f"; {share} of it in {phase} ({spent:.0f} ms)" if spent else ""
    return (
        f"the total timeout passed after {facts.duration_ms:.0f} ms and "
        f"{_count(len(facts.attempts), 'attempt')}{most}"
    )


def _failed_dns(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    dns = exchange.dns if exchange else None
    host = dns.host if dns else "the host"
    words = f"DNS gave no address for {host}: {_why(error)}{_resolver_says(dns)}"
    return Verdict("dns", words, ("dns_err", "dns_ms"))


def _resolver_says(dns: DNS | None) -> str:
    resolver = dns.resolver if dns else None
    return f"; {resolver.explanation}" if resolver and resolver.explanation else ""


def _failed_connect(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    tried = exchange.connects if exchange else ()
    if len(tried) > 1:
        text = "; ".join(f"{_address(connect)}" for connect in tried)
        return Verdict("connect", f"none of {len(tried)} addresses answered: {text}", ("connects",))
    if tried:
        return Verdict("connect", f"no connection to {_address(tried[0])}", ("connects",))
    return Verdict("connect", f"no connection: {_why(error)}", ("error_message",))


def _address(connect: Connect) -> str:
    error = connect.error or ""
    # Given up because another address was faster: all that is known is that it had not answered.
    words = "no answer" if not error or error.startswith("ECANCELED") else error
    return f"{connect.addr} ({words} after {connect.ms:.0f} ms)"


def _failed_proxy(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    proxy = exchange.proxy if exchange else None
    if proxy and proxy.status is not None:
        return Verdict(
            "proxy",
            f"the proxy {proxy.url} answered CONNECT {proxy.target} with {proxy.status}; "
            "the target was never contacted",
            ("proxy",),
        )
    name = proxy.url if proxy else "the proxy"
    return Verdict("proxy", f"no tunnel through {name}: {_why(error)}", ("proxy", "error_message"))


def _failed_tls(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    handshakes = exchange.tls if exchange else ()
    name = handshakes[-1].server_name if handshakes else "the server"
    return Verdict(
        "tls", f"the TLS handshake with {name} failed: {_why(error)}", ("tls", "error_message")
    )


def _failed_send(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    sent = f" after {exchange.bytes_sent} bytes" if exchange and exchange.bytes_sent else ""
    return Verdict("send", f"sending the request broke off{sent}: {_why(error)}", ("bytes_sent",))


def _failed_wait(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    waited = exchange.ms.wait if exchange else None
    after = f" within {waited:.0f} ms" if waited is not None else ""
    delivery, culprit = _delivered(exchange)
    if exchange and exchange.connection and exchange.connection.reused:
        idle = exchange.connection.idle_ms
        return Verdict(
            culprit,
            f"{delivery} on a kept-alive connection"
            + (f" (idle {idle:.0f} ms)" if idle is not None else "")
            + f"; no answer came{after}: {_why(error)}",
            ("wait_ms", "conn_reused", "tcp"),
        )
    return Verdict(culprit, f"{delivery}; no answer came{after}: {_why(error)}", ("wait_ms", "tcp"))


def _delivered(exchange: Exchange | None) -> tuple[str, str]:
    """What became of the request, as far as the kernel knows, and whose fault that makes it."""
    tcp = exchange.tcp if exchange else None
    sent = exchange.bytes_sent if exchange else None
    if tcp is None or tcp.delivery is None or not sent:
        return "the request was sent", "server"
    if tcp.delivery == "none_left":
        return "nothing left this machine", "send"
    if tcp.delivery == "unacknowledged":
        return f"none of the request's {sent} bytes was acknowledged: network or host down", "send"
    if tcp.delivery == "partly_acknowledged":
        return f"only part of the request's {sent} bytes was acknowledged", "send"
    return f"all {sent} bytes of the request were acknowledged", "server"


def _failed_receive(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    if error.type in _UNUSABLE:
        return Verdict(
            "body", f"the answer came, and was not taken: {_why(error)}", ("error_type",)
        )
    got = f" after {exchange.bytes_received} bytes" if exchange and exchange.bytes_received else ""
    return Verdict("body", f"the answer broke off{got}: {_why(error)}", ("receive_ms",))


# Errors of a body that the connection delivered.
_UNUSABLE = frozenset({"ContentDecodingError", "ResponseTooLarge"})


def _failed_blocked(error: ErrorInfo, _: Exchange | None) -> Verdict:
    return Verdict("pool", f"no connection was to be had: {_why(error)}", ("blocked_ms",))


def _failed_prepare(error: ErrorInfo, _: Exchange | None) -> Verdict:
    return Verdict("client", f"the request could not be made: {_why(error)}", ("error_type",))


def _failed_circuit(_: ErrorInfo, __: Exchange | None) -> Verdict:
    return Verdict(
        "server",
        "nothing was sent: calls to this origin have been failing, and it is left alone for a while",
        ("error_type",),
    )


def _failed_redirect(error: ErrorInfo, _: Exchange | None) -> Verdict:
    return Verdict("server", f"the redirect was not followed: {_why(error)}", ("attempts",))


def _failed_elsewhere(error: ErrorInfo, _: Exchange | None) -> Verdict:
    return Verdict(
        "client", f"the call ended with {error.type}, outside of any phase", ("error_type",)
    )


_EXPLAIN: dict[str, Callable[[ErrorInfo, Exchange | None], Verdict]] = {
    "prepare": _failed_prepare,
    "blocked": _failed_blocked,
    "dns": _failed_dns,
    "connect": _failed_connect,
    "proxy": _failed_proxy,
    "tls": _failed_tls,
    "send": _failed_send,
    "wait": _failed_wait,
    "receive": _failed_receive,
    "redirect": _failed_redirect,
    "circuit": _failed_circuit,
}


def _server_error(facts: Facts, status: int) -> Verdict:
    tries = len(facts.attempts)
    alike = all(attempt.status == status for attempt in facts.attempts)
    which = "each" if alike else "the last"
    often = f" on {which} of {tries} attempts" if tries > 1 else ""
    waited = facts.phases.get("wait")
    after = f" after {waited:.0f} ms" if waited is not None and tries == 1 else ""
    return Verdict(
        "server", f"the server answered {status}{often}{after}", ("http_response_status_code",)
    )


def _client_error(status: int) -> Verdict:
    if status == 429:
        return Verdict(
            "server",
            "the server refused for now: too many requests (429)",
            ("http_response_status_code",),
        )
    return Verdict(
        "client",
        f"the server refused the request with {status}: it is the request that it objects to",
        ("http_response_status_code",),
    )


_SLOW = {
    "blocked": ("pool", "waiting for a free connection of the pool", "blocked_ms"),
    "dns": ("dns", "looking up the name", "dns_ms"),
    "connect": ("connect", "opening the connection", "connect_ms"),
    "proxy": ("proxy", "waiting for the proxy's answer to CONNECT", "proxy_ms"),
    "tls": ("tls", "the TLS handshake", "tls_ms"),
    "send": ("send", "sending the request", "send_ms"),
    "wait": ("server", "waiting for the server's answer", "wait_ms"),
    "receive": ("body", "receiving the body", "receive_ms"),
    "retry_sleep": ("retry", "sleeping between attempts", "retry_sleep_ms"),
}


def _slow(facts: Facts) -> Verdict:
    shares = facts.shares
    phase, spent = max(shares.items(), key=lambda item: item[1])
    took = f"slow, {facts.duration_ms:.0f} ms"
    if spent < facts.duration_ms * _DOMINANT_SHARE:
        ranked = sorted(shares.items(), key=lambda item: -item[1])[:3]
        parts = ", ".join(f"{name} {ms:.0f}" for name, ms in ranked if ms)
        accounted = sum(shares.values())
        if accounted < facts.duration_ms * _DOMINANT_SHARE:
            return Verdict(
                "client",
                f"{took}, of which only {accounted:.0f} ms on the wire: this process, or the "
                "reader of the body, took the rest",
                ("duration_ms", "unaccounted_ms"),
            )
        return Verdict("none", f"{took}, and no phase dominates ({parts} ms)", ("duration_ms",))
    if phase == "wait" and (buffered := _buffered(facts.attempts)) >= spent * _DOMINANT_SHARE:
        return Verdict(
            "client",
            f"{took}: the answer lay {buffered:.0f} ms in this process's receive buffer: the "
            f"process was busy, not the server{_throttled(facts.attempts)}",
            ("buffered_ms", "wait_ms"),
        )
    culprit, words, field = _SLOW[phase]
    return Verdict(
        culprit,
        f"{took}: {spent:.0f} ms of it {words}{_more(phase, facts.attempts)}",
        (field, "duration_ms"),
    )


def _more(phase: str, attempts: Sequence[Attempt]) -> str:
    if phase == "connect":
        return _dead_addresses(attempts)
    if phase == "blocked":
        return _holders(attempts)
    if phase == "dns":
        return "".join(sorted({_resolver_says(e.dns) for e in _exchanges(attempts)}))
    return ""


def _buffered(attempts: Sequence[Attempt]) -> float:
    return sum(exchange.buffered_ms or 0.0 for exchange in _exchanges(attempts))


def _throttled(attempts: Sequence[Attempt]) -> str:
    spent = sum(exchange.throttled_ms or 0.0 for exchange in _exchanges(attempts))
    return f" (its CPU limit held it back for {spent:.0f} ms)" if spent else ""


def _holders(attempts: Sequence[Attempt]) -> str:
    held = [h for e in _exchanges(attempts) if e.pool for h in e.pool.holders]
    calls = ", ".join(f"{h.trace_id} ({h.age_ms:.0f} ms, {h.phase})" for h in held[:3])
    return f"; held by {calls}" if calls else ""


def _exchanges(attempts: Sequence[Attempt]) -> Iterator[Exchange]:
    for attempt in attempts:
        yield from attempt.exchanges


def _dead_addresses(attempts: Sequence[Attempt]) -> str:
    connects = (c for exchange in _exchanges(attempts) for c in exchange.connects)
    dead = [_address(connect) for connect in connects if connect.error]
    return f"; not reached: {', '.join(dead)}" if dead else ""


def _last_exchange(attempts: Sequence[Attempt]) -> Exchange | None:
    return attempts[-1].exchanges[-1] if attempts and attempts[-1].exchanges else None


def _why(error: ErrorInfo) -> str:
    return error.message or error.type


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
