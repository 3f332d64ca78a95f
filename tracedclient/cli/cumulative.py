"""When an exchange got how far: curl's and go-httpstat's points in time, and the JSON with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.cli.timeline import offset_ms
from tracedclient.trace.schema import to_dict

if TYPE_CHECKING:
    from tracedclient.trace.model import Exchange, TraceResult

POINTS = ("namelookup", "connect", "pretransfer", "starttransfer", "total")


def cumulative(exchange: Exchange) -> dict[str, float]:
    """Return ``POINTS`` in milliseconds since ``exchange`` began; one that was not reached is absent.

    They are points in time, so they include what lies in no phase. ``starttransfer`` is the first
    byte of the final answer: unlike curl's, it does not count a 1xx.
    """
    since = {
        event.event: offset_ms(event.at, exchange.started_at)
        for event in exchange.events
        if event.event != "got_first_response_byte" or not exchange.interim
    }
    reached = {
        "namelookup": exchange.dns is not None and exchange.dns.error is None,
        "connect": any(connect.error is None for connect in exchange.connects),
    }
    answered = since.get("got_first_response_byte", since.get("response_head"))
    points = {
        "namelookup": since.get("dns_done"),
        "connect": since.get("connect_done"),
        "pretransfer": since.get("got_conn"),
        "starttransfer": answered,
        "total": exchange.duration_ms,
    }
    return {name: ms for name, ms in points.items() if ms is not None and reached.get(name, True)}


def to_json(result: TraceResult, **more: Any) -> bytes:
    """Return the trace's line with ``timings_ms`` of its last hop, ``hops`` with each one's, ``more``.

    ``hops`` are all exchanges: redirects, and those of earlier attempts.
    """
    hops = [
        {
            "attempt": attempt.number,
            "url": exchange.url,
            **({} if exchange.status is None else {"status": exchange.status}),
            "timings_ms": cumulative(exchange),
        }
        for attempt in result.attempts
        for exchange in attempt.exchanges
    ]
    last = hops[-1]["timings_ms"] if hops else {}
    return msgspec.json.encode({**to_dict(result), "timings_ms": last, "hops": hops, **more})
