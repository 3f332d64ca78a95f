"""A finished trace as Zipkin's spans: pure."""

from __future__ import annotations

import json

import msgspec
import pytest
from logs_of_traces import KINDS, NEVER_SENT, REDIRECTED, REFUSED_CALL, RETRIED, SUMMARY_ONLY
from made_traces import AT, attempt, exchange, result

from tracedclient.instruments.zipkin.spans import ids_of, spans
from tracedclient.trace.model import Connect, Connection, Event, Proxy

AT_US = 1795213678009138
SENT, PARENT = "00f067aa0ba902b7", "b7ad6b7169203331"


def zipkin(trace):
    """The spans of ``trace`` as they are posted."""
    return [json.loads(msgspec.json.encode(span)) for span in spans(trace, ids_of(trace))]


def on_wire(**facts):
    """The CLIENT span of a call that made one exchange."""
    _, span = zipkin(result(attempt(exchange(**facts))))
    return span


def connection(**facts):
    return Connection(**{"id": 1, "reused": False, "age_ms": 0.0, "uses": 0, **facts})


def test_a_whole_span():
    """Every field of a request's span: its ids, kind, times, both ends, events, tags."""
    sent = exchange(
        url="https://api.test:8443/v1/a?k=REDACTED",
        span_id=SENT,
        duration_ms=12.3456,
        status=200,
        http_version="1.1",
        ms={"send": 0.1, "wait": 12.0},
        connection=connection(local="127.0.0.1:50000", remote="127.0.0.2:8443"),
        events=(Event(event="got_conn", at="2026-11-20T22:27:58.009200Z"),),
    )
    call, span = zipkin(result(attempt(sent), service_name="Orders", parent_span_id=PARENT))

    assert span == {
        "traceId": "4bf92f3577b34da6a3ce929d0e0e4736",
        "id": SENT,
        "parentId": call["id"],
        "kind": "CLIENT",
        "name": "get",
        "timestamp": AT_US,
        "duration": 12346,
        "localEndpoint": {"serviceName": "orders", "ipv4": "127.0.0.1"},
        "remoteEndpoint": {"serviceName": "api.test", "ipv4": "127.0.0.2", "port": 8443},
        "annotations": [{"timestamp": AT_US + 62, "value": "got_conn"}],
        "tags": {
            "http.method": "GET",
            "http.path": "/v1/a",
            "http.url": "https://api.test:8443/v1/a?k=REDACTED",
            "http.status_code": "200",
            "network.protocol.version": "1.1",
            "tracedclient.attempt": "1",
            "tracedclient.phase.send_ms": "0.1",
            "tracedclient.phase.wait_ms": "12",
            "tracedclient.phase.unaccounted_ms": "0",
            "tracedclient.connection.id": "1",
            "tracedclient.connection.reused": "false",
        },
    }


def test_the_call_is_a_local_span():
    """The call has no kind, lies below the span that brought it, and tells what became of it."""
    trace = result(attempt(exchange()), parent_span_id=PARENT, http_response_status_code=200)
    call, _ = zipkin(trace)

    assert call["parentId"] == PARENT
    assert "kind" not in call
    assert "remoteEndpoint" not in call
    assert (call["name"], call["timestamp"], call["duration"]) == ("tracedclient.do", AT_US, 12500)
    assert call["tags"]["tracedclient.outcome"] == "ok"
    assert call["tags"]["http.status_code"] == "200"
    assert "error" not in call["tags"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_model(kind):
    """Every kind of trace keeps to Zipkin's model: ids, whole numbers of at least 1, text."""
    found = zipkin(KINDS[kind])

    assert {len(bytes.fromhex(span["traceId"])) for span in found} == {16}
    assert {len(bytes.fromhex(span["id"])) for span in found} == {8}
    assert len({span["id"] for span in found}) == len(found)
    for span in found:
        assert min(span["timestamp"], span["duration"]) >= 1
        assert isinstance(span["timestamp"], int)
        assert isinstance(span["duration"], int)
        assert all(isinstance(value, str) and value for value in span["tags"].values())
        assert "shared" not in span


def test_each_attempt_is_a_span_and_says_why_there_was_another():
    """A retried call has both requests below it, and the decision between them as an annotation."""
    call, first, second = zipkin(RETRIED)

    assert first["parentId"] == second["parentId"] == call["id"]
    assert (first["tags"]["error"], "error" in second["tags"]) == ("503", False)
    assert second["tags"]["http.request.resend_count"] == "1"
    (said,) = call["annotations"]
    assert said["value"] == "attempt 1: status 503; sleeps 36.9 ms"
    assert first["timestamp"] < said["timestamp"] < second["timestamp"]


def test_an_id_of_another_form_is_kept():
    """A trace id that Zipkin cannot have is a hash there, and itself in a tag."""
    call, *_ = zipkin(REDIRECTED)
    assert call["tags"]["tracedclient.trace_id"] == "order-17"
    assert len(call["traceId"]) == 32


def test_a_failure():
    """Call and request have the error in words, and its class; an address is no service's name."""
    call, span = zipkin(REFUSED_CALL)

    assert call["tags"]["error"] == span["tags"]["error"] == "ECONNREFUSED: refused"
    assert span["tags"]["error.type"] == "ConnectionError"
    assert span["remoteEndpoint"] == {"ipv6": "2001:db8::1", "port": 8443}
    assert call["tags"]["tracedclient.verdict_culprit"] == "connect"


@pytest.mark.parametrize("trace", [NEVER_SENT, SUMMARY_ONLY], ids=["never sent", "summary"])
def test_without_exchanges_there_is_the_call(trace):
    """A call that sent nothing, and one cut to its summary, are one span."""
    (call,) = zipkin(trace)
    assert call["name"] == "tracedclient.do"


def test_behind_a_proxy_the_server_has_no_address():
    """The peer of the connection is the proxy then: it is not said to be the server."""
    span = on_wire(
        url="http://api.test/",
        proxy=Proxy(url="http://p:1"),
        connection=connection(remote="1.2.3.4:1"),
    )
    assert span["remoteEndpoint"] == {"serviceName": "api.test", "port": 80}
    assert span["tags"]["tracedclient.proxy"] == "http://p:1"


def test_every_address_that_was_tried():
    """Which address refused, and which did not, is in one tag."""
    tried = (
        Connect(addr="10.0.0.1:80", ms=1.0, error="ECONNREFUSED"),
        Connect(addr="10.0.0.2:80", ms=1),
    )
    span = on_wire(connects=tried)
    assert span["tags"]["tracedclient.connects"] == "10.0.0.1:80 ECONNREFUSED, 10.0.0.2:80 ok"


@pytest.mark.parametrize(
    ("method", "url", "name", "remote"),
    [
        ("BREW", "http://tea.test/", "http", {"serviceName": "tea.test", "port": 80}),
        ("GET", "http://[", "get", None),
        ("GET", "REDACTED", "get", None),
    ],
)
def test_odd_requests(method, url, name, remote):
    """A method of the caller's own is no span's name; what is no URL names no server."""
    span = on_wire(method=method, url=url)
    assert (span["name"], span.get("remoteEndpoint")) == (name, remote)


@pytest.mark.parametrize(
    ("at", "ms", "expected"),
    [
        ("1970-01-01T00:00:00.000000Z", 0.0, (1, 1)),
        ("1960-01-01T00:00:00.000000Z", -5.0, (1, 1)),
        (AT.replace("Z", "+00:00"), 0.0004, (AT_US, 1)),
    ],
)
def test_times_are_at_least_one(at, ms, expected):
    """To Zipkin 0 is unknown, and a negative time an error: neither is ever said."""
    span = on_wire(started_at=at, duration_ms=ms)
    assert (span["timestamp"], span["duration"]) == expected
