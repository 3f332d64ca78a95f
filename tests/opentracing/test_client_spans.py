"""The spans of a call, whole: names, parents, tags, and every log in its order."""

from __future__ import annotations

import threading

import pytest
import requests
import servers
from opentracing_spans import events

from tracedclient import CircuitBreaker, CircuitOpen, RetryPolicy

ONCE = RetryPolicy(max_attempts=1)


def connecting(server):
    where = {"network": "tcp", "addr": f"{server.host}:{server.port}"}
    return [{"event": "ConnectStart", **where}, {"event": "ConnectDone", **where}]


SENT_AND_ANSWERED = [
    {"event": "GotConn"},
    {"event": "WroteHeaders"},
    {"event": "WroteRequest"},
    {"event": "GotFirstResponseByte"},
    {"event": "PutIdleConn"},
    {"event": "ClosedBody"},
]


def test_spans_of_a_plain_get(client, spans, tracer, echo_server):
    """A GET is a root under the application's span and a child, and this is all that is on them."""
    url = echo_server.url.replace("://", "://ann:s3cret@")
    with tracer.start_active_span("toplevel"):
        response = client.get(f"{url}/orders?token=s3cret")

    host = f"{echo_server.host}:{echo_server.port}"
    assert spans.whole() == [
        {"name": "toplevel", "parent": None, "tags": {}, "logs": []},
        {
            "name": "HTTP Client",
            "parent": "toplevel",
            "tags": {"tracedclient.trace_id": response.trace.trace_id},
            "logs": [],
        },
        {
            "name": "HTTP GET",
            "parent": "HTTP Client",
            "tags": {
                "span.kind": "client",
                "component": "tracedclient",
                "http.method": "GET",
                "http.url": f"http://REDACTED@{host}/orders?token=REDACTED",
                "peer.address": host,
                "net/http.reused": False,
                "net/http.was_idle": False,
                "http.status_code": 200,
            },
            "logs": [
                {"event": "GetConn", "hostPort": host},
                *connecting(echo_server),
                *SENT_AND_ANSWERED,
            ],
        },
    ]


def test_a_kept_connection_is_tagged(client, spans, echo_server):
    """The second request is on the first one's connection: reused, idle, nothing dialled."""
    for _ in range(2):
        client.get(echo_server.url)

    _, second = spans.requests
    assert (second.tags["net/http.reused"], second.tags["net/http.was_idle"]) == (True, True)
    assert [log.key_values for log in second.logs] == [
        {"event": "GetConn", "hostPort": f"{echo_server.host}:{echo_server.port}"},
        *SENT_AND_ANSWERED,
    ]


def test_a_lookup_is_logged(client, spans, resolver, echo_server):
    """DNSStart has the name, DNSDone the addresses in the order in which they are tried."""
    resolver["two.test"] = ["127.0.0.1", "127.0.0.9"]
    client.get(f"http://two.test:{echo_server.port}/")

    (span,) = spans.requests
    assert [log.key_values for log in span.logs][1:3] == [
        {"event": "DNSStart", "host": "two.test"},
        {"event": "DNSDone", "addr": "127.0.0.1, 127.0.0.9"},
    ]
    assert span.tags["peer.address"] == f"two.test:{echo_server.port}"


def test_an_address_that_refuses(client, spans, resolver, echo_server):
    """Each address that is tried has its pair of logs; one that failed is no error of the request."""
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]
    client.get(f"http://two.test:{echo_server.port}/")

    (span,) = spans.requests
    refused = {"network": "tcp", "addr": f"127.0.0.9:{echo_server.port}"}
    assert [log.key_values for log in span.logs][3:7] == [
        {"event": "ConnectStart", **refused},
        {
            "event": "error",
            "message": "ConnectDone",
            **refused,
            "error.kind": "ConnectionRefusedError",
            "error.object": "ECONNREFUSED: Connection refused",
        },
        *connecting(echo_server),
    ]
    assert "error" not in span.tags


def test_a_name_that_nobody_knows(make_client, spans, resolver):
    """A failed lookup is an error event with its reason, and the span is an error."""
    with pytest.raises(requests.ConnectionError):
        make_client(settings={"retry": ONCE}).get("http://nobody.test/")

    (span,) = spans.requests
    assert events(span) == ["GetConn", "DNSStart", "error", "error"]
    done, failed = (log.key_values for log in span.logs[-2:])
    assert done["message"] == "DNSDone"
    assert done["error.kind"] == "gaierror"
    assert done["error.object"].startswith("EAI_NONAME")
    assert (failed["message"], failed["phase"]) == ("Failed", "dns")
    assert span.tags["error"] is True


def test_expect_continue_is_logged(client, spans, echo_server):
    """A body that waits for its 100 has both events, between the head and the body."""
    client.put(echo_server.url, data=b"body", headers={"Expect": "100-continue"})

    (span,) = spans.requests
    assert events(span)[3:] == [
        "GotConn",
        "WroteHeaders",
        "Wait100Continue",
        "GotFirstResponseByte",
        "Got100Continue",
        "WroteRequest",
        "PutIdleConn",
        "ClosedBody",
    ]


def test_each_attempt_is_a_child(client, spans, echo_server):
    """Three tries are three children of one root, and a root that ends in a 503 is an error too."""
    client.get(f"{echo_server.url}/status/503")

    root, *tries = spans.whole()
    assert [t["parent"] for t in tries] == ["HTTP Client"] * 3
    assert [(t["tags"]["http.status_code"], t["tags"]["error"]) for t in tries] == [(503, True)] * 3
    assert root["tags"]["error"] is True


def test_a_call_that_succeeds_at_last(client, spans, start):
    """A try that failed is an error, the one that did not is none, and neither is the call."""
    answers = iter([503, 200])
    server = start(servers.serve(lambda _: (next(answers), {}, b"")))
    client.get(server.url)

    assert ["error" in span.tags for span in spans.finished] == [False, True, False]


def test_each_redirect_is_a_child(client, spans, echo_server):
    """Each hop has its own URL, status, logs and end, before the next begins."""
    client.get(f"{echo_server.url}/redirect?to=/landed")

    _, first, second = spans.finished
    assert (first.tags["http.status_code"], second.tags["http.status_code"]) == (302, 200)
    assert second.tags["http.url"] == f"{echo_server.url}/landed"
    ends = ["GotConn", *(log["event"] for log in SENT_AND_ANSWERED[1:])]
    assert events(first)[-6:] == events(second)[-6:] == ends
    assert first.finish_time <= second.start_time


def test_an_error_status_below_500_is_none(client, spans, echo_server):
    """A 404 is an answer; nothing is marked."""
    client.get(f"{echo_server.url}/status/404")

    assert [span.tags.get("error") for span in spans.finished] == [None, None]
    assert spans.requests[0].tags["http.status_code"] == 404


def test_head_ends_at_once(client, spans, echo_server):
    """The span of a HEAD ends with its head; there is no body to be closed."""
    response = client.head(echo_server.url, stream=True)

    (span,) = spans.requests
    before = events(span)[-1]
    assert before == "GotFirstResponseByte"
    response.close()
    assert events(span)[-1] == before


def test_head_has_no_body_to_close(client, spans, echo_server):
    """A HEAD that is not streamed gives its connection back, and closes nothing."""
    client.head(echo_server.url)

    assert events(spans.requests[0])[-2:] == ["GotFirstResponseByte", "PutIdleConn"]


@pytest.mark.parametrize("reads", [True, False], ids=["read", "closed"])
def test_a_streamed_body_is_in_the_span(client, spans, echo_server, reads):
    """Nothing ends before the body of a streamed answer has been read or closed; then all does."""
    response = client.get(f"{echo_server.url}/bytes/500000", stream=True)
    assert spans.finished == []
    response.content if reads else response.close()

    root, span = spans.finished
    assert events(span)[-2:] == ["PutIdleConn" if reads else "GotFirstResponseByte", "ClosedBody"]
    assert root.finish_time >= span.finish_time


def test_letting_go_waits_for_no_lock_of_the_tracers(client, tracer, echo_server):
    """An answer dropped by whoever holds the tracer's lock ends its spans all the same, and hangs nobody."""
    dropped, finished = threading.Event(), threading.Event()
    answers = [client.get(f"{echo_server.url}/bytes/500000", stream=True)]
    keep = tracer._append_finished_span

    def kept(span):
        keep(span)
        if span.operation_name == "HTTP Client":
            finished.set()

    tracer._append_finished_span = kept

    def drop():
        with tracer._spans_lock:
            answers.clear()
            dropped.set()

    threading.Thread(target=drop, daemon=True).start()
    assert dropped.wait(10)
    assert finished.wait(10)
    span, _ = tracer.finished_spans()
    assert events(span)[-1] == "ClosedBody"
    assert span.logs[-1].timestamp == span.finish_time


def test_a_body_read_in_another_thread(client, spans, echo_server):
    """Who reads the body, and where, does not matter."""
    response = client.get(f"{echo_server.url}/bytes/500000", stream=True)
    reader = threading.Thread(target=lambda: response.content)
    reader.start()
    reader.join()

    assert [span.operation_name for span in spans.finished] == ["HTTP Client", "HTTP GET"]


def test_an_upgrade_ends_with_its_stream(client, spans, start):
    """A 101 leaves the connection to the caller, and the span open until he closes it."""

    def app(peer):
        peer.read_head()
        peer.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"
        )
        peer.drain()

    server = start(servers.ScriptedServer(app))
    asked = {"Upgrade": "echo", "Connection": "Upgrade"}
    response = client.get(server.url, headers=asked, stream=True)
    response.close()

    (span,) = spans.requests
    assert span.tags["http.status_code"] == 101
    assert events(span)[-1] == "ClosedBody"


def test_without_client_trace_a_span_has_its_tags(make_client, spans, echo_server):
    """``client_trace=False`` leaves status, error and the body's end; no hook is logged."""
    make_client(client_trace=False).get(f"{echo_server.url}/status/503")

    for span in spans.requests:
        assert events(span) == ["ClosedBody"]
        assert (span.tags["http.status_code"], span.tags["error"]) == (503, True)
        assert "net/http.reused" not in span.tags


def test_options_have_their_say(make_client, spans, echo_server):
    """Operation name, component, URL tag and observer are the user's."""
    seen = []
    client = make_client(
        operation_name="orders",
        component="billing",
        url_tag=lambda url: url.partition("?")[0],
        span_observer=lambda span, request: seen.append((span.tags["component"], *request)),
    )
    client.get(f"{echo_server.url}/a?b=c")

    root, span = spans.finished
    assert root.operation_name == "orders"
    assert span.tags["component"] == "billing"
    assert span.tags["http.url"] == f"{echo_server.url}/a"
    assert seen == [("billing", "GET", f"{echo_server.url}/a?b=c")]


def test_no_url_tag(make_client, spans, echo_server):
    """``url_tag=None`` shows no URL at all."""
    make_client(url_tag=None).get(echo_server.url)

    assert "http.url" not in spans.requests[0].tags


def test_nothing_sent_is_a_root_alone(make_client, spans, echo_server):
    """A call that the breaker ended, or that was no request, has a root that says it failed."""
    client = make_client(settings={"breaker": CircuitBreaker(min_calls=1)})
    with pytest.raises(CircuitOpen):
        client.get(f"{echo_server.url}/status/503")
    before = len(spans.finished)
    with pytest.raises(CircuitOpen):
        client.get(echo_server.url)
    with pytest.raises(requests.exceptions.InvalidURL):
        client.get("http://")

    roots = spans.whole()[before:]
    assert [(r["name"], r["tags"]["error"]) for r in roots] == [("HTTP Client", True)] * 2
