"""What other instruments of this kind get wrong (Go's otelhttptrace, OpenTracing's nethttp)."""

from __future__ import annotations

import threading
from datetime import datetime, timezone

import pytest
import requests
import servers

from tracedclient import RetryPolicy
from tracedclient.instruments import Watch

ONCE = RetryPolicy(max_attempts=1)


class Told(Watch):
    """The instrument after another: when it is told of the end, the other has been."""

    def __init__(self):
        self.done_with = threading.Event()

    def watch(self, client):
        pass

    def begin(self, _):
        return self

    def done(self, _):
        self.done_with.set()


def names(span):
    return [event.name for event in span.events]


def test_the_handshake_is_on_the_span(make_client, sdk, start, server_context, ca_file):
    """TLS version, cipher and the certificate are known (otelhttptrace: pull request 5563, open)."""
    server = start(servers.serve(servers.echo, tls=server_context("127.0.0.1")))
    make_client(verify=ca_file).get(server.url)

    (span,) = sdk.client_spans
    tls = {key: value for key, value in span.attributes.items() if key.startswith("tls.")}
    expires = tls.pop("tls.server.not_after")
    assert datetime.fromisoformat(expires[:-1]).replace(tzinfo=timezone.utc) > datetime.now(
        timezone.utc
    )
    assert tls.pop("tls.cipher").startswith("TLS_")
    assert tls.pop("tls.server.subject") != ""
    assert tls.pop("tls.server.issuer") != ""
    assert tls == {
        "tls.protocol.name": "tls",
        "tls.protocol.version": "1.3",
        "tls.resumed": False,
        "tls.established": True,
    }
    assert "tracedclient.phase.tls_ms" in span.attributes


def test_a_failed_handshake_ends_its_span(make_client, sdk, start, expired_context, ca_file):
    """A certificate that was refused is on the span, with its date and the error."""
    server = start(servers.serve(servers.echo, tls=expired_context("127.0.0.1")))
    with pytest.raises(requests.exceptions.SSLError):
        make_client(verify=ca_file, retry=ONCE).get(server.url)

    (span,) = sdk.client_spans
    assert span.attributes["error.type"] == "SSLError"
    assert span.attributes["tls.established"] is False
    assert span.attributes["tls.server.not_after"] < datetime.now(timezone.utc).isoformat()
    assert (
        span.status.status_code.name,
        "CERTIFICATE_VERIFY_FAILED" in span.status.description,
    ) == (
        "ERROR",
        True,
    )


def test_a_span_ends_without_keep_alive(client, sdk, echo_server):
    """It ends with its answer, not with the connection's way back to the pool (issue 4876)."""
    client.get(f"{echo_server.url}/close")

    (span,) = sdk.client_spans
    assert "put_idle_conn" not in names(span)
    assert span.end_time > span.start_time
    assert span.attributes["tracedclient.phase.receive_ms"] >= 0


def test_a_span_ends_when_its_body_is_closed_unread(client, sdk, echo_server):
    """It ends when the body is closed, read or not (issue 4876)."""
    with client.get(f"{echo_server.url}/bytes/500000", stream=True):
        pass

    (span,) = sdk.client_spans
    assert span.attributes["tracedclient.body_complete"] is False
    assert span.status.status_code.name == "UNSET"


def test_a_span_ends_when_its_answer_is_let_go_of(make_client, sdk, echo_server):
    """It ends, marked as such, when nobody holds an answer that was neither read nor closed."""
    told = Told()
    client = make_client(instruments=[sdk.instrument(), told])
    response = client.get(f"{echo_server.url}/bytes/3000000", stream=True)
    assert sdk.spans == []
    del response

    assert told.done_with.wait(5)
    call, span = sdk.spans
    assert span.attributes["tracedclient.body_abandoned"] is True
    assert span.attributes["tracedclient.body_complete"] is False
    assert span.parent.span_id == call.context.span_id
    assert call.end_time >= span.end_time


def test_a_full_pool_is_no_error(make_client, sdk, start):
    """A connection that found no room in the pool is told, and marks nothing as failed (8216)."""
    both = threading.Barrier(2)

    def meet(_):
        both.wait(10)
        return servers.Answer(200, b"")

    server = start(servers.serve(meet))
    client = make_client(pool_maxsize=1)
    threads = [threading.Thread(target=client.get, args=(server.url,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    spans = sdk.client_spans
    assert sorted(s.attributes["tracedclient.connection.returned"] for s in spans) == [False, True]
    assert {s.status.status_code.name for s in sdk.spans} == {"UNSET"}
    assert ["error.type" in s.attributes for s in sdk.spans] == [False] * 4


def test_a_failed_dial_ends_its_span(make_client, sdk):
    """A connect that is refused ends the span, with the class of the error and its words."""
    with pytest.raises(requests.ConnectionError):
        make_client(retry=ONCE).get(f"http://127.0.0.1:{servers.refused_port()}/")

    call, span = sdk.spans
    assert names(span)[-2:] == ["connect_done", "failed"]
    assert span.status.description == "ECONNREFUSED: Connection refused"
    assert span.attributes["error.type"] != ""
    assert call.attributes["tracedclient.outcome"] == "connect_error"


def test_a_failed_lookup_ends_its_span(make_client, sdk, resolver):
    """A name that nobody knows is on the span, and its error."""
    with pytest.raises(requests.ConnectionError):
        make_client(retry=ONCE).get("http://nobody.test/")

    (span,) = sdk.client_spans
    assert span.attributes["dns.question.name"] == "nobody.test"
    assert span.status.description.startswith("EAI_NONAME")


def test_attempts_and_redirects_do_not_share_spans(start, client, sdk):
    """What was tried again after a redirect has four spans, each with the events of one exchange."""
    server = start(servers.serve(again_after_a_redirect()))
    client.get(f"{server.url}/from")

    paths = [s.attributes["url.full"].rpartition("/")[2] for s in sdk.client_spans]
    assert paths == ["from", "to", "from", "to"]
    assert [s.attributes["http.response.status_code"] for s in sdk.client_spans] == [
        *(302, 503, 302, 200)
    ]
    assert [names(s).count("get_conn") for s in sdk.client_spans] == [1] * 4
    assert [s.attributes.get("http.request.resend_count") for s in sdk.client_spans] == [
        *(None, 1, 2, 3)
    ]


def again_after_a_redirect():
    landed = []

    def app(request):
        if request.path == "/from":
            return 302, {"Location": "/to"}, b""
        landed.append(request)
        return (503 if len(landed) == 1 else 200), {}, b""

    return app


def test_two_spans_for_a_request_and_no_more(client, sdk, echo_server):
    """A new connection, its lookups and handshakes add no spans (8785: up to seven for a request)."""
    client.post(f"{echo_server.url}/gzip", data=b"x" * 100_000)

    assert len(sdk.spans) == 2


def test_addresses_raced_leave_one_span(make_client, sdk, resolver, echo_server, black_hole):
    """Two connects that overlap are events of one span, in whatever order they end."""
    host, _ = black_hole
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]
    make_client().get(f"http://two.test:{echo_server.port}/")

    (span,) = sdk.client_spans
    assert names(span).count("connect_start") == 2
    assert span.attributes["network.peer.address"] == "127.0.0.1"
    assert span.status.status_code.name == "UNSET"
    assert host


def test_a_body_cut_off_is_an_error(make_client, sdk, start):
    """An answer that breaks off in its body marks span and call, though its status was 200."""

    def cut(peer):
        peer.read_head()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

    server = start(servers.ScriptedServer(cut))
    with pytest.raises(requests.RequestException):
        make_client(retry=ONCE).get(server.url)

    call, span = sdk.spans
    assert span.attributes["http.response.status_code"] == 200
    assert [s.status.status_code.name for s in (call, span)] == ["ERROR", "ERROR"]
    assert span.attributes["error.type"] != ""


def test_no_secret_is_on_a_span(client, sdk, echo_server):
    """No credential, query value, header or cookie is in any attribute, event or status."""
    client.post(
        f"{echo_server.url.replace('://', '://u:s3cret@')}/status/404?k=s3cret",
        data="s3cret",
        headers={"Authorization": "s3cret", "Cookie": "s3cret", "X-Key": "s3cret"},
    )

    assert len(sdk.spans) == 2
    assert "s3cret" not in "".join(span.to_json() for span in sdk.spans)
