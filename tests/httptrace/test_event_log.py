"""The event log of one exchange: what is called, how often, with what."""

from __future__ import annotations

import socket
import ssl

import pytest
import requests
import servers

from httptrace.watching import Awaited, ask
from tracedclient.httptrace import HOOKS, ClientTrace

FAKED = "dns-is-faked.golang"
ONCE = [
    "get_conn",
    "dns_start",
    "dns_done",
    "connect_start",
    "connect_done",
    "got_conn",
    "wrote_headers",
    "wait_100_continue",
    "got_100_continue",
    "got_first_response_byte",
    "wrote_request",
    "put_idle_conn",
]


@pytest.fixture
def answering_late(start, journal):
    """Answers a body with itself, and not before the client says that it has sent it."""

    def handle(peer):
        head = peer.read_head()
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        request = peer.read_body(head)
        journal.wait_for("wrote_request")
        peer.answer(200, request.body)
        while peer.read_request():
            peer.answer(200)

    return start(servers.ScriptedServer(handle))


def post(session, url, trace):
    headers = {"X-Foo-Multiple-Vals": "bar, baz", "Expect": "100-continue"}
    return ask(session, url, trace, "POST", data=b"some body", headers=headers)


def test_event_trace(session, journal, answering_late, resolver):
    """Go: TestTransportEventTrace. Each hook of a new connection comes once, with its facts."""
    resolver[FAKED] = ["127.0.0.1"]
    host_port = f"{FAKED}:{answering_late.port}"

    response = post(session, f"http://{host_port}/", journal)

    assert response.text == "some body"
    assert {hook: journal.count(hook) for hook in ONCE} == dict.fromkeys(ONCE, 1)
    assert journal.one("get_conn").host_port == host_port
    assert journal.one("dns_start").host == FAKED
    assert (journal.one("dns_done").addrs, journal.one("dns_done").error) == (("127.0.0.1",), None)
    for hook in ("connect_start", "connect_done"):
        assert journal.one(hook).network == "tcp"
        assert journal.one(hook).addr == answering_late.host_port
    assert journal.one("connect_done").error is None
    got = journal.one("got_conn")
    assert (got.reused, got.was_idle, got.idle_time, got.uses) == (False, False, None, 0)
    assert got.remote == answering_late.host_port
    assert [info.status for info in journal.all("got_1xx_response")] == [100]
    assert (journal.one("wrote_request").error, journal.one("wrote_request").complete) == (
        None,
        True,
    )
    assert journal.one("put_idle_conn").error is None
    assert journal.count("tls_handshake_start") == 0


def test_event_trace_of_the_headers(session, journal, answering_late):
    """Go: TestTransportEventTrace. Every header is told once, with all of its values."""
    post(session, answering_late.url, journal)

    fields = journal.fields()
    assert fields["host"] == (answering_late.host_port,)
    assert fields["content-length"] == ("9",)
    assert fields["x-foo-multiple-vals"] == ("bar, baz",)
    assert fields["expect"] == ("100-continue",)
    assert {"user-agent", "accept-encoding"} <= fields.keys()
    sent = {name.lower(): (value,) for name, value in answering_late.requests[0].headers}
    assert fields == sent


def test_event_trace_of_a_second_request(session, journal, answering_late):
    """Go: TestTransportEventTrace. The same trace watches a second request: two ``get_conn``."""
    post(session, answering_late.url, journal)

    assert ask(session, answering_late.url, journal).text == ""

    assert journal.count("get_conn") == 2
    assert [info.reused for info in journal.all("got_conn")] == [False, True]
    assert [info.was_idle for info in journal.all("got_conn")] == [False, True]
    assert journal.all("got_conn")[1].idle_time >= 0
    assert journal.count("connect_start") == 1


def test_no_hooks(session, journal, answering_late):
    """Go: TestTransportEventTrace_NoHooks. A trace without hooks changes nothing."""

    class Silent(ClientTrace):
        def wrote_request(self, info):
            journal.wrote_request(info)  # the server waits for this one

    assert post(session, answering_late.url, Silent()).text == "some body"
    assert ask(session, answering_late.url, ClientTrace()).status_code == 200


@pytest.mark.parametrize("hook", HOOKS)
def test_one_hook_alone(session, echo_server, hook):
    """Go: TestTransportEventTrace_NoHooks. A trace may define any one hook and no other."""
    seen = []
    alone = type("Alone", (ClientTrace,), {hook: lambda self, info: seen.append(info)})
    everything = Awaited()

    ask(session, echo_server.url, everything)
    session.close()
    response = ask(session, echo_server.url, alone())

    assert response.status_code == 200
    assert len(seen) == everything.count(hook)


def test_tls_verify(trusting, journal, start, server_context, resolver):
    """Go: TestTransportEventTraceTLSVerify. A certificate of another name ends it before a byte."""
    resolver[FAKED] = ["127.0.0.1"]
    server = start(servers.serve(servers.echo, tls=server_context("example.com")))

    with pytest.raises(requests.exceptions.SSLError):
        ask(trusting, f"https://{FAKED}:{server.port}/", journal)

    assert journal.one("tls_handshake_start").server_name == FAKED
    done = journal.one("tls_handshake_done")
    assert isinstance(done.error, ssl.SSLCertVerificationError)
    assert f"certificate is not valid for '{FAKED}'" in str(done.error)
    # Go's state is all zero here; that which says what went wrong is not.
    assert (done.state.alt_names, done.state.verified) == (("example.com",), False)
    assert "got_conn" not in journal.hooks
    assert not any(hook.startswith("wrote_") for hook, _ in journal.entries)
    assert server.requests == []


def test_real_dns(session, journal):
    """Go: TestTransportEventTraceRealDNS. A name without address ends with ``dns_done``."""
    with pytest.raises(requests.ConnectionError):
        ask(session, "http://dns-should-not-resolve.invalid:80/", journal)

    assert journal.one("dns_start").host == "dns-should-not-resolve.invalid"
    done = journal.one("dns_done")
    assert (done.host, done.addrs) == ("dns-should-not-resolve.invalid", ())
    assert isinstance(done.error, socket.gaierror)
    assert "connect_start" not in journal.hooks
    assert (journal.one("failed").phase, journal.one("failed").sent) == ("dns", False)


def test_tls_handshake_trace(trusting, journal, start, server_context):
    """Go: TestTLSHandshakeTrace. A handshake that goes well is told with what it agreed on."""
    server = start(servers.serve(servers.echo, tls=server_context("127.0.0.1")))

    ask(trusting, server.url, journal)

    assert journal.one("tls_handshake_start").server_name == "127.0.0.1"
    done = journal.one("tls_handshake_done")
    assert (done.error, done.proxy, done.state.verified) == (None, False, True)
    assert done.state.version == "TLSv1.3"
    assert journal.count("got_conn") == 1
