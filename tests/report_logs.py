"""Logs made up for reports: calls every so many milliseconds, of a few hosts, and lines of others."""

from __future__ import annotations

import gzip
import json
import random

import msgspec
from drawing import at, attempt, exchange, trace

from tracedclient.trace.model import ErrorInfo, Timings
from tracedclient.trace.schema import to_json

HOSTS = ("api.example.com", "db.example.com", "auth.example.com")


def call(number, ms=50.0, host=HOSTS[0], every_ms=1000, **fields):
    """A call that took ``ms``, the ``number``-th of its log."""
    start = number * every_ms
    url = fields.pop("url", f"https://{host}/v1/orders/{number}")
    error = None
    if fields.get("outcome", "ok") != "ok":
        error = ErrorInfo(type="ReadTimeout", phase="wait", message="no answer")
    wait = round(ms * 0.8, 3)
    timings = Timings(send=0.1, wait=wait, receive=round(ms * 0.1, 3))
    given = {
        "trace_id": f"{number:032x}",
        "started_at": at(start),
        "duration_ms": ms,
        "server_address": host,
        "url_full": url,
        "send_ms": 0.1,
        "wait_ms": wait,
        "receive_ms": round(ms * 0.1, 3),
        "slowest_phase": "wait",
        **fields,
    }
    made = exchange(start, url=url, duration_ms=ms, ms=timings, error=error)
    return replaced(trace(attempt(1, made, start=start, duration_ms=ms)), **given)


def replaced(made, **fields):
    """``made`` with other ``fields``."""

    return msgspec.structs.replace(made, **fields)


def calls(count, seed=7, **fields):
    """``count`` calls of all hosts: each tenth failed, each fifth was tried again."""
    rnd = random.Random(seed)
    made = []
    for number in range(count):
        failed = number % 10 == 3
        given = {
            "outcome": "timeout" if failed else "ok",
            "verdict_culprit": "server" if failed else "none",
            "verdict_sentence": f"{HOSTS[number % 3]} did not answer" if failed else None,
            "retry_count": int(number % 5 == 0),
            **fields,
        }
        ms = round(rnd.lognormvariate(3, 1), 3)
        made.append(call(number, ms, HOSTS[number % 3], **given))
    return made


def lines(traces):
    """The lines that the logger would write, with one of the application's after each."""
    for one in traces:
        yield to_json(one)
        yield json.dumps({"event": "order.created", "trace_id": one.trace_id}).encode()


def write(path, traces, *more):
    """A log at ``path`` with ``traces``, and ``more`` lines of bytes; its path as text."""
    data = b"".join(line + b"\n" for line in (*lines(traces), *more))
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)
