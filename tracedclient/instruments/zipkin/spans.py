"""A finished trace → Zipkin's spans (version 2 of its model, https://zipkin.io/zipkin-api/). Pure.

The call is a local span, and each request on the wire a CLIENT span below it, as in the spans of
OpenTelemetry. Method, path, URL, status and error have the names of Zipkin's own instrumentations,
the rest those of OpenTelemetry's conventions, or stands below ``tracedclient.``. Tags are text.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address, ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tracedclient.instruments.figures import error_type, known_method
from tracedclient.instruments.origins import server_of
from tracedclient.instruments.zipkin.model import Annotation, Endpoint, Ids, Span
from tracedclient.trace.model import PHASES
from tracedclient.trace.span_ids import SpanIds, w3c_trace_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tracedclient.trace.model import Attempt, Exchange, TraceResult

NAME = "tracedclient.do"
UNNAMED = "unknown_service"
"""The service of a client that was given no name; OpenTelemetry's word for it."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
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
    "emit_reason",
    "led_up_to",
)


def ids_of(result: TraceResult) -> Ids:
    """Return the ids that ``result`` itself knows, and derived ones, always the same, for the rest."""
    known = SpanIds(result)
    exchanges = tuple(
        known.of(attempt.number, hop)
        for attempt in result.attempts
        for hop in range(len(attempt.exchanges))
    )
    return Ids(w3c_trace_id(result.trace_id), known.of(), known.parent, exchanges)


def host_name(url: str) -> str | None:
    """Return the name of ``url``'s host; ``None`` for an address."""
    host = server_of(url).address
    return None if not host or _is_address(host) else host


def spans(
    result: TraceResult, ids: Ids, remote_name: Callable[[str], str | None] = host_name
) -> Iterator[Span]:
    """Yield the spans of ``result``, the call's first.

    ``remote_name`` gives the service name of a URL's server, or ``None``. Raises ``ValueError``
    when a time is not ISO 8601.
    """
    here = (result.service_name or UNNAMED).lower()
    yield _call(result, ids, here)
    exchanges = ((attempt, e) for attempt in result.attempts for e in attempt.exchanges)
    placed = zip(exchanges, ids.exchanges, strict=True)
    for resend, ((attempt, exchange), span_id) in enumerate(placed):
        tags = _tags(_of_exchange(attempt, exchange, resend))
        there = remote_name(exchange.url)
        yield _exchange(exchange, ids, span_id, here=here, there=there, tags=tags)


def _exchange(
    exchange: Exchange,
    ids: Ids,
    span_id: str,
    *,
    here: str,
    there: str | None,
    tags: dict[str, str],
) -> Span:
    connection = exchange.connection
    return Span(
        trace_id=ids.trace,
        id=span_id,
        parent_id=ids.call,
        kind="CLIENT",
        name=_name(exchange.method),
        timestamp=_us(exchange.started_at),
        duration=_duration(exchange.duration_ms),
        debug=ids.debug,
        local_endpoint=_endpoint(here, connection.local if connection else None),
        remote_endpoint=_remote(exchange, there),
        annotations=tuple(
            Annotation(timestamp=_us(event.at), value=event.event) for event in exchange.events
        ),
        tags=tags,
    )


def _call(result: TraceResult, ids: Ids, here: str) -> Span:
    return Span(
        trace_id=ids.trace,
        id=ids.call,
        parent_id=ids.parent,
        name=NAME,
        timestamp=_us(result.started_at),
        duration=_duration(result.duration_ms),
        debug=ids.debug,
        local_endpoint=_endpoint(here, _local_address(result)),
        annotations=tuple(_decisions(result)),
        tags=_tags(_of_call(result, ids)),
    )


def _local_address(result: TraceResult) -> str | None:
    # Zipkin puts a call below the span of the server that it was made for, where that shares its
    # client's id, only if both have the same endpoint, address included.
    exchanges = (exchange for attempt in result.attempts for exchange in attempt.exchanges)
    return next((e.connection.local for e in exchanges if e.connection), None)


def _decisions(result: TraceResult) -> Iterator[Annotation]:
    """Yield why there was another attempt, or, after a failure, none."""
    for attempt in result.attempts:
        if attempt.reason and (attempt.retry or result.outcome != "ok"):
            ended = _us(attempt.started_at) + _duration(attempt.duration_ms)
            what = f"sleeps {_text(attempt.sleep_ms or 0)} ms" if attempt.retry else "ends"
            said = f"attempt {attempt.number}: {attempt.reason}; {what}"
            yield Annotation(timestamp=ended, value=said)


def _of_call(result: TraceResult, ids: Ids) -> dict[str, Any]:
    failure = result.error_message or result.error_type
    status = result.http_response_status_code
    return {
        "http.method": result.http_request_method,
        "http.url": result.url_full,
        "http.status_code": status,
        "error": failure or error_type(status, None),
        "error.type": result.error_type,
        "tracedclient.trace_id": result.trace_id if result.trace_id != ids.trace else None,
        **{f"tracedclient.{field}": getattr(result, field) for field in _OF_CALL},
        "tracedclient.truncated": result.truncated or None,
        "host.name": result.host_name,
        "process.pid": result.process_pid,
    }


def _of_exchange(attempt: Attempt, exchange: Exchange, resend: int) -> dict[str, Any]:
    error = exchange.error
    return {
        "http.method": exchange.method,
        "http.path": _path(exchange.url),
        "http.url": exchange.url,
        "http.status_code": exchange.status,
        "error": (error.message or error.type) if error else error_type(exchange.status, None),
        "error.type": error.type if error else None,
        "http.request.resend_count": resend or None,
        "network.protocol.version": exchange.http_version,
        "tracedclient.attempt": attempt.number,
        **{f"tracedclient.phase.{p}_ms": getattr(exchange.ms, p) for p in PHASES},
        "tracedclient.phase.unaccounted_ms": exchange.ms.unaccounted,
        **_of_connection(exchange),
        "tracedclient.bytes_sent": exchange.bytes_sent,
        "tracedclient.bytes_received": exchange.bytes_received,
        "tracedclient.buffered_ms": exchange.buffered_ms,
        "tracedclient.body_complete": exchange.body_complete,
        "tracedclient.body_abandoned": exchange.body_abandoned,
        "tracedclient.interim": exchange.interim,
        **{f"http.request.header.{k}": v for k, v in (exchange.request_headers or {}).items()},
        **{f"http.response.header.{k}": v for k, v in (exchange.response_headers or {}).items()},
    }


def _of_connection(exchange: Exchange) -> dict[str, Any]:
    connection, tls = exchange.connection, exchange.tls[-1] if exchange.tls else None
    return {
        "tracedclient.connection.id": connection.id if connection else None,
        "tracedclient.connection.reused": connection.reused if connection else None,
        "tracedclient.connection.not_returned": connection.not_returned if connection else None,
        "tracedclient.connects": tuple(f"{c.addr} {c.error or 'ok'}" for c in exchange.connects),
        "tracedclient.proxy": exchange.proxy.url if exchange.proxy else None,
        "tracedclient.tcp.retransmits": exchange.tcp.retransmits if exchange.tcp else None,
        "tracedclient.tcp.delivery": exchange.tcp.delivery if exchange.tcp else None,
        "dns.question.name": exchange.dns.host if exchange.dns else None,
        "dns.answers": exchange.dns.addrs if exchange.dns else None,
        "tls.protocol.version": tls.version if tls else None,
        "tls.cipher": tls.cipher if tls else None,
        "tls.resumed": tls.resumed if tls else None,
    }


def _tags(named: Mapping[str, Any]) -> dict[str, str]:
    texts = ((name, _text(value)) for name, value in named.items() if value is not None)
    return {name: text for name, text in texts if text}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    if isinstance(value, tuple):
        return ", ".join(map(_text, value))
    return str(value)


def _name(method: str) -> str:
    known = known_method(method)
    return "http" if known == "_OTHER" else known.lower()


def _path(url: str) -> str | None:
    try:
        return (urlsplit(url).path or "/") if "://" in url else None
    except ValueError:
        return None


def _remote(exchange: Exchange, name: str | None) -> Endpoint | None:
    connection = exchange.connection
    # Of a request by way of a proxy, the proxy's address is all that is known.
    address = connection.remote if connection and exchange.proxy is None else None
    named = name.lower() if name else None
    found = _endpoint(named, address, server_of(exchange.url).port)
    return None if found == Endpoint() else found


def _endpoint(name: str | None, address: str | None, port: int | None = None) -> Endpoint:
    """Return one with the host of ``address``: ``192.0.2.1:443`` or ``[2001:db8::1]:443``."""
    host = (address or "").rpartition(":")[0].strip("[]").partition("%")[0]
    if not _is_address(host):
        return Endpoint(service_name=name, port=port)
    if isinstance(ip_address(host), IPv4Address):
        return Endpoint(service_name=name, ipv4=host, port=port)
    return Endpoint(service_name=name, ipv6=host, port=port)


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _us(at: str) -> int:
    # Python 3.10 does not know the Z.
    parsed = datetime.fromisoformat(at.removesuffix("Z"))
    moment = parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)
    return max(1, (moment - _EPOCH) // timedelta(microseconds=1))


def _duration(ms: float) -> int:
    # To Zipkin a duration of 0 is one that is not known.
    return max(1, round(ms * 1000))
