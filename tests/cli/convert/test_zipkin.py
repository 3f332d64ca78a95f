"""Traces of a log as Zipkin's JSON."""

from __future__ import annotations

import json

from logs_of_traces import KINDS, RETRIED
from made_traces import attempt as tried
from made_traces import exchange, result

from tracedclient.cli.convert.zipkin import to_zipkin


def zipkin(*traces):
    return json.loads(b"".join(to_zipkin(traces)))


def test_one_array_of_all_spans():
    """The file is one JSON array, which the API takes as it is: a call, then its requests."""
    found = zipkin(*KINDS.values())
    calls = [span for span in found if span["name"] == "tracedclient.do"]
    assert len(calls) == len(KINDS)
    assert found[0] in calls
    assert [span["parentId"] for span in found[1:3]] == [found[0]["id"]] * 2


def test_no_trace_is_an_empty_array():
    """Without any trace the file is an array all the same."""
    assert zipkin() == []


def test_one_span_a_line():
    """A line holds one span, so that a large file can be split."""
    lines = b"".join(to_zipkin([RETRIED])).splitlines()
    assert (lines[0], lines[-1]) == (b"[", b"]")
    assert [json.loads(line.rstrip(b","))["name"] for line in lines[1:-1]] == [
        "tracedclient.do",
        "get",
        "get",
    ]


def test_the_same_record_gives_the_same_spans():
    """Converted and posted twice, a log adds nothing to what Zipkin has."""
    assert zipkin(RETRIED) == zipkin(RETRIED)


def test_two_services_logs_are_one_tree():
    """What the one sent is what the other was called with: the second call lies below the first."""
    sent = "00f067aa0ba902b7"
    spans = zipkin(
        result(tried(exchange(span_id=sent)), service_name="shop"),
        result(tried(exchange()), service_name="orders", parent_span_id=sent),
    )
    _, request, call, _ = spans
    assert (request["id"], call["parentId"]) == (sent, sent)
    assert {span["traceId"] for span in spans} == {"4bf92f3577b34da6a3ce929d0e0e4736"}


def test_damage_is_mended():
    """A lone surrogate, and a number beyond all bounds, become something that JSON can say."""
    (call,) = zipkin(result(service_name="\ud800", duration_ms=1e300, host_name="\ud800"))
    assert call["duration"] == 10**15
    assert call["tags"]["host.name"] == "\ufffd"
