"""OTLP as JSON lines (OpenTelemetry's file exporter): one line per call, with all of its spans.

The call is an INTERNAL span, its attempts are INTERNAL below it, and each exchange on the wire is a
CLIENT span with the stable names of OpenTelemetry's conventions for HTTP clients. Those have no
names for a request's phases: they are ``tracedclient.phase.dns_ms`` and so on, and the hooks'
times are the span's events. Whatever else the record knows stands under ``tracedclient.``.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.cli.convert.sound import sound
from tracedclient.cli.convert.wire import attempts, error_of, host_and_port, phases, sent
from tracedclient.cli.timeline import moment
from tracedclient.trace.model import PHASES
from tracedclient.trace.span_ids import SpanIds, w3c_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tracedclient.cli.convert.wire import Sent
    from tracedclient.trace.model import Attempt, ErrorInfo, Exchange, Timings, TraceResult

INTERNAL, CLIENT = 1, 3
ERROR = 2

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LAST_NS = 2**64 - 1
_RESOURCE = {
    "service_name": "service.name",
    "host_name": "host.name",
    "process_pid": "process.pid",
}
_CONVENTIONS = {
    "http_request_method": "http.request.method",
    "url_full": "url.full",
    "server_address": "server.address",
    "server_port": "server.port",
    "http_response_status_code": "http.response.status_code",
    "error_type": "error.type",
}
_SPOKEN = frozenset(
    ["schema", "client_version", "started_at", "duration_ms", "attempts", "unaccounted_ms"]
    + [f"{phase}_ms" for phase in PHASES]
)
"""Fields that the span has in another form."""
_SPOKEN_OF_EXCHANGE = frozenset(
    [
        "method",
        "url",
        "started_at",
        "duration_ms",
        "status",
        "http_version",
        "error",
        "ms",
        "events",
        "request_headers",
        "response_headers",
    ]
)


def to_otlp_json(traces: Iterable[TraceResult]) -> Iterator[bytes]:
    """Yield a line for each of ``traces``: the JSON of an ``ExportTraceServiceRequest``.

    Raises ``ValueError`` when a ``started_at`` is not an ISO 8601 time.
    """
    for result in sound(traces):
        yield msgspec.json.encode(_request(result)) + b"\n"


def _request(result: TraceResult) -> dict[str, Any]:
    resource = {name: getattr(result, field) for field, name in _RESOURCE.items()}
    scope = {"name": "tracedclient", "version": result.client_version or ""}
    spans = {"scope": scope, "spans": list(_Spans(result))}
    return {
        "resourceSpans": [
            {"resource": {"attributes": _attributes(resource)}, "scopeSpans": [spans]}
        ]
    }


class _Spans:
    """The spans of one record, each after its parent."""

    def __init__(self, result: TraceResult) -> None:
        self._result = result
        self._trace_id = w3c_trace_id(result.trace_id)
        self._ids = SpanIds(result)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        result = self._result
        yield self._span((), "tracedclient.do", result, _call(result), error_of(result))
        for attempt in attempts(result):
            place = (attempt.number,)
            yield self._span(place, "attempt", attempt, _attempt(attempt), attempt.error)
        for resend, exchange in enumerate(sent(result)):
            if not exchange.made_up:
                yield self._exchange(exchange, resend)

    def _exchange(self, place: Sent, resend: int) -> dict[str, Any]:
        exchange = place.exchange
        span = self._span(
            (place.attempt.number, place.hop),
            exchange.method or "HTTP",
            exchange,
            _exchange(exchange, resend),
            exchange.error,
        )
        events = [{"timeUnixNano": str(_ns(e.at)), "name": e.event} for e in exchange.events]
        return {**span, "kind": CLIENT, "events": events}

    def _span(
        self,
        place: tuple[int, ...],
        name: str,
        noun: TraceResult | Attempt | Exchange,
        attributes: Mapping[str, Any],
        error: ErrorInfo | None,
    ) -> dict[str, Any]:
        start = _ns(noun.started_at)
        above = self._ids.of(*place[:-1]) if place else self._ids.parent
        parent = {"parentSpanId": above} if above is not None else {}
        return {
            "traceId": self._trace_id,
            "spanId": self._ids.of(*place),
            **parent,
            "name": name,
            "kind": INTERNAL,
            "startTimeUnixNano": str(start),
            "endTimeUnixNano": str(min(start + max(0, round(noun.duration_ms * 1e6)), _LAST_NS)),
            "attributes": _attributes(attributes),
            "status": _status(attributes, error),
        }


def _status(attributes: Mapping[str, Any], error: ErrorInfo | None) -> dict[str, Any]:
    if error is not None:
        return {"code": ERROR, "message": error.message or error.type}
    # Unset, and not ok: that word is the application's.
    return {"code": ERROR} if attributes.get("error.type") else {}


def _call(result: TraceResult) -> dict[str, Any]:
    fields = msgspec.structs.asdict(result)
    kept = {field: fields[field] for field in fields if field not in {*_SPOKEN, *_RESOURCE}}
    named = {_CONVENTIONS.get(f, f"tracedclient.{f}"): value for f, value in kept.items()}
    failed = _error_type(result.http_response_status_code, error_of(result))
    return {**named, **_phases(phases(result)), "error.type": failed}


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "tracedclient.attempt.number": attempt.number,
        "tracedclient.attempt.retry": attempt.retry,
        "tracedclient.attempt.reason": attempt.reason,
        "tracedclient.attempt.sleep_ms": attempt.sleep_ms,
        "tracedclient.attempt.exchanges_dropped": attempt.exchanges_dropped,
        "http.response.status_code": attempt.status,
        "error.type": _error_type(attempt.status, attempt.error),
    }


def _exchange(exchange: Exchange, resend: int) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(exchange)
    rest = {name: value for name, value in facts.items() if name not in _SPOKEN_OF_EXCHANGE}
    return {
        "http.request.method": exchange.method,
        "url.full": exchange.url,
        "http.response.status_code": exchange.status,
        "http.request.resend_count": resend or None,
        "network.protocol.name": "http" if exchange.http_version else None,
        "network.protocol.version": exchange.http_version,
        "error.type": _error_type(exchange.status, exchange.error),
        **_server(exchange.url),
        **_network(exchange),
        **_headers("request", exchange.request_headers),
        **_headers("response", exchange.response_headers),
        **_phases(exchange.ms),
        **dict(_flat("tracedclient", rest)),
    }


def _error_type(status: int | None, error: ErrorInfo | None) -> str | None:
    """Return the conventions' ``error.type``: the exception, or a status of 400 and above."""
    if error is not None:
        return error.type
    return str(status) if status is not None and status >= 400 else None


def _server(url: str) -> dict[str, Any]:
    scheme, separator, rest = url.partition("://")
    if not separator:
        return {}
    authority = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    # A colon in an address is no port's, but for one behind its bracket.
    with_port = ":" in authority.rpartition("]")[2]
    host, port = host_and_port(authority) if with_port else (authority.strip("[]"), None)
    return {
        "url.scheme": scheme,
        "server.address": host,
        "server.port": port or {"http": 80, "https": 443}.get(scheme),
    }


def _network(exchange: Exchange) -> dict[str, Any]:
    connection, handshake = exchange.connection, exchange.tls[-1] if exchange.tls else None
    peer = host_and_port(connection.remote if connection else None)
    local = host_and_port(connection.local if connection else None)
    return {
        "network.peer.address": peer[0],
        "network.peer.port": peer[1],
        "network.local.address": local[0],
        "network.local.port": local[1],
        "dns.question.name": exchange.dns.host if exchange.dns else None,
        "tls.cipher": handshake.cipher if handshake else None,
        "tls.resumed": handshake.resumed if handshake else None,
    }


def _headers(kind: str, fields: dict[str, str] | None) -> dict[str, Any]:
    return {f"http.{kind}.header.{name}": [value] for name, value in (fields or {}).items()}


def _phases(ms: Timings) -> dict[str, float | None]:
    names = (*PHASES, "unaccounted")
    return {f"tracedclient.phase.{phase}_ms": getattr(ms, phase) for phase in names}


def _flat(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _flat(f"{prefix}.{name}", item)
    elif isinstance(value, (list, tuple)) and any(isinstance(item, dict) for item in value):
        # An attribute is no tree.
        yield prefix, [msgspec.json.encode(item).decode() for item in value]
    else:
        yield prefix, value


def _attributes(named: Mapping[str, Any]) -> list[dict[str, Any]]:
    known = ((name, value) for name, value in named.items() if value is not None and value != ())
    return [{"key": name, "value": _value(value)} for name, value in known]


def _value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, (list, tuple)):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": value}


def _ns(at: str) -> int:
    """Return the nanoseconds since the epoch; not by way of a float, which has too few digits."""
    return min(max(0, (moment(at) - _EPOCH) // timedelta(microseconds=1) * 1000), _LAST_NS)
