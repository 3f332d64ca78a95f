"""What nethttp's client gets wrong must not go wrong here."""

from __future__ import annotations

import pytest
import requests
import servers
from opentracing_spans import events

from tracedclient import RetryPolicy
from tracedclient.httptrace import HOOKS, ExchangeStartInfo, PutIdleConnInfo
from tracedclient.instruments.instrument import CallStart
from tracedclient.instruments.opentracing import OpenTracing
from tracedclient.instruments.opentracing.hooks import LoggingHooks

ONCE = RetryPolicy(max_attempts=1)


@pytest.fixture
def once(make_client):
    return make_client(settings={"retry": ONCE})


@pytest.mark.parametrize("hooks", [True, False])
def test_an_error_of_the_round_trip_is_tagged(make_client, spans, hooks):
    """A connect that is refused tags the request and the call as errors (there: no tag at all)."""
    client = make_client(client_trace=hooks, settings={"retry": ONCE})
    with pytest.raises(requests.ConnectionError):
        client.get(f"http://127.0.0.1:{servers.refused_port()}/")

    assert [span.tags["error"] for span in spans.finished] == [True, True]
    (span,) = spans.requests
    assert span.logs[-1].key_values == {
        "event": "error",
        "message": "Failed",
        "phase": "connect",
        "error.kind": span.logs[-1].key_values["error.kind"],
        "error.object": "ECONNREFUSED: Connection refused",
    }


def test_a_refused_connect_is_logged_with_its_address(once, spans):
    """The failed ConnectDone says which address it was, and why."""
    port = servers.refused_port()
    with pytest.raises(requests.ConnectionError):
        once.get(f"http://127.0.0.1:{port}/")

    (span,) = spans.requests
    assert events(span) == ["GetConn", "ConnectStart", "error", "error"]
    assert span.logs[2].key_values == {
        "event": "error",
        "message": "ConnectDone",
        "network": "tcp",
        "addr": f"127.0.0.1:{port}",
        "error.kind": "ConnectionRefusedError",
        "error.object": "ECONNREFUSED: Connection refused",
    }


def test_a_server_that_hangs_up_is_an_error(once, spans, start):
    """No answer at all is an error of the request (there: a span like any other)."""
    server = start(servers.ScriptedServer(lambda peer: peer.read_head()))
    with pytest.raises(requests.ConnectionError):
        once.post(server.url, data=b"")

    (span,) = spans.requests
    assert span.tags["error"] is True
    assert "http.status_code" not in span.tags
    assert span.logs[-1].key_values["phase"] == "wait"


def test_a_body_cut_off_is_an_error(once, spans, start):
    """An answer that breaks off in its body is an error, though its status was 200."""

    def cut(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    server = start(servers.ScriptedServer(cut))
    with pytest.raises(requests.RequestException):
        once.get(server.url)

    (span,) = spans.requests
    assert (span.tags["http.status_code"], span.tags["error"]) == (200, True)
    assert events(span)[-1] == "error"


def test_no_hop_writes_on_another(client, spans, start):
    """After a redirect and a retry, each of four spans has the events of one exchange, no more."""
    landed = []

    def app(request):
        if request.path == "/from":
            return 302, {"Location": "/to"}, b""
        landed.append(request)
        return (503 if len(landed) == 1 else 200), {}, b""

    client.get(f"{start(servers.serve(app)).url}/from")

    assert [s.tags["http.status_code"] for s in spans.requests] == [302, 503, 302, 200]
    for span in spans.requests:
        assert len(events(span)) == len(set(events(span)))
        assert events(span)[0] == "GetConn"
        assert events(span)[-1] == "ClosedBody"
        assert all(log.timestamp <= span.finish_time for log in span.logs)


def test_a_late_hook_finds_its_span_ended(tracer):
    """What comes after a request's end is written nowhere, not on the next request's span either."""
    watch = OpenTracing(tracer).begin(CallStart(None, "GET", "http://a.test/"))
    hooks = watch._hooks
    started = ExchangeStartInfo(method="GET", url="http://a.test/", proxy=None)
    watch.sends("GET", "http://a.test/")
    hooks.exchange_start(started)
    first = hooks._current
    first.end()
    watch.sends("GET", "http://a.test/next")
    hooks.put_idle_conn(PutIdleConnInfo(conn_id=1, error=None))
    hooks.exchange_start(started)

    assert first.span.logs == []
    assert hooks._current.span.logs == []
    watch.done(None)


@pytest.mark.parametrize("hook", [h for h in HOOKS if h in vars(LoggingHooks)])
def test_hooks_without_a_request_do_nothing(hook):
    """A hook that comes although no request was begun is left alone (there: a nil pointer)."""
    assert getattr(LoggingHooks(), hook)(None) is None


def test_nothing_need_be_finished_by_the_caller(client, spans, echo_server, start):
    """Root and child are finished when the call is, whatever became of it (there: call Finish)."""
    round_and_round = start(servers.serve(lambda _: (302, {"Location": "/"}, b"")))
    client.get(echo_server.url)
    with pytest.raises(requests.exceptions.TooManyRedirects):
        client.get(round_and_round.url)
    with pytest.raises(requests.exceptions.MissingSchema):
        client.get("no-scheme")

    assert [s.operation_name for s in spans.finished if s.parent_id is None] == ["HTTP Client"] * 3
    assert all(span.finished for span in spans.finished)


@pytest.mark.parametrize("prepared", [False, True])
def test_the_callers_request_is_left_alone(client, tracer, echo_server, prepared):
    """Its headers are what they were, prepared or not (there: the span is injected into them)."""
    given = requests.Request("GET", echo_server.url, headers={"X-Own": "1"})
    given = given.prepare() if prepared else given
    before = dict(given.headers)
    client.do(given)
    client.do(given)

    assert dict(given.headers) == before
    ids = [request.headers.get("ot-tracer-spanid") for request in echo_server.requests]
    assert len(set(ids)) == 2


def test_no_secret_is_on_a_span(client, spans, echo_server):
    """No credential, query value, header or cookie is in any tag or log."""
    client.post(
        f"{echo_server.url.replace('://', '://u:s3cret@')}/status/404?k=s3cret",
        data="s3cret",
        headers={"Authorization": "s3cret", "Cookie": "s3cret", "X-Key": "s3cret"},
    )
    with pytest.raises(requests.ConnectionError):
        client.get(f"http://u:s3cret@127.0.0.1:{servers.refused_port()}/?k=s3cret")

    assert len(spans.finished) >= 4
    assert "s3cret" not in repr(spans.whole())
