"""The attempts of a finished call → its ``TraceResult``: the flat summary that queries need."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tracedclient.trace.model import (
    SCHEMA,
    Attempt,
    ErrorInfo,
    Exchange,
    TraceResult,
    Usual,
)
from tracedclient.trace.timings import total
from tracedclient.trace.verdict import Facts, judge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_DEFAULT_PORTS = {"http": 80, "https": 443}

_OUTCOME_OF_PHASE = {
    "prepare": "invalid_request",
    "circuit": "circuit_open",
    "dns": "dns_error",
    "connect": "connect_error",
    "proxy": "proxy_error",
    "tls": "tls_error",
    "send": "send_error",
    "wait": "read_error",
    "receive": "read_error",
}


def summarise(
    attempts: tuple[Attempt, ...],
    *,
    outcome: str,
    status: int | None,
    error: ErrorInfo | None,
    duration_ms: float,
    url_full: str | None,
    usual: Usual | None = None,
    **known: Any,
) -> TraceResult:
    """Return the record of a call that did ``attempts`` and ended with ``status`` or ``error``.

    ``outcome`` may be ``other`` for an error: the phase it came up in then names it. ``known`` are
    further fields of the record that need no computing, and are fit for JSON.
    """
    exchanges: list[Exchange] = []
    retries = redirects = 0
    slept: float | None = None
    for attempt in attempts:
        exchanges += attempt.exchanges
        retries += attempt.retry
        redirects += max(0, len(attempt.exchanges) - 1)
        if attempt.sleep_ms is not None:
            slept = (slept or 0.0) + attempt.sleep_ms
    slept = None if slept is None else round(slept, 3)
    phases = total([exchange.ms for exchange in exchanges])
    cancelled = outcome == "cancelled"
    verdict = judge(
        Facts(status, error, duration_ms, attempts, phases, slept or 0.0, cancelled, usual)
    )
    if error is not None and outcome == "other":
        outcome = _OUTCOME_OF_PHASE.get(error.phase, outcome)
    last = exchanges[-1] if exchanges else None
    connection = last.connection if last else None
    peer, peer_port = split_address(connection.remote if connection else None)
    server, server_port = _server(origin(url_full or ""))
    spent = phases.get
    return TraceResult(
        schema=SCHEMA,
        outcome=outcome,
        verdict_culprit=verdict.culprit,
        verdict_sentence=verdict.sentence,
        verdict_evidence=verdict.evidence,
        url_full=url_full,
        server_address=server,
        server_port=server_port,
        http_response_status_code=status,
        error_type=error.type if error else None,
        error_phase=error.phase if error else None,
        error_message=error.message if error else None,
        duration_ms=duration_ms,
        attempt_count=len(attempts),
        retry_count=retries,
        redirect_count=redirects,
        retry_sleep_ms=slept,
        blocked_ms=spent("blocked"),
        dns_ms=spent("dns"),
        connect_ms=spent("connect"),
        proxy_ms=spent("proxy"),
        tls_ms=spent("tls"),
        send_ms=spent("send"),
        wait_ms=spent("wait"),
        receive_ms=spent("receive"),
        unaccounted_ms=max(0.0, round(duration_ms - sum(phases.values()) - (slept or 0.0), 3)),
        slowest_phase=_slowest(phases, slept),
        usual=usual,
        dns_err=_last_dns_error(exchanges),
        conn_reused=connection.reused if connection else None,
        network_peer_address=peer,
        network_peer_port=peer_port,
        network_protocol_version=last.http_version if last else None,
        tls_protocol_version=last.tls[-1].version if last and last.tls else None,
        attempts=attempts,
        **known,
    )


def _slowest(phases: Mapping[str, float], slept: float | None) -> str | None:
    shares = {**phases, "retry_sleep": slept} if slept else phases
    return max(shares, key=shares.__getitem__, default=None)


def _last_dns_error(exchanges: Sequence[Exchange]) -> str | None:
    found = None
    for exchange in exchanges:
        if exchange.dns is not None:
            found = exchange.dns.error or found
    return found


def origin(url: str) -> str:
    """Return ``url`` up to its path: of those there are few."""
    end = url.find("/", url.find("//") + 2)
    return url if end < 0 else url[:end]


@lru_cache(maxsize=256)
def _server(place: str) -> tuple[str | None, int | None]:
    try:
        parts = urlsplit(place)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None, None
    return parts.hostname, port if parts.hostname else None


@lru_cache(maxsize=256)
def split_address(address: str | None) -> tuple[str | None, int | None]:
    """Return host and port of ``host:port``."""
    if address is None:
        return None, None
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port) if port.isdecimal() else None
