"""Nouns of a trace made by hand: each function fills in what a test does not care about."""

from __future__ import annotations

from tracedclient.trace.model import SCHEMA, Attempt, Exchange, Timings, TraceResult
from tracedclient.trace.verdict import Facts

AT = "2026-11-20T22:27:58.009138Z"


def exchange(**facts):
    """An ``Exchange``; ``ms`` may be a dict of phases."""
    given = {"method": "GET", "url": "http://api.test/", "started_at": AT, "duration_ms": 1.0}
    if isinstance(facts.get("ms"), dict):
        facts["ms"] = Timings(**facts["ms"])
    return Exchange(**{**given, **facts})


def attempt(*exchanges, number=1, **facts):
    """An ``Attempt`` of ``exchanges``."""
    given = {"started_at": AT, "duration_ms": 1.0, "number": number, "exchanges": exchanges}
    return Attempt(**{**given, **facts})


def result(*attempts, **facts):
    """A ``TraceResult`` of ``attempts``; one that went well unless told otherwise."""
    given = {
        "schema": SCHEMA,
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "outcome": "ok",
        "verdict_culprit": "none",
        "started_at": AT,
        "duration_ms": 12.5,
        "attempt_count": len(attempts),
        "retry_count": max(0, len(attempts) - 1),
        "redirect_count": 0,
        "unaccounted_ms": 0.25,
        "attempts": attempts,
    }
    return TraceResult(**{**given, **facts})


def facts(*attempts, **known):
    """The ``Facts`` of a call that did ``attempts``, for a verdict on it."""
    given = {
        "status": None,
        "error": None,
        "duration_ms": 10.0,
        "phases": {},
        "retry_sleep_ms": 0.0,
    }
    return Facts(attempts=attempts, **{**given, **known})
