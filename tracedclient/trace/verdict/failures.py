"""A call that ended with an error: whose it is, by the phase that was under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.trace.verdict.attempts import are_alike, earlier, not_tried_again
from tracedclient.trace.verdict.causes import causes, usual_ms
from tracedclient.trace.verdict.details import holders, unreachable
from tracedclient.trace.verdict.facts import Verdict, is_slow
from tracedclient.trace.verdict.spent import NAMED_SHARE, beside, in_words
from tracedclient.trace.verdict.words import count, listed, span, why

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.trace.model import ErrorInfo, Exchange
    from tracedclient.trace.verdict.facts import Facts


def failed(facts: Facts, error: ErrorInfo) -> Verdict:
    """Return the verdict on a call that ended with ``error``."""
    if error.type == "DeadlineExceeded":
        return _deadline(facts)
    if facts.cancelled:
        found = _cancelled(facts, error)
    elif error.type in _CONFIGURED:
        found = Verdict("config", f"nothing was sent: {why(error)}", _CONFIGURED[error.type])
    else:
        found = _EXPLAIN.get(error.phase, _elsewhere)(error, facts.last_exchange)
        found = _or_ours(found, error)
    return _with_the_rest(found, facts, error)


_CONFIGURED = {
    "AddressRefused": ("error_type", "url_full"),
    "UnusableTLSFile": ("error_type", "error_message"),
}
"""Errors that only whoever configured the client can mend, and what shows them."""

_OUT_OF_FILES = {"EMFILE": "this process", "ENFILE": "this machine"}


def _or_ours(found: Verdict, error: ErrorInfo) -> Verdict:
    """Each socket is a file: without one, nobody else was asked for anything."""
    who = _OUT_OF_FILES.get(why(error).partition(":")[0])
    if who is None:
        return found
    words = f"{who} has no file descriptor left; {found.sentence}"
    return Verdict("client", words, ("error_message", *found.evidence))


def _with_the_rest(found: Verdict, facts: Facts, error: ErrorInfo) -> Verdict:
    """Add the attempts before, why there was no other, and what else took its time."""
    more, fields = beside(facts, found.culprit, _told_of(error)) if is_slow(facts) else ("", ())
    usual = _usually(error, facts) if is_slow(facts) else ""
    words = f"{found.sentence}{usual}{_attempts(facts)}{not_tried_again(facts)}{more}"
    return Verdict(found.culprit, words, tuple(dict.fromkeys((*found.evidence, *fields))))


def _usually(error: ErrorInfo, facts: Facts) -> str:
    median, noun = usual_ms(error.phase, facts), _NOUNS.get(error.phase)
    return f"; here {noun} usually takes {span(median)}" if noun and median is not None else ""


_NOUNS = {
    "dns": "a lookup",
    "connect": "a connection",
    "proxy": "the proxy's answer",
    "tls": "a handshake",
    "wait": "an answer",
    "receive": "the body",
}


def _told_of(error: ErrorInfo) -> tuple[str, ...]:
    # A head that dripped in counts as time received, and failed while it was waited for.
    return (error.phase, "head", "receive") if error.phase == "wait" else (error.phase,)


def _attempts(facts: Facts) -> str:
    if len(facts.attempts) < 2:
        return ""
    if are_alike(facts):
        return f"; so on each of {len(facts.attempts)} attempts"
    return f"; before that, {earlier(facts)}"


def _cancelled(facts: Facts, error: ErrorInfo) -> Verdict:
    return Verdict(
        "client",
        f"{error.type} ended the call after {span(facts.duration_ms)}, in {error.phase}",
        ("error_type", "error_phase"),
    )


def _deadline(facts: Facts) -> Verdict:
    ranked = sorted(causes(facts), key=lambda cause: -cause.ms)
    large = [cause for cause in ranked if cause.ms >= NAMED_SHARE * facts.duration_ms]
    named = large or ranked[:1]
    spent = f": {in_words(named, facts)}" if named else ""
    before = f"; {told}" if (told := earlier(facts)) else ""
    passed = f"the total timeout passed after {span(facts.duration_ms)}"
    usually = f" (usually {span(facts.usual.duration_ms)})" if facts.usual else ""
    tries = count(len(facts.attempts), "attempt")
    fields = dict.fromkeys(["duration_ms", "attempts", *(cause.field for cause in named)])
    return Verdict("deadline", f"{passed}{usually} and {tries}{spent}{before}", tuple(fields))


def _dns(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    dns = exchange.dns if exchange else None
    host = dns.host if dns else "the host"
    resolver = dns.resolver if dns else None
    says = f"; {resolver.explanation}" if resolver and resolver.explanation else ""
    return Verdict(
        "dns", f"DNS gave no address for {host}: {why(error)}{says}", ("dns_err", "dns_ms")
    )


def _connect(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    tried = exchange.connects if exchange else ()
    proxy = exchange.proxy if exchange else None
    culprit, to = ("proxy", f" to the proxy {proxy.url}") if proxy else ("connect", "")
    if not tried:
        return Verdict(culprit, f"no connection{to}: {why(error)}", ("error_message",))
    addresses = ", ".join(unreachable(connect) for connect in tried)
    none = f"no connection{to}"
    if len(tried) > 1:
        none = f"none of {len(tried)} addresses gave a connection{to}"
    return Verdict(culprit, f"{none}: {addresses}", ("connects",))


def _proxy(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    proxy = exchange.proxy if exchange else None
    if proxy and proxy.status is not None:
        return Verdict(
            "proxy",
            f"the proxy {proxy.url} answered CONNECT {proxy.target} with {proxy.status}; "
            "the target was never contacted",
            ("proxy",),
        )
    name = proxy.url if proxy else "the proxy"
    return Verdict("proxy", f"no tunnel through {name}: {why(error)}", ("proxy", "error_message"))


def _tls(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    handshakes = exchange.tls if exchange else ()
    name = handshakes[-1].server_name if handshakes else "the server"
    name = f"the proxy {name}" if handshakes and handshakes[-1].proxy else name
    after = _after(error, exchange.ms.tls if exchange else None)
    return Verdict(
        "tls",
        f"the TLS handshake with {name} failed{after}: {why(error)}",
        ("tls", "error_message"),
    )


def _send(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    sent, took = (exchange.bytes_sent, exchange.ms.send) if exchange else (None, None)
    words = f"sending the request broke off{_after(error, took, sent)}: {why(error)}"
    return Verdict("send", words, ("bytes_sent", "send_ms"))


def _wait(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    if exchange and exchange.ms.receive is not None and exchange.status is None:
        return _head(error, exchange)
    if exchange and exchange.ms.wait is None and exchange.ms.send is not None:
        # Writing failed; an answer was looked for all the same, since there may be one.
        return _send(error, exchange)
    waited = exchange.ms.wait if exchange else None
    after = f" within {span(waited)}" if waited is not None else ""
    culprit, delivery = _delivered(exchange)
    words = f"{delivery}{_kept_alive(exchange)}; no answer came{after}: {why(error)}"
    if not _kept_alive(exchange):
        return Verdict(culprit, words, ("wait_ms", "tcp"))
    return Verdict(
        culprit, f"{words}{_closed_while_idle(exchange)}", ("wait_ms", "conn_reused", "tcp")
    )


def _head(error: ErrorInfo, exchange: Exchange) -> Verdict:
    """Something came, and it was no whole head."""
    waited, took = exchange.ms.wait or 0.0, exchange.ms.receive or 0.0
    words = f"the first byte came after {span(waited)}, but no whole head within {span(took)} more"
    return Verdict("server", f"{words}: {why(error)}", ("wait_ms", "receive_ms", "error_message"))


def _kept_alive(exchange: Exchange | None) -> str:
    connection = exchange.connection if exchange else None
    if connection is None or not connection.reused:
        return ""
    idle = connection.idle_ms
    return " on a kept-alive connection" + ("" if idle is None else f" (idle for {span(idle)})")


def _closed_while_idle(exchange: Exchange | None) -> str:
    ended = exchange is not None and exchange.error is not None and exchange.error.type in _ENDED
    return "; the server may have closed it while it was idle" if ended else ""


_ENDED = frozenset(
    {
        "BrokenPipeError",
        "ConnectionAbortedError",
        "ConnectionResetError",
        "RemoteDisconnected",
        "SSLEOFError",
        "SSLZeroReturnError",
    }
)


def _delivered(exchange: Exchange | None) -> tuple[str, str]:
    """Whose fault it is, by what became of the request, as far as the kernel knows."""
    tcp = exchange.tcp if exchange else None
    sent = exchange.bytes_sent if exchange else None
    if tcp is None or tcp.delivery is None or not sent:
        return "server", "the request was sent"
    if tcp.delivery == "none_left":
        return "send", "nothing left this machine"
    if tcp.delivery == "unacknowledged":
        return "send", f"none of the request's {sent} bytes was acknowledged: network or host down"
    if tcp.delivery == "partly_acknowledged":
        return "send", f"only part of the request's {sent} bytes was acknowledged"
    return "server", f"all {sent} bytes of the request were acknowledged"


# Errors of a body that the connection delivered.
_UNUSABLE = frozenset({"ContentDecodingError", "ResponseTooLarge"})


def _receive(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    if error.type in _UNUSABLE:
        words = f"the answer came, and was not taken: {why(error)}"
        return Verdict("body", words, ("error_type",))
    got, took = (exchange.bytes_received, exchange.ms.receive) if exchange else (None, None)
    words = f"the answer broke off{_after(error, took, got)}: {why(error)}"
    return Verdict("body", words, ("receive_ms",))


def _after(error: ErrorInfo, ms: float | None, size: int | None = None) -> str:
    # How long is of interest when it was too long; else it would make two words of one failure.
    timed_out = "timed out" in why(error)
    parts = [count(size, "byte") if size else "", span(ms) if ms is not None and timed_out else ""]
    return f" after {listed([part for part in parts if part])}" if any(parts) else ""


def _blocked(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    held = holders([exchange.pool] if exchange and exchange.pool else [])
    words = f"no connection was to be had: {why(error)}" + (f"; {held}" if held else "")
    return Verdict("pool", words, ("blocked_ms", "pool"))


def _prepare(error: ErrorInfo, _: Exchange | None) -> Verdict:
    return Verdict("client", f"the request could not be made: {why(error)}", ("error_type",))


def _circuit(_: ErrorInfo, __: Exchange | None) -> Verdict:
    return Verdict(
        "server",
        "nothing was sent: calls to this origin have been failing, and it is left alone for a while",
        ("error_type",),
    )


def _sleep(error: ErrorInfo, _: Exchange | None) -> Verdict:
    return Verdict("client", f"no other attempt was made: {why(error)}", ("error_type", "attempts"))


def _redirect(error: ErrorInfo, exchange: Exchange | None) -> Verdict:
    origin = f" from {exchange.url}" if exchange else ""
    return Verdict("server", f"the redirect{origin} was not followed: {why(error)}", ("attempts",))


def _elsewhere(error: ErrorInfo, _: Exchange | None) -> Verdict:
    return Verdict(
        "client", f"the call ended with {error.type}, outside of any phase", ("error_type",)
    )


_EXPLAIN: dict[str, Callable[[ErrorInfo, Exchange | None], Verdict]] = {
    "prepare": _prepare,
    "blocked": _blocked,
    "dns": _dns,
    "connect": _connect,
    "proxy": _proxy,
    "tls": _tls,
    "send": _send,
    "wait": _wait,
    "receive": _receive,
    "redirect": _redirect,
    "sleep": _sleep,
    "circuit": _circuit,
}
