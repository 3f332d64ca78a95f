"""What is on a span, by the names of OpenTelemetry's conventions for HTTP client spans (1.44).

These have no names for a request's phases, its pool or its verdict: they stand under
``tracedclient.``, as in the spans that ``tracedclient convert`` writes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tracedclient.instruments.figures import error_type, known_method
from tracedclient.instruments.origins import server_of
from tracedclient.redaction import printable, redact_url
from tracedclient.trace.model import PHASES, ErrorInfo

if TYPE_CHECKING:
    from tracedclient.trace.context import TraceContext
    from tracedclient.trace.model import TLS, Attempt, Exchange, TraceResult

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - both are UTC, and known to be
_OF_CALL = (
    "outcome",
    "verdict_culprit",
    "verdict_sentence",
    "attempt_count",
    "retry_count",
    "redirect_count",
    "retry_sleep_ms",
    "slowest_phase",
    "error_phase",
    "debug_source",
    "debug_rule",
)


def name(method: str) -> str:
    """Return a CLIENT span's name: the method alone, since URLs are without number."""
    known = known_method(method)
    return "HTTP" if known == "_OTHER" else known


def of_request(method: str, url: str, resend: int) -> dict[str, Any]:
    """Return what is known before a request is sent: a sampler sees it."""
    shown = redact_url(url)
    server = server_of(shown)
    known = known_method(method)
    named: dict[str, Any] = {
        "http.request.method": known,
        "http.request.method_original": printable(method) if known == "_OTHER" else None,
        "url.full": shown,
        "server.address": server.address or None,
        "server.port": server.port,
        "http.request.resend_count": resend or None,
    }
    return {key: value for key, value in named.items() if value is not None}


def of_exchange(exchange: Exchange) -> dict[str, Any]:
    """Return what is known once an exchange has ended."""
    return {
        "http.response.status_code": exchange.status,
        "error.type": error_type(exchange.status, exchange.error),
        "network.protocol.name": "http" if exchange.http_version else None,
        "network.protocol.version": exchange.http_version,
        **_connection(exchange),
        **_tls(exchange.tls[-1] if exchange.tls else None),
        **_dns(exchange),
        **{f"tracedclient.phase.{p}_ms": getattr(exchange.ms, p) for p in PHASES},
        "tracedclient.phase.unaccounted_ms": exchange.ms.unaccounted,
        "tracedclient.bytes_sent": exchange.bytes_sent,
        "tracedclient.bytes_received": exchange.bytes_received,
        "tracedclient.buffered_ms": exchange.buffered_ms,
        "tracedclient.body_complete": exchange.body_complete,
        "tracedclient.body_abandoned": exchange.body_abandoned,
        "tracedclient.interim": exchange.interim,
    }


def _connection(exchange: Exchange) -> dict[str, Any]:
    connection = exchange.connection
    if connection is None:
        return {}
    peer, local = _address(connection.remote), _address(connection.local)
    return {
        "network.peer.address": peer[0],
        "network.peer.port": peer[1],
        "network.local.address": local[0],
        "network.local.port": local[1],
        "tracedclient.connection.id": connection.id,
        "tracedclient.connection.reused": connection.reused,
        "tracedclient.connection.uses": connection.uses,
        "tracedclient.connection.idle_ms": connection.idle_ms,
        "tracedclient.connection.returned": connection.returned,
        "tracedclient.connection.not_returned": connection.not_returned,
        "tracedclient.connection.stale_discarded": connection.stale_discarded,
    }


def _tls(handshake: TLS | None) -> dict[str, Any]:
    if handshake is None:
        return {}
    # OpenSSL's TLSv1.3: the conventions take name and version apart.
    protocol, _, version = (handshake.version or "").partition("v")
    return {
        "tls.protocol.name": protocol.lower() or None,
        "tls.protocol.version": version or None,
        "tls.cipher": handshake.cipher,
        "tls.resumed": handshake.resumed,
        "tls.next_protocol": handshake.alpn,
        "tls.established": handshake.error is None,
        "tls.server.subject": handshake.subject,
        "tls.server.issuer": handshake.issuer,
        "tls.server.not_after": handshake.not_after,
    }


def _dns(exchange: Exchange) -> dict[str, Any]:
    if exchange.dns is None:
        return {}
    return {"dns.question.name": exchange.dns.host, "dns.answers": exchange.dns.addrs}


def of_attempt(attempt: Attempt) -> dict[str, Any]:
    """Return what is known of a request that met no connection of ours."""
    return {
        "http.response.status_code": attempt.status,
        "error.type": error_type(attempt.status, attempt.error),
    }


def of_call(result: TraceResult, sent_as: TraceContext | None) -> dict[str, Any]:
    """Return what is known of the whole call."""
    other = sent_as is not None and sent_as.trace_id != result.trace_id
    return {
        "http.response.status_code": result.http_response_status_code,
        "error.type": error_type(result.http_response_status_code, error_of(result)),
        "tracedclient.trace_id": result.trace_id if other else None,
        **{f"tracedclient.{field}": getattr(result, field) for field in _OF_CALL},
        **{f"tracedclient.phase.{p}_ms": getattr(result, f"{p}_ms") for p in PHASES},
        "tracedclient.phase.unaccounted_ms": result.unaccounted_ms,
    }


def error_of(result: TraceResult) -> ErrorInfo | None:
    """Return what the call raised; ``None`` when it returned an answer."""
    if result.error_type is None:
        return None
    return ErrorInfo(
        type=result.error_type, phase=result.error_phase or "", message=result.error_message
    )


def nanoseconds(at: str) -> int:
    """Return a trace's time as nanoseconds since the epoch, not by way of a float."""
    moment = datetime.fromisoformat(at[:-1])
    return (moment - _EPOCH) // timedelta(microseconds=1) * 1000


def _address(text: str | None) -> tuple[str | None, int | None]:
    host, _, port = (text or "").rpartition(":")
    return (host.strip("[]") or None), int(port) if port.isdecimal() else None
