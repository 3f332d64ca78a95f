"""Traces as HAR 1.2."""

from __future__ import annotations

import json

import pytest
from logs_of_traces import KINDS, NEVER_SENT, REDIRECTED, REFUSED_CALL, RETRIED, SUMMARY_ONLY
from made_traces import attempt, exchange, result

from tracedclient.cli.convert.har import to_har


def har(*traces):
    return json.loads(b"".join(to_har(traces)))["log"]


def entry(trace):
    (only,) = har(trace)["entries"]
    return only


def test_no_trace_is_an_empty_har():
    """Without any trace the file is a HAR all the same."""
    log = har()
    assert (log["version"], log["entries"], log["pages"]) == ("1.2", [], [])


def test_a_call_is_a_page_and_an_exchange_an_entry():
    """The two attempts of a retried call are two entries of one page, which has its id."""
    log = har(RETRIED, REDIRECTED)
    assert [e["pageref"] for e in log["entries"]] == ["call_1", "call_1", "call_2", "call_2"]
    assert [p["_traceId"] for p in log["pages"]] == [RETRIED.trace_id, REDIRECTED.trace_id]


def test_the_ids_that_were_sent():
    """An entry has the span id that its server got, a page the span that the call was made for."""
    log = har(
        result(attempt(exchange(span_id="00f067aa0ba902b7")), parent_span_id="b7ad6b7169203331")
    )
    assert log["entries"][0]["_spanId"] == "00f067aa0ba902b7"
    assert log["pages"][0]["_parentSpanId"] == "b7ad6b7169203331"


def test_the_phases_are_hars():
    """TLS is counted in connect too, as HAR has it, and the total counts it once."""
    first, second = har(RETRIED)["entries"]
    assert first["timings"] == {
        "blocked": -1,
        "dns": 2.1,
        "connect": 36.3,
        "ssl": 24.9,
        "send": 0.1,
        "wait": 21.7,
        "receive": 0.9,
    }
    assert first["time"] == pytest.approx(61.1)
    assert second["timings"]["connect"] == second["timings"]["ssl"] == -1


def test_a_proxys_connect_is_part_of_connect():
    """HAR knows no CONNECT: its time is in connect, and told apart in a field of ours."""
    timings = entry(REFUSED_CALL)["timings"]
    assert (timings["connect"], timings["_proxy"]) == (0.8, 0.3)


@pytest.mark.parametrize("kind", KINDS)
def test_times_add_up(kind):
    """An entry's time is the sum of its parts that happened, without TLS for a second time."""
    for found in har(KINDS[kind])["entries"]:
        parts = [
            found["timings"][p] for p in ("blocked", "dns", "connect", "send", "wait", "receive")
        ]
        assert found["time"] == pytest.approx(sum(part for part in parts if part >= 0))


def test_a_redirect_says_where_to():
    """The answer that redirects names the next exchange's URL, and no other answer names any."""
    entries = har(REDIRECTED)["entries"]
    assert [e["response"]["redirectURL"] for e in entries] == ["http://api.test/b", ""]
    assert [e["_kind"] for e in entries] == ["initial", "redirect"]


def test_a_retry_is_no_redirect():
    """The attempt that is tried again redirects to nowhere; why and when it was is ours to say."""
    first, second = har(RETRIED)["entries"]
    assert first["response"]["redirectURL"] == ""
    assert (first["_retryReason"], first["_retrySleepMs"]) == ("status 503", 36.9)
    assert second["_kind"] == "retry"


def test_a_failed_exchange_has_status_0_and_its_error():
    """Where no answer came the status is 0, and the error is the network's own."""
    found = entry(REFUSED_CALL)
    assert found["response"]["status"] == 0
    assert found["response"]["_error"] == "ECONNREFUSED: refused"
    assert found["_error"]["phase"] == "connect"


def test_the_peer_is_named_without_its_port():
    """serverIPAddress is an address alone, an IPv6 one without brackets."""
    assert entry(REFUSED_CALL)["serverIPAddress"] == "2001:db8::1"


def test_headers_are_those_of_the_trace():
    """What a rule of the level headers recorded is in the entry; else the lists are empty."""
    assert entry(REFUSED_CALL)["request"]["headers"] == [{"name": "accept", "value": "*/*"}]
    assert har(RETRIED)["entries"][0]["request"]["headers"] == []


def test_a_call_that_never_reached_the_wire_is_not_lost():
    """An attempt without an exchange is an entry that says so."""
    found = entry(NEVER_SENT)
    assert (found["_kind"], found["response"]["status"]) == ("summary", 0)
    assert found["request"]["url"] == "about:invalid#REDACTED"


def test_a_record_that_was_cut_is_its_summary():
    """Of a line whose attempts were cut away there is one entry, with the sums of the phases."""
    found = entry(SUMMARY_ONLY)
    assert (found["_kind"], found["response"]["status"]) == ("summary", 503)
    assert found["timings"]["wait"] == 11.0


def test_traces_are_taken_one_by_one():
    """The first piece is there before the last trace is asked for: memory does not grow with a log."""
    asked = []

    def endless():
        for number in range(1000):
            asked.append(number)
            yield RETRIED

    pieces = to_har(endless())
    assert [next(pieces) for _ in range(3)]
    assert asked == [0]


def test_a_url_is_a_uri():
    """A blank or a letter beyond ASCII in a URL is quoted, because HAR's URLs are URIs."""
    odd = result(attempt(exchange(url="http://api.test/a b…")))
    assert entry(odd)["request"]["url"] == "http://api.test/a%20b%E2%80%A6"
