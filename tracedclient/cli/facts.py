"""An exchange in words: each phase with its time and what is known about it, then the connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

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
_NOTABLE_MS = 1.0
_NOTABLE_SHARE = 0.05
_NOTABLE_DAYS = 400
"""Public certificates live shorter than that (CA/Browser Forum, Baseline Requirements §6.3.2)."""
_KILO = 1000


def facts(exchange: Exchange) -> list[str]:
    """Return what is known about ``exchange``, in the order in which it happened."""
    found = [*_phase_facts(exchange), *_unaccounted(exchange)]
    if exchange.interim:
        found.append(f"interim {', '.join(map(str, exchange.interim))}")
    if exchange.connection:
        found.append(_connection(exchange.connection))
    if exchange.body_complete is False:
        found.append("body not read to its end")
    return found


def duration(ms: float) -> str:
    """Return ``ms`` with the digits that matter: ``0.04 ms``, ``2.1 ms``, ``317 ms``, ``12.3 s``."""
    if ms >= 10_000:
        return f"{ms / 1000:.1f} s" if ms < 1e7 else f"{ms / 1000:.3g} s"
    if ms >= 100:
        return f"{ms:.0f} ms"
    return f"{ms:.1f} ms" if ms >= 0.1 else f"{ms:.2f} ms"


def size(count: int) -> str:
    """Return ``count`` bytes in decimal units (IEC 80000-13)."""
    if count < _KILO:
        return f"{count} B"
    value, units = count / _KILO, ["kB", "MB", "GB", "TB"]
    while value >= _KILO and len(units) > 1:
        value, units = value / _KILO, units[1:]
    return f"{value:.1f} {units[0]}"


def counted(number: int, one: str, many: str) -> str:
    """Return ``1 retry``, ``2 retries``."""
    return f"{number} {one if number == 1 else many}"


def error_text(error: ErrorInfo, *, unless_in: str = "") -> str:
    """Return ``error`` as one sentence, without a message that ``unless_in`` holds already."""
    told = not error.message or error.message in unless_in
    return f"failed in {error.phase}: {error.type}" + ("" if told else f": {error.message}")


def _phase_facts(exchange: Exchange) -> Iterator[str]:
    took = {segment.phase: segment.ms for segment in phases_of(exchange.ms)}
    about = dict(_details(exchange))
    for phase in PHASES:
        if phase in took or about.get(phase):
            spent = f" {duration(took[phase])}" if phase in took else ""
            yield f"{phase}{spent}" + (f" ({about[phase]})" if about.get(phase) else "")


def _details(exchange: Exchange) -> Iterator[tuple[str, str]]:
    yield "blocked", _pool(exchange)
    yield "dns", _dns(exchange.dns)
    yield "connect", _connects(exchange.connects)
    yield "proxy", _proxy(exchange.proxy)
    yield "tls", "; ".join(_tls(handshake, exchange.started_at) for handshake in exchange.tls)
    yield "send", "" if exchange.bytes_sent is None else size(exchange.bytes_sent)
    yield "receive", "" if exchange.bytes_received is None else size(exchange.bytes_received)


def _pool(exchange: Exchange) -> str:
    pool = exchange.pool
    if pool is None or exchange.ms.blocked is None:
        return ""
    use = f"{pool.in_use} of {pool.limit} connections in use"
    if not pool.holders:
        return use
    oldest = pool.holders[0]
    return f"{use}, one by {oldest.trace_id} for {duration(oldest.age_ms)}, in {oldest.phase}"


def _dns(dns: DNS | None) -> str:
    if dns is None:
        return ""
    more = len(dns.addrs) - _MAX_ADDRESSES
    shown = [*dns.addrs[:_MAX_ADDRESSES], *([f"{more} more"] if more > 0 else [])]
    return f"{dns.host}: {dns.error or ', '.join(shown) or 'no address'}"


def _connects(connects: tuple[Connect, ...]) -> str:
    if len(connects) == 1 and connects[0].error is None:
        # The connection's own fact names the address.
        return ""
    return ", ".join(
        f"{connect.addr} {connect.error or 'ok'} after {duration(connect.ms)}"
        for connect in connects
    )


def _proxy(proxy: Proxy | None) -> str:
    if proxy is None:
        return ""
    asked = f"CONNECT {proxy.target}" if proxy.target else ""
    status = str(proxy.status) if proxy.status is not None else ""
    return " ".join(filter(None, [proxy.url, asked, status, proxy.error]))


def _tls(tls: TLS, at: str) -> str:
    which = f"{tls.version or tls.server_name}{' with the proxy' if tls.proxy else ''}"
    resumed = "resumed" if tls.resumed else ""
    expiry = _expiry(tls.not_after, at) if tls.not_after else ""
    unchecked = "" if tls.verified is not False or tls.error else "certificate NOT verified"
    return ", ".join(filter(None, [which, resumed, expiry, unchecked, tls.error]))


def _expiry(not_after: str, at: str) -> str:
    try:
        days = (moment(not_after) - moment(at)).days
    except ValueError:
        return f"certificate until {not_after}"
    until = f"certificate until {not_after[:10]}"
    if days < 0:
        return f"{until}, EXPIRED"
    return until if days > _NOTABLE_DAYS else f"{until}, {counted(days, 'day', 'days')} left"


def _unaccounted(exchange: Exchange) -> list[str]:
    spent = exchange.ms.unaccounted
    # What it costs this process to get from one phase to the next is no news.
    notable = spent >= max(_NOTABLE_MS, exchange.duration_ms * _NOTABLE_SHARE)
    return [f"unaccounted {duration(spent)}"] if notable else []


def _connection(connection: Connection) -> str:
    remote = f" to {connection.remote}" if connection.remote else ""
    dead = connection.stale_discarded or 0
    why = f" ({connection.stale_reason})" if connection.stale_reason else ""
    discarded = f"{counted(dead, 'dead one', 'dead ones')} discarded before{why}" if dead else ""
    kept = f"not kept: {connection.not_returned}" if connection.not_returned else ""
    return ", ".join(filter(None, [_history(connection) + remote, discarded, kept]))


def _history(connection: Connection) -> str:
    if not connection.reused:
        return "new connection"
    idle = f", idle {duration(connection.idle_ms)}" if connection.idle_ms is not None else ""
    return f"reused connection (request {connection.uses + 1}{idle})"
