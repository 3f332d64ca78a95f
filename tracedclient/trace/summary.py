"""The attempts of a finished call → its ``TraceResult``: the flat summary that queries need."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tracedclient.redaction import printable
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
    from collections.abc import Mapping, Sequence

_DEFAULT_PORTS = {"http": 80, "https": 443}

_FIELD_OF_PHASE = {phase: f"{phase}_ms" for phase in PHASES}

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
    further fields of the record that need no computing.
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
    return TraceResult(
        schema=SCHEMA,
        outcome=outcome,
        verdict_culprit=verdict.culprit,
        verdict_sentence=verdict.sentence,
        verdict_evidence=verdict.evidence,
        url_full=url_full,
        http_response_status_code=status,
        error_type=error.type if error else None,
        error_phase=error.phase if error else None,
        error_message=error.message if error else None,
        duration_ms=duration_ms,
        attempt_count=len(attempts),
        retry_count=retries,
        redirect_count=redirects,
        retry_sleep_ms=slept,
        unaccounted_ms=max(0.0, round(duration_ms - sum(phases.values()) - (slept or 0.0), 3)),
        slowest_phase=_slowest(phases, slept),
        usual=usual,
        dns_err=_last_dns_error(exchanges),
        attempts=attempts,
        **_in_milliseconds(phases),
        **_server(origin(url_full or "")),
        **_peer(exchanges[-1] if exchanges else None),
        **_printable(known),
    )


def _printable(known: Mapping[str, Any]) -> dict[str, Any]:
    # What the caller gave as method or service may be no text that JSON can hold.
    return {key: printable(fact) if isinstance(fact, str) else fact for key, fact in known.items()}


def _in_milliseconds(phases: Mapping[str, float]) -> dict[str, Any]:
    return {_FIELD_OF_PHASE[phase]: spent for phase, spent in phases.items()}


def _slowest(phases: Mapping[str, float], slept: float | None) -> str | None:
    shares = {**phases, "retry_sleep": slept} if slept else phases
    return max(shares, key=shares.__getitem__, default=None)


def _last_dns_error(exchanges: Sequence[Exchange]) -> str | None:
    errors = [exchange.dns.error for exchange in exchanges if exchange.dns and exchange.dns.error]
    return errors[-1] if errors else None


def origin(url: str) -> str:
    """Return ``url`` up to its path: of those there are few."""
    end = url.find("/", url.find("//") + 2)
    return url if end < 0 else url[:end]


@lru_cache(maxsize=256)
def _server(place: str) -> Mapping[str, Any]:
    try:
        parts = urlsplit(place)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return {}
    return {"server_address": parts.hostname, "server_port": port if parts.hostname else None}


def _peer(exchange: Exchange | None) -> dict[str, Any]:
    if exchange is None:
        return {}
    connection = exchange.connection
    host, port = _split_address(connection.remote if connection else None)
    return {
        "conn_reused": connection.reused if connection else None,
        "network_peer_address": host,
        "network_peer_port": port,
        "network_protocol_version": exchange.http_version,
        "tls_protocol_version": exchange.tls[-1].version if exchange.tls else None,
    }


@lru_cache(maxsize=256)
def _split_address(address: str | None) -> tuple[str | None, int | None]:
    if address is None:
        return None, None
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port) if port.isdecimal() else None
