"""Traces as OTLP's JSON lines."""

from __future__ import annotations

import json

import pytest
from logs_of_traces import KINDS, REDIRECTED, REFUSED_CALL, RETRIED, SUMMARY_ONLY
from made_traces import attempt, exchange, result

from tracedclient.cli.convert.otlp import CLIENT, ERROR, INTERNAL, to_otlp_json


def spans(trace):
    (line,) = to_otlp_json([trace])
    (resource,) = json.loads(line)["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    return scope["spans"]


def named(span):
    """The attributes of ``span``, as Python's values."""
    return {pair["key"]: value(pair["value"]) for pair in span["attributes"]}


def value(wrapped):
    ((kind, inner),) = wrapped.items()
    if kind == "arrayValue":
        return [value(item) for item in inner["values"]]
    return int(inner) if kind == "intValue" else inner


def test_one_line_per_call():
    """Each trace is one line, which is what readers of .jsonl files expect."""
    lines = list(to_otlp_json([RETRIED, REDIRECTED]))
    assert [line.count(b"\n") for line in lines] == [1, 1]
    assert all(line.endswith(b"\n") for line in lines)


def test_the_tree_of_spans():
    """Call, attempts and exchanges are one tree; only the exchanges are CLIENT spans."""
    call, first, second, on_wire, again = spans(RETRIED)
    assert "parentSpanId" not in call
    assert first["parentSpanId"] == second["parentSpanId"] == call["spanId"]
    assert on_wire["parentSpanId"] == first["spanId"]
    assert again["parentSpanId"] == second["spanId"]
    assert [s["kind"] for s in spans(RETRIED)] == [INTERNAL] * 3 + [CLIENT] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_w3cs_and_the_spans_differ(kind):
    """Every id has its length in hex digits, and no two spans of a call have the same."""
    found = spans(KINDS[kind])
    assert {len(bytes.fromhex(s["traceId"])) for s in found} == {16}
    assert {len(bytes.fromhex(s["spanId"])) for s in found} == {8}
    assert len({s["spanId"] for s in found}) == len(found)


def test_the_same_record_gives_the_same_spans():
    """Converted twice, a log gives the same ids: an import that is repeated adds nothing."""
    assert spans(RETRIED) == spans(RETRIED)
    assert spans(RETRIED)[0]["spanId"] != spans(REDIRECTED)[0]["spanId"]


def test_a_servers_span_finds_its_parent():
    """An exchange is the span that was sent, and the call lies below the one that brought it."""
    sent = exchange(span_id="00f067aa0ba902b7")
    call, tried, on_wire = spans(result(attempt(sent), parent_span_id="b7ad6b7169203331"))
    assert call["parentSpanId"] == "b7ad6b7169203331"
    assert on_wire["spanId"] == "00f067aa0ba902b7"
    assert on_wire["parentSpanId"] == tried["spanId"]


def test_times_are_nanoseconds_as_text():
    """64-bit numbers are strings in protobuf's JSON, and no digit is lost on the way."""
    call = spans(RETRIED)[0]
    assert call["startTimeUnixNano"] == "1795213678009238000"
    assert int(call["endTimeUnixNano"]) - int(call["startTimeUnixNano"]) == 118_400_000


def test_the_conventions_names():
    """An exchange has the stable names of OpenTelemetry's conventions for HTTP clients."""
    first = named(spans(RETRIED)[3])
    assert first["http.request.method"] == "GET"
    assert first["url.full"] == "https://api.example.org/v1/orders/7"
    assert (first["server.address"], first["server.port"]) == ("api.example.org", 443)
    assert first["http.response.status_code"] == 503
    assert first["error.type"] == "503"
    assert (first["network.peer.address"], first["network.peer.port"]) == ("192.0.2.17", 443)
    assert first["network.protocol.version"] == "1.1"


def test_resends_are_counted():
    """The first exchange has no resend_count; each later one its number, retry or redirect."""
    counts = [named(s).get("http.request.resend_count") for s in spans(RETRIED)[3:]]
    assert counts == [None, 1]
    assert named(spans(REDIRECTED)[-1])["http.request.resend_count"] == 1


def test_phases_are_attributes_and_what_did_not_happen_is_absent():
    """A reused connection has no phase dns, rather than one of 0 ms."""
    new, reused = (named(s) for s in spans(RETRIED)[3:])
    assert new["tracedclient.phase.dns_ms"] == 2.1
    assert "tracedclient.phase.dns_ms" not in reused


def test_hooks_are_events():
    """The hooks' absolute times are the events of the exchange's span."""
    events = spans(RETRIED)[3]["events"]
    assert [e["name"] for e in events] == ["exchange_start", "body_done"]
    assert events[0]["timeUnixNano"] == "1795213678009338000"


def test_a_failure_is_an_error_with_its_words():
    """Call, attempt and exchange of a call that failed have the status ERROR and say why."""
    found = spans(REFUSED_CALL)
    assert [s["status"]["code"] for s in found] == [ERROR] * 3
    assert found[-1]["status"]["message"] == "ECONNREFUSED: refused"
    assert named(found[-1])["error.type"] == "ConnectionError"


def test_a_call_that_went_well_in_the_end_is_no_error():
    """Of a retried call only what got the 503 is an error."""
    assert [s["status"] for s in spans(RETRIED)] == [{}, {"code": 2}, {}, {"code": 2}, {}]


def test_the_verdict_is_on_the_call():
    """Whose fault it was can be searched for."""
    call = named(spans(REFUSED_CALL)[0])
    assert call["tracedclient.verdict_culprit"] == "connect"
    assert call["tracedclient.outcome"] == "connect_error"


def test_a_record_that_was_cut_has_no_span_on_the_wire():
    """What is not known to have been sent is no CLIENT span; the sums are on the call."""
    assert [s["kind"] for s in spans(SUMMARY_ONLY)] == [INTERNAL, INTERNAL]
    assert named(spans(SUMMARY_ONLY)[0])["tracedclient.phase.wait_ms"] == 11.0


def test_an_id_of_another_kind_stays_findable():
    """An id that is no W3C id becomes one, and stands as it was in an attribute."""
    call = spans(REDIRECTED)[0]
    assert call["traceId"] != "order-17"
    assert named(call)["tracedclient.trace_id"] == "order-17"


@pytest.mark.parametrize(
    ("url", "address", "port"),
    [
        ("http://api.test/", "api.test", 80),
        ("https://REDACTED@api.test:8443?q", "api.test", 8443),
        ("https://[2001:db8::1]/", "2001:db8::1", 443),
        ("https://[2001:db8::1]:8443/", "2001:db8::1", 8443),
        ("REDACTED", None, None),
    ],
)
def test_the_server_is_read_from_the_url(url, address, port):
    """Host and port of each exchange are its own URL's, the port the scheme's where it has none."""
    found = named(spans(result(attempt(exchange(url=url))))[-1])
    assert (found.get("server.address"), found.get("server.port")) == (address, port)


def test_each_header_is_a_list():
    """Recorded headers have the conventions' names, and lists of values."""
    found = named(spans(REFUSED_CALL)[-1])
    assert found["http.request.header.accept"] == ["*/*"]
