"""An exchange in words: each phase and what is known about it, then the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.conditions import conditions
from tracedclient.cli.quantities import counted, duration, size
from tracedclient.cli.timeline import moment, phases_of
from tracedclient.trace.model import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.trace.model import (
        DNS,
        TLS,
        Connect,
        Connection,
        ErrorInfo,
        Exchange,
        Proxy,
    )

_MAX_ADDRESSES = 4
_MAX_HOLDERS = 3
_NOTABLE_MS = 1.0
_NOTABLE_SHARE = 0.05
_NOTABLE_DAYS = 400
"""Public certificates live shorter than that (CA/Browser Forum, Baseline Requirements §6.3.2)."""


def facts(exchange: Exchange, *, timed: bool = True, told: str = "") -> list[str]:
    """Return what is known about ``exchange``, in the order in which it happened.

    With ``timed=False`` without the phases' times, which then stand elsewhere. What explains a
    failure is left out where ``told`` has it.
    """
    about = dict(_details(exchange, told))
    found = [*_timed(exchange, about)] if timed else [*_untimed(about)]
    if exchange.interim:
        found.append(f"interim {', '.join(map(str, exchange.interim))}")
    if exchange.connection:
        found.append(connection_text(exchange.connection))
    if exchange.body_abandoned:
        found.append("body abandoned: the caller let go of it, neither read nor closed")
    elif exchange.body_complete is False:
        found.append("body not read to its end")
    return [*found, *conditions(exchange, told=told)]


def error_text(error: ErrorInfo, *, unless_in: str = "") -> str:
    """Return ``error`` as one sentence, without a message that ``unless_in`` holds already."""
    told = not error.message or error.message in unless_in
    return f"failed in {error.phase}: {error.type}" + ("" if told else f": {error.message}")


def connects_text(connects: tuple[Connect, ...]) -> str:
    """Return which addresses were tried, with what success, after how long."""
    return ", ".join(
        f"{connect.addr} {connect.error or 'ok'} after {duration(connect.ms)}"
        for connect in connects
    )


def tls_text(tls: TLS, at: str) -> str:
    """Return what a handshake agreed on, and how long, counted from ``at``, the certificate lasts."""
    which = f"{tls.version or tls.server_name}{' with the proxy' if tls.proxy else ''}"
    resumed = "resumed" if tls.resumed else ""
    expiry = _expiry(tls.not_after, at) if tls.not_after else ""
    unchecked = "" if tls.verified is not False or tls.error else "certificate NOT verified"
    return ", ".join(filter(None, [which, resumed, expiry, unchecked, tls.error]))


def connection_text(connection: Connection) -> str:
    """Return where a connection led, and what is behind it."""
    remote = f" to {connection.remote}" if connection.remote else ""
    dead = connection.stale_discarded or 0
    why = f" ({connection.stale_reason})" if connection.stale_reason else ""
    discarded = f"{counted(dead, 'dead one', 'dead ones')} discarded before{why}" if dead else ""
    kept = f"not kept: {connection.not_returned}" if connection.not_returned else ""
    return ", ".join(filter(None, [_history(connection) + remote, discarded, kept]))


def _timed(exchange: Exchange, about: dict[str, str]) -> Iterator[str]:
    took = {segment.phase: segment.ms for segment in phases_of(exchange.ms)}
    for phase in PHASES:
        if phase in took or about.get(phase):
            lasted = f" {duration(took[phase])}" if phase in took else ""
            yield f"{phase}{lasted}" + (f" ({about[phase]})" if about.get(phase) else "")
    spent = exchange.ms.unaccounted
    # What it costs this process to get from one phase to the next is no news.
    if spent >= max(_NOTABLE_MS, exchange.duration_ms * _NOTABLE_SHARE):
        yield f"unaccounted {duration(spent)}"


def _untimed(about: dict[str, str]) -> Iterator[str]:
    for phase in PHASES:
        if about.get(phase):
            yield f"{phase} {about[phase]}"


def _details(exchange: Exchange, told: str) -> Iterator[tuple[str, str]]:
    yield "blocked", _pool(exchange)
    yield "dns", _dns(exchange.dns, told)
    yield "connect", _connects(exchange.connects)
    yield "proxy", _proxy(exchange.proxy)
    yield "tls", "; ".join(tls_text(handshake, exchange.started_at) for handshake in exchange.tls)
    yield "send", _sent(exchange)
    yield "receive", "" if exchange.bytes_received is None else size(exchange.bytes_received)


def _pool(exchange: Exchange) -> str:
    pool = exchange.pool
    if pool is None or exchange.ms.blocked is None:
        return ""
    use = f"{pool.in_use} of {pool.limit} connections in use"
    holders = [
        f"by {holder.trace_id} for {duration(holder.age_ms)}, in {holder.phase}"
        for holder in pool.holders[:_MAX_HOLDERS]
    ]
    return "; ".join([use, *holders])


def _dns(dns: DNS | None, told: str) -> str:
    if dns is None:
        return ""
    more = len(dns.addrs) - _MAX_ADDRESSES
    shown = [*dns.addrs[:_MAX_ADDRESSES], *([f"{more} more"] if more > 0 else [])]
    explained = dns.resolver.explanation if dns.resolver else None
    why = f"; {explained}" if explained and explained not in told else ""
    return f"{dns.host}: {dns.error or ', '.join(shown) or 'no address'}{why}"


def _connects(connects: tuple[Connect, ...]) -> str:
    if len(connects) == 1 and connects[0].error is None:
        # The connection's own fact names the address.
        return ""
    return connects_text(connects)


def _proxy(proxy: Proxy | None) -> str:
    if proxy is None:
        return ""
    asked = f"CONNECT {proxy.target}" if proxy.target else ""
    status = str(proxy.status) if proxy.status is not None else ""
    return " ".join(filter(None, [proxy.url, asked, status, proxy.error]))


def _expiry(not_after: str, at: str) -> str:
    try:
        days = (moment(not_after) - moment(at)).days
    except ValueError:
        return f"certificate until {not_after}"
    until = f"certificate until {not_after[:10]}"
    if days < 0:
        return f"{until}, EXPIRED"
    return until if days > _NOTABLE_DAYS else f"{until}, {counted(days, 'day', 'days')} left"


def _sent(exchange: Exchange) -> str:
    if exchange.bytes_sent is None:
        return ""
    # A head and a small body are one; that is no news.
    writes = f" in {exchange.writes} writes" if (exchange.writes or 0) > 1 else ""
    return f"{size(exchange.bytes_sent)}{writes}"


def _history(connection: Connection) -> str:
    if not connection.reused:
        return "new connection"
    idle = f", idle {duration(connection.idle_ms)}" if connection.idle_ms is not None else ""
    return f"reused connection (request {connection.uses + 1}{idle})"
