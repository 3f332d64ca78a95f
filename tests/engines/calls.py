"""A log for the engines: half an hour of calls to three servers, of which some fail."""

from __future__ import annotations

import time

from logs_of_traces import REFUSED_CALL, RETRIED, line
from made_traces import attempt, exchange, result

from tracedclient.sinks.json_log import utc
from tracedclient.trace.model import Connect, Connection, ErrorInfo

CALLS = 90
FAILED = 30
ID = "4bf92f3577b34da6a3ce929d0e0e4736"
"""The id that the pages ask for: ``RETRIED``'s."""


def calls():
    """The traces: ``CALLS`` usual ones, of which a third fails in connecting, and three special."""
    now = time.time()
    for number in range(CALLS):
        began = utc(now - 20 * number)
        yield call(number, began, fails=number % 3 == 0)
    for special in (RETRIED, REFUSED_CALL):
        yield line(special, timestamp=utc(now - 60))


def call(number, began, *, fails):
    peer = f"192.0.2.{number % 3}:443"
    error = (
        ErrorInfo(type="ConnectionError", phase="connect", message="ETIMEDOUT") if fails else None
    )
    sent = exchange(
        started_at=began,
        duration_ms=10.0 + number,
        status=None if fails else 200,
        error=error,
        ms={"connect": 4.0, "unaccounted": 0.0, **({} if fails else {"wait": 6.0 + number})},
        connection=Connection(id=number, reused=False, age_ms=0.0, uses=0, remote=peer),
        connects=(Connect(addr=peer, ms=4.0, error="ETIMEDOUT" if fails else None),),
    )
    trace = result(
        attempt(sent, error=error, started_at=began),
        trace_id=f"call-{number}",
        outcome="connect_error" if fails else "ok",
        verdict_culprit="connect" if fails else "none",
        verdict_sentence=f"{peer} did not answer" if fails else None,
        server_address=f"server-{number % 3}.test",
        started_at=began,
        duration_ms=10.0 + number,
        connect_ms=4.0,
        wait_ms=None if fails else 6.0 + number,
        host_name=f"pod-{number % 2}",
        process_pid=7,
    )
    return line(trace, timestamp=began)
