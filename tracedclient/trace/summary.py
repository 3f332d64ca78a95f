"""The attempts of a finished call → its ``TraceResult``: the flat summary that queries need."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tracedclient.trace.model import (
    PHASES,
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
    from collections.abc import Iterable, Mapping, Sequence

_DEFAULT_PORTS = {"http": 80, "https": 443}

_FIELDS = {phase: f"{phase}_ms" for phase in PHASES}

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
    exchanges, retries, redirects, slept = _counted(attempts)
    phases = total([exchange.ms for exchange in exchanges])
    cancelled = outcome == "cancelled"
    verdict = judge(
        Facts(status, error, duration_ms, attempts, phases, slept or 0.0, cancelled, usual)
    )
    known |= {_FIELDS[phase]: ms for phase, ms in phases.items()}
    if error is not None:
        known |= _failure(error)
        if outcome == "other":
            outcome = _OUTCOME_OF_PHASE.get(error.phase, outcome)
    if exchanges:
        known |= _last(exchanges[-1])
    rest = duration_ms - sum(phases.values()) - (slept or 0.0)
    server, server_port = _server(origin(url_full or ""))
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
        duration_ms=duration_ms,
        attempt_count=len(attempts),
        retry_count=retries,
        redirect_count=redirects,
        retry_sleep_ms=slept,
        # `round` to three places takes three times as long.
        unaccounted_ms=max(0, round(rest * 1000)) / 1000,
        slowest_phase=_slowest(phases, slept),
        usual=usual,
        dns_err=_last_dns_error(exchanges),
        attempts=attempts,
        **known,
    )


def _counted(attempts: Iterable[Attempt]) -> tuple[list[Exchange], int, int, float | None]:
    """All exchanges, how many retries and redirects there were, and how long the call slept."""
    exchanges: list[Exchange] = []
    retries = redirects = 0
    slept: float | None = None
    for attempt in attempts:
        exchanges += attempt.exchanges
        retries += attempt.retry
        redirects += max(0, len(attempt.exchanges) - 1)
        if attempt.sleep_ms is not None:
            slept = (slept or 0.0) + attempt.sleep_ms
    return exchanges, retries, redirects, None if slept is None else round(slept, 3)


def _failure(error: ErrorInfo) -> dict[str, str | None]:
    return {"error_type": error.type, "error_phase": error.phase, "error_message": error.message}


def _last(exchange: Exchange) -> dict[str, object]:
    """What the summary has of the last exchange."""
    connection = exchange.connection
    peer, peer_port = split_address(connection.remote if connection else None)
    return {
        "conn_reused": connection.reused if connection else None,
        "network_peer_address": peer,
        "network_peer_port": peer_port,
        "network_protocol_version": exchange.http_version,
        "tls_protocol_version": exchange.tls[-1].version if exchange.tls else None,
    }


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
