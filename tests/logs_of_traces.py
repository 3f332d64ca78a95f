"""Traces of every kind, and a log that has them, for what reads logs."""

from __future__ import annotations

import json

from made_traces import AT, attempt, exchange, result

from tracedclient.testing import make_trace_result
from tracedclient.trace.model import Connection, ErrorInfo, Timings
from tracedclient.trace.schema import to_dict

REFUSED = ErrorInfo(type="ConnectionError", phase="connect", message="ECONNREFUSED: refused")

RETRIED = make_trace_result()
REDIRECTED = result(
    attempt(
        exchange(
            url="http://api.test/a", status=302, ms={"connect": 0.4, "send": 0.1, "wait": 0.5}
        ),
        exchange(url="http://api.test/b", status=200, ms={"send": 0.1, "wait": 0.4}),
        status=200,
    ),
    http_request_method="GET",
    http_response_status_code=200,
    url_full="http://api.test/a",
    trace_id="order-17",
    redirect_count=1,
)
REFUSED_CALL = result(
    attempt(
        exchange(
            url="https://REDACTED@[2001:db8::1]:8443/a b?k=REDACTED",
            error=REFUSED,
            ms={"proxy": 0.3, "connect": 0.5, "unaccounted": 0.2},
            connection=Connection(
                id=7, reused=False, age_ms=0.0, uses=0, remote="[2001:db8::1]:8443"
            ),
            request_headers={"accept": "*/*"},
        ),
        error=REFUSED,
    ),
    outcome="connect_error",
    verdict_culprit="connect",
    verdict_sentence='nobody listens at [2001:db8::1]:8443 \x1b[31m</script>"',
    error_type="ConnectionError",
    error_phase="connect",
    error_message="ECONNREFUSED: refused",
)
NEVER_SENT = result(
    attempt(error=ErrorInfo(type="InvalidURL", phase="prepare")), url_full="REDACTED"
)
SUMMARY_ONLY = result(
    truncated=True,
    attempts_dropped=30,
    attempt_count=30,
    http_response_status_code=503,
    outcome="http_error",
    wait_ms=11.0,
    duration_ms=12.5,
)
KINDS = {
    "retried": RETRIED,
    "redirected": REDIRECTED,
    "refused": REFUSED_CALL,
    "never sent": NEVER_SENT,
    "summary only": SUMMARY_ONLY,
}


def line(trace, **more):
    """The log line of ``trace``, as the formatter writes it."""
    level = "info" if trace.outcome == "ok" else "warning"
    first = {"timestamp": trace.started_at, "level": level, "event": "http.client.trace"}
    return json.dumps({**first, **to_dict(trace), "logger": "tracedclient.trace", **more})


def own_line(event="order created", **more):
    """A line of the application's own."""
    return json.dumps(
        {"timestamp": AT, "level": "info", "event": event, "logger": "orders", **more}
    )


def of_one_call(start_us, duration_ms, **facts):
    """A trace that begins so many microseconds after the others, within their second."""
    began = f"2026-11-20T22:27:58.{start_us:06d}Z"
    sent = exchange(started_at=began, duration_ms=duration_ms, ms=Timings(wait=duration_ms))
    tried = attempt(sent, started_at=began, duration_ms=duration_ms)
    return result(tried, started_at=began, duration_ms=duration_ms, **facts)
