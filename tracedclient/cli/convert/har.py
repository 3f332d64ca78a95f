"""HAR 1.2 (http://www.softwareishard.com/blog/har-12-spec/): one page per call, one entry per exchange.

HAR knows no retries: what it has no name for stands in fields that begin with ``_``, which readers
ignore. It counts TLS as part of ``connect``, and knows no CONNECT: that is counted there as well,
and told in ``_proxy``. What did not happen is -1 where HAR allows it, and 0 where it does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec

from tracedclient._version import __version__
from tracedclient.cli.convert.sound import sound
from tracedclient.cli.convert.wire import host_and_port, sent

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.convert.wire import Sent
    from tracedclient.trace.model import Exchange, Timings, TraceResult

_UNKNOWN = -1
_CREATOR = {"name": "tracedclient", "version": __version__}
_URL_CHARACTERS = "%/:=&?~#+!$,;'@()*[]"
"""RFC 3986's, which need no quoting in an URL that is whole."""


def to_har(traces: Iterable[TraceResult]) -> Iterator[bytes]:
    """Yield one HAR file of ``traces``, in pieces.

    The pages stand after the entries, so that only they are held in memory.

    Raises ``ValueError`` when a ``started_at`` is not an ISO 8601 time.
    """
    pages: list[bytes] = []
    creator = msgspec.json.encode(_CREATOR)
    yield b'{"log":{"version":"1.2","creator":' + creator + b',"entries":['
    separator = b"\n"
    for number, result in enumerate(sound(traces), 1):
        page = f"call_{number}"
        pages.append(msgspec.json.encode(_page(result, page)))
        for entry in _entries(result, page):
            yield separator + msgspec.json.encode(entry)
            separator = b",\n"
    yield b'\n],"pages":[' + b",".join(pages) + b"]}}\n"


def _page(result: TraceResult, name: str) -> dict[str, Any]:
    verdict = f": {result.verdict_sentence}" if result.verdict_sentence else ""
    return {
        "id": name,
        "startedDateTime": result.started_at,
        "title": f"{result.trace_id} {result.outcome}{verdict}",
        "pageTimings": {"onLoad": max(0.0, result.duration_ms)},
        "_traceId": result.trace_id,
        "_parentSpanId": result.parent_span_id,
        "_service": result.service_name,
        "_outcome": result.outcome,
        "_culprit": result.verdict_culprit,
        "_truncated": result.truncated,
    }


def _entries(result: TraceResult, page: str) -> Iterator[dict[str, Any]]:
    exchanges = list(sent(result))
    for place, following in zip(exchanges, [*exchanges[1:], None], strict=True):
        redirected = following is not None and following.attempt is place.attempt
        yield {
            "pageref": page,
            **_entry(place, following.exchange.url if redirected and following else ""),
            "_traceId": result.trace_id,
        }


def _entry(place: Sent, redirect_url: str) -> dict[str, Any]:
    exchange = place.exchange
    timings = _timings(exchange.ms)
    return {
        "startedDateTime": exchange.started_at,
        "time": _time(timings),
        "request": _request(exchange),
        "response": _response(exchange, redirect_url),
        "cache": {},
        "timings": timings,
        **_connection(exchange),
        **_not_in_har(place),
    }


def _timings(ms: Timings) -> dict[str, float]:
    opening = [part for part in (ms.connect, ms.proxy, ms.tls) if part is not None]
    timings = {
        "blocked": _UNKNOWN if ms.blocked is None else ms.blocked,
        "dns": _UNKNOWN if ms.dns is None else ms.dns,
        "connect": round(sum(opening), 3) if opening else _UNKNOWN,
        "ssl": _UNKNOWN if ms.tls is None else ms.tls,
        "send": ms.send or 0,
        "wait": ms.wait or 0,
        "receive": ms.receive or 0,
    }
    return timings if ms.proxy is None else {**timings, "_proxy": ms.proxy}


def _time(timings: dict[str, float]) -> float:
    """HAR's total: its parts, TLS once, and nothing for what was not measured."""
    parts = ("blocked", "dns", "connect", "send", "wait", "receive")
    return round(sum(timings[part] for part in parts if timings[part] != _UNKNOWN), 3)


def _request(exchange: Exchange) -> dict[str, Any]:
    return {
        "method": exchange.method,
        "url": _uri(exchange.url),
        "httpVersion": _version(exchange),
        "cookies": [],
        "headers": _headers(exchange.request_headers),
        "queryString": [],
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN,
    }


def _response(exchange: Exchange, redirect_url: str) -> dict[str, Any]:
    said = {} if exchange.error is None else {"_error": exchange.error.message or "failed"}
    size = exchange.bytes_received
    return {
        "status": exchange.status or 0,
        "statusText": "",
        "httpVersion": _version(exchange),
        "cookies": [],
        "headers": _headers(exchange.response_headers),
        "content": {"size": _UNKNOWN, "mimeType": ""},
        "redirectURL": redirect_url and _uri(redirect_url),
        "headersSize": _UNKNOWN,
        "bodySize": _UNKNOWN,
        **({} if size is None else {"_transferSize": size}),
        **said,
    }


def _headers(fields: dict[str, str] | None) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in (fields or {}).items()]


def _version(exchange: Exchange) -> str:
    return f"HTTP/{exchange.http_version}" if exchange.http_version else "unknown"


def _uri(url: str) -> str:
    """Return ``url`` as the URI that HAR demands; of one that was not a URL, what it was."""
    quoted = quote(url, safe=_URL_CHARACTERS)
    return quoted if "://" in quoted else f"about:invalid#{quoted}"


def _connection(exchange: Exchange) -> dict[str, str]:
    if exchange.connection is None:
        return {}
    host, _ = host_and_port(exchange.connection.remote)
    address = {} if host is None else {"serverIPAddress": host}
    return {**address, "connection": str(exchange.connection.id)}


def _not_in_har(place: Sent) -> dict[str, Any]:
    attempt, exchange = place.attempt, place.exchange
    known = {
        "_attempt": attempt.number,
        "_hop": place.hop,
        "_kind": _kind(place),
        "_spanId": exchange.span_id,
        "_unaccounted": exchange.ms.unaccounted,
        "_retryReason": attempt.reason if attempt.retry else None,
        "_retrySleepMs": attempt.sleep_ms,
        "_error": exchange.error,
        "_reusedConnection": exchange.connection.reused if exchange.connection else None,
    }
    return {name: value for name, value in known.items() if value is not None}


def _kind(place: Sent) -> str:
    if place.made_up:
        return "summary"
    if place.hop:
        return "redirect"
    return "initial" if place.attempt.number == 1 else "retry"
