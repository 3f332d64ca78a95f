"""Spans of requests served by real frameworks, and of the calls they make."""

from __future__ import annotations

import time

import requests

BROUGHT = {"ot-tracer-traceid": "2a", "ot-tracer-spanid": "17"}


def finished(spans, count):
    """The spans, once there are ``count``: a server may still be at work when its client is not."""
    deadline = time.monotonic() + 10
    while len(spans.finished) < count and time.monotonic() < deadline:
        time.sleep(0.01)
    return spans.finished


def test_one_trace_from_the_request_to_the_calls(spanned):
    """The served request is below its caller's span; the call of the view and that of a pool's thread
    are below it."""
    service, spans = spanned
    answer = requests.get(f"{service.url}/call?a=b", headers=BROUGHT, timeout=30)

    served, *others = finished(spans, 5)
    assert (served.context.trace_id, served.parent_id) == (0x2A, 0x17)
    assert served.tags == {
        "span.kind": "server",
        "component": "tracedclient",
        "http.method": "GET",
        "http.url": "/call?a=REDACTED",
        "http.status_code": 200,
        "http.response_size": len(answer.content),
        "tracedclient.trace_id": answer.text,
    }
    roots = [s for s in others if s.operation_name == "HTTP Client"]
    assert [root.parent_id for root in roots] == [served.context.span_id] * 2
    sent = [r.headers.get("ot-tracer-traceid") for r in service.upstream.requests]
    assert sent == ["2a", "2a"]


def test_a_streamed_body(spanned):
    """Its bytes are counted, and it comes whole."""
    service, spans = spanned
    answer = requests.get(f"{service.url}/stream", timeout=30)

    (served,) = finished(spans, 1)
    assert served.tags["http.response_size"] == len(answer.content) == 96


def test_a_view_that_raises(spanned, capfd):
    """The framework's 500 is on the span, which is an error."""
    service, spans = spanned
    assert requests.get(f"{service.url}/fail", timeout=30).status_code == 500

    (served,) = finished(spans, 1)
    assert served.tags["error"] is True
    assert served.tags.get("http.status_code") in {500, None}
