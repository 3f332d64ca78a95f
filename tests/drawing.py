"""Traces made up for drawing: what the test is about is given, the rest is filled in."""

from datetime import datetime, timedelta, timezone

from tracedclient.cli.terminal import Style
from tracedclient.trace.model import SCHEMA, Attempt, Exchange, TraceResult

PLAIN = Style(colour=False, unicode=True)
ASCII = Style(colour=False, unicode=False)
COLOURED = Style(colour=True, unicode=True)

BEGAN = datetime(2026, 11, 20, 22, 27, 58, 9138, tzinfo=timezone.utc)
URL = "https://api.example.com/v1/orders?full=REDACTED"


def at(ms):
    moment = BEGAN + timedelta(milliseconds=ms)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def exchange(start=0.0, **fields):
    fields = {"method": "GET", "url": URL, "duration_ms": 100.0, **fields}
    return Exchange(started_at=at(start), **fields)


def attempt(number, *exchanges, start=0.0, **fields):
    fields = {"duration_ms": 100.0, **fields}
    return Attempt(number=number, started_at=at(start), exchanges=exchanges, **fields)


def trace(*attempts, **fields):
    defaults = {
        "outcome": "ok",
        "verdict_culprit": "none",
        "http_request_method": "GET",
        "url_full": URL,
        "duration_ms": 100.0,
        "attempt_count": len(attempts),
        "retry_count": max(0, len(attempts) - 1),
        "redirect_count": 0,
        "unaccounted_ms": 0.0,
    }
    return TraceResult(
        schema=SCHEMA,
        trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
        started_at=at(0),
        attempts=attempts,
        **{**defaults, **fields},
    )
