"""What a trace holds of requests that fail, wherever they fail."""

from __future__ import annotations

import sys
import threading
import time

import pytest
import requests
import servers
from journal import Journal

from tracedclient import CircuitBreaker, DeadlineExceeded, RetryPolicy, Timeout

ONCE = RetryPolicy(max_attempts=1)


@pytest.fixture
def once(make_client):
    return make_client(retry=ONCE)


def failure(client, url, kind=requests.ConnectionError, **kwargs):
    """The trace of a request that must fail with ``kind``."""
    with pytest.raises(kind) as caught:
        client.get(url, **kwargs)
    return caught.value.trace


def test_a_refused_connection_names_address_and_error(once):
    """A refused connection is the phase connect, with address and errno by name."""
    port = servers.refused_port()
    journal = Journal()

    trace = failure(once, f"http://127.0.0.1:{port}/", trace=journal)

    assert (trace.outcome, trace.error_phase) == ("connect_error", "connect")
    assert trace.verdict_culprit == "connect"
    assert f"127.0.0.1:{port}" in trace.verdict_sentence
    assert "ECONNREFUSED" in trace.verdict_sentence
    assert journal.hooks[-2:] == ["failed", "attempt_done"]
    assert journal.one("failed").sent is False
    assert "got_conn" not in journal.hooks


def test_every_address_tried_is_told(once, echo_server, resolver):
    """When the first address refuses and the second answers, both are in the trace."""
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]

    trace = once.get(f"http://two.test:{echo_server.port}/").trace

    exchange = trace.attempts[0].exchanges[0]
    assert exchange.dns.addrs == ("127.0.0.9", "127.0.0.1")
    assert [connect.addr for connect in exchange.connects] == [
        f"127.0.0.9:{echo_server.port}",
        f"127.0.0.1:{echo_server.port}",
    ]
    assert exchange.connects[0].error == "ECONNREFUSED: Connection refused"
    assert exchange.connects[1].error is None


def test_a_dead_first_address_costs_a_quarter_of_a_second(client, resolver, start):
    """When the first address does not answer, the second is tried after 250 ms; the trace says so."""
    from dialing import hole

    server = start(servers.serve(servers.echo))
    start(hole("127.0.0.9", server.port))
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]

    trace = client.get(f"http://two.test:{server.port}/").trace

    assert 240 <= trace.connect_ms < 3000
    dead, alive = trace.attempts[0].exchanges[0].connects
    assert dead.error.startswith("ECANCELED")
    assert (dead.addr, alive.error) == (f"127.0.0.9:{server.port}", None)


def test_addresses_can_be_tried_one_by_one(make_client, resolver, start):
    """``happy_eyeballs=False`` waits for each address's connect timeout; the verdict names the dead one."""
    from dialing import hole

    server = start(servers.serve(servers.echo))
    start(hole("127.0.0.9", server.port))
    resolver["two.test"] = ["127.0.0.9", "127.0.0.1"]
    client = make_client(happy_eyeballs=False, timeout=Timeout(connect=0.6, read=5, total=None))

    trace = client.get(f"http://two.test:{server.port}/").trace

    assert trace.connect_ms >= 590
    assert trace.verdict_culprit == "connect"
    assert f"127.0.0.9:{server.port} did not answer for" in trace.verdict_sentence


def test_a_family_can_be_chosen(make_client, echo_server, resolver):
    """``family=6`` asks for IPv6 only, and says when there is none."""
    resolver["four.test"] = ["127.0.0.1"]

    assert make_client(family=4).get(f"http://four.test:{echo_server.port}/").status_code == 200
    trace = failure(make_client(family=6, retry=ONCE), f"http://four.test:{echo_server.port}/")
    assert trace.error_phase == "dns"


def test_a_name_without_address_is_named_by_its_eai_code(once):
    """A DNS failure has the EAI name, and ends before any connection."""
    trace = failure(once, "http://nowhere.invalid/")

    assert (trace.outcome, trace.error_phase) == ("dns_error", "dns")
    assert trace.dns_err.startswith("EAI_")
    assert "nowhere.invalid" in trace.verdict_sentence
    assert trace.connect_ms is None
    assert trace.attempts[0].exchanges[0].dns.error == trace.dns_err


def test_a_certificate_nobody_trusts_is_named(once, start, server_context):
    """A refused certificate is the phase tls, in OpenSSL's words, and nothing was sent."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost"), expected=OSError))
    journal = Journal()

    trace = failure(
        once, f"https://localhost:{server.port}/", requests.exceptions.SSLError, trace=journal
    )

    assert (trace.outcome, trace.error_phase) == ("tls_error", "tls")
    assert "CERTIFICATE_VERIFY_FAILED" in trace.verdict_sentence
    assert journal.one("tls_handshake_done").error is not None
    (tls,) = trace.attempts[0].exchanges[0].tls
    assert tls.error.startswith("CERTIFICATE_VERIFY_FAILED")
    assert (tls.verified, tls.alt_names) == (False, ("localhost",))
    assert "trustme" in tls.issuer
    assert tls.not_after is not None
    assert trace.tls_ms > 0
    assert trace.send_ms is None


def test_a_certificate_of_another_name_is_named(make_client, start, server_context, ca_file):
    """A wrong host name is told with both names."""
    server = start(
        servers.serve(servers.echo, tls=server_context("wrong.example"), expected=OSError)
    )

    trace = failure(
        make_client(verify=ca_file),
        f"https://localhost:{server.port}/",
        requests.exceptions.SSLError,
    )

    assert "localhost" in trace.verdict_sentence
    assert "Hostname mismatch" in trace.verdict_sentence
    assert trace.attempt_count == 1


def test_plaintext_on_the_tls_port_is_a_tls_error(client, start):
    """https to a server that speaks http fails in tls and is not tried again."""
    server = start(
        servers.ScriptedServer(lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
    )

    trace = failure(client, f"https://127.0.0.1:{server.port}/", requests.exceptions.SSLError)

    assert trace.attempt_count == 1
    assert (trace.error_phase, trace.verdict_culprit) == ("tls", "tls")


def test_a_refused_tunnel_shows_the_proxys_status(make_client, start):
    """A proxy that refuses CONNECT is the culprit, with its status; the target was not reached."""
    proxy = start(servers.forward_proxy(refuse_connect=502))
    journal = Journal()

    trace = failure(
        make_client(retry=ONCE, proxies={"https": proxy.url}),
        "https://internal.example/",
        requests.exceptions.ProxyError,
        trace=journal,
    )

    assert (trace.outcome, trace.error_phase, trace.verdict_culprit) == (
        "proxy_error",
        "proxy",
        "proxy",
    )
    assert "502" in trace.verdict_sentence
    assert trace.attempts[0].exchanges[0].proxy.status == 502
    done = journal.one("proxy_connect_done")
    assert done.status == 502
    assert "content-length" in {name.lower() for name, _ in done.headers}
    assert trace.tls_ms is None


@pytest.mark.parametrize("argument", ["verify", "cert"])
def test_a_tls_file_that_is_not_there_is_final(make_client, argument):
    """A call whose CA bundle or certificate cannot be read sends nothing, is not repeated, and says
    which; its origin, which has not been asked, is not to be left alone for that.
    """
    client = make_client(breaker=CircuitBreaker(min_calls=1))
    for _ in range(3):
        with pytest.raises(requests.exceptions.SSLError) as caught:
            client.get("https://127.0.0.1:1/", **{argument: "/no/such.pem"})
        trace = caught.value.trace

        assert (trace.attempt_count, trace.error_phase) == (1, "prepare")
        assert (trace.outcome, trace.verdict_culprit) == ("invalid_request", "config")
        assert trace.verdict_sentence.startswith(
            f"nothing was sent: {argument}: '/no/such.pem' cannot be used: No such file or directory"
        )


def test_a_connect_timeout_is_told_with_its_address(make_client, black_hole):
    """An address that does not answer is the phase connect, and took the connect timeout."""
    host, port = black_hole
    client = make_client(retry=ONCE, timeout=Timeout(connect=0.2, read=5, total=None))

    trace = failure(client, f"http://{host}:{port}/", requests.ConnectTimeout)

    assert (trace.outcome, trace.error_phase) == ("timeout", "connect")
    assert 200 <= trace.connect_ms < 2000


def test_a_stalled_handshake_is_a_tls_timeout(make_client, start):
    """A peer that accepts and says nothing stalls the TLS handshake: phase tls, nothing sent."""
    server = start(servers.hanging_server())
    journal = Journal()
    client = make_client(retry=ONCE, timeout=Timeout(connect=0.2, read=5, total=None))

    trace = failure(client, f"https://127.0.0.1:{server.port}/", requests.Timeout, trace=journal)

    assert (trace.outcome, trace.error_phase) == ("timeout", "tls")
    assert trace.tls_ms >= 190
    assert journal.one("failed").sent is False


def test_a_read_timeout_is_the_servers(make_client, start):
    """A server that takes the request and does not answer is to blame, after the time waited."""
    server = start(servers.hanging_server())
    journal = Journal()
    client = make_client(retry=ONCE, timeout=Timeout(connect=1, read=0.2, total=None))

    trace = failure(client, server.url, requests.ReadTimeout, trace=journal)

    assert (trace.outcome, trace.error_phase, trace.verdict_culprit) == (
        "timeout",
        "wait",
        "server",
    )
    assert trace.wait_ms >= 190
    assert journal.one("failed").sent is True


def test_a_body_that_stalls_is_a_timeout_in_receive(make_client, start):
    """A body that stops half way is the phase receive, with the bytes that came."""

    def half(peer):
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 50)
        peer.drain()

    server = start(servers.ScriptedServer(half))
    client = make_client(retry=ONCE, timeout=Timeout(connect=1, read=0.2, total=None))

    trace = failure(client, server.url, requests.ConnectionError)

    assert (trace.error_phase, trace.verdict_culprit) == ("receive", "body")
    assert trace.attempts[0].exchanges[0].error.phase == "receive"


def test_an_upload_that_nobody_reads_is_the_phase_send(make_client, start):
    """A peer that stops reading while a body is uploaded fails in send, with the bytes sent."""
    gone = threading.Event()

    def never_read(peer):
        gone.wait(10)

    server = start(servers.ScriptedServer(never_read))
    client = make_client(retry=ONCE, timeout=Timeout(connect=0.3, read=0.3, total=None))
    try:
        with pytest.raises(requests.ConnectionError) as caught:
            client.put(server.url, data=b"x" * 30_000_000)
    finally:
        gone.set()

    trace = caught.value.trace
    assert (trace.error_phase, trace.verdict_culprit) == ("send", "send")
    assert trace.wait_ms is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "before the body did"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "before the body did"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab", "invalid chunk"),
    ],
)
def test_a_body_cut_off_is_told(once, start, answer, words):
    """A short body, a cut chunk and a bad chunk length each fail in receive, in words."""

    def cut(peer):
        peer.read_request()
        peer.send(answer)

    server = start(servers.ScriptedServer(cut))
    journal = Journal()

    trace = failure(once, server.url, requests.exceptions.RequestException, trace=journal)

    assert (trace.error_phase, trace.verdict_culprit) == ("receive", "body")
    assert words in trace.error_message
    assert [info.phase for info in journal.all("failed")] == ["receive"]
    assert journal.all("body_done") == []


def test_a_peer_that_speaks_no_http_is_told(once, start):
    """Garbage instead of a status line is the server's fault; what it sent is not repeated."""

    def garbage(peer):
        peer.read_request()
        peer.send(b"SSH-2.0-secret-banner\r\n")

    trace = failure(once, start(servers.ScriptedServer(garbage)).url)

    assert (trace.error_phase, trace.verdict_culprit) == ("wait", "server")
    assert "no HTTP status line" in trace.verdict_sentence


def test_an_end_without_an_answer_is_told(once, start):
    """A server that closes instead of answering is told so; the request had been sent."""
    server = start(servers.ScriptedServer(lambda peer: peer.read_request()))

    trace = failure(once, server.url)

    assert (trace.error_phase, trace.verdict_culprit) == ("wait", "server")
    assert "Remote end closed connection without response" in trace.verdict_sentence


def test_a_redirect_loop_is_told(client, start):
    """Too many redirects are no network failure: no retry, all exchanges in the trace."""
    server = start(servers.serve(lambda request: (302, [("Location", "/again")], b"")))
    client.session.max_redirects = 4

    trace = failure(client, server.url, requests.TooManyRedirects)

    assert (trace.outcome, trace.error_phase, trace.attempt_count) == (
        "too_many_redirects",
        "redirect",
        1,
    )
    assert trace.redirect_count == 4


def test_the_total_timeout_ends_the_call(make_client, start):
    """The total timeout bounds attempts and sleeps together, and says that it was the one."""
    server = start(servers.hanging_server())
    client = make_client(timeout=Timeout(connect=1, read=0.8, total=1.5))
    began = time.monotonic()

    with pytest.raises(DeadlineExceeded, match=r"1\.5 s has passed") as caught:
        client.get(server.url)

    assert 1.4 <= time.monotonic() - began < 5
    assert caught.value.trace.verdict_culprit == "deadline"
    assert caught.value.trace.attempt_count == 2


def test_an_interrupt_passes_untouched_and_is_traced(make_client, collected, start):
    """A KeyboardInterrupt in the middle of a request is raised as it is, with its trace."""

    def interrupt(response, **_):
        response.close()
        raise KeyboardInterrupt

    server = start(servers.serve(servers.echo))
    client = make_client()
    with pytest.raises(KeyboardInterrupt):
        client.get(server.url, hooks={"response": interrupt})

    assert collected.one.outcome == "cancelled"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="notes came with Python 3.11")
def test_an_error_says_its_trace_id_and_verdict_in_a_traceback(once):
    """The trace id and the verdict stand below the exception's own text."""
    with pytest.raises(requests.ConnectionError) as caught:
        once.get("http://nowhere.invalid/", trace_id="t-9")

    (note,) = caught.value.__notes__
    assert note.startswith("trace_id=t-9: dns: DNS gave no address for nowhere.invalid")


def test_a_reset_names_itself(once, start):
    """A connection reset instead of an answer is told as ECONNRESET."""

    def reset(peer):
        peer.read_request()
        peer.reset()

    trace = failure(once, start(servers.ScriptedServer(reset)).url)

    assert "ECONNRESET" in trace.error_message


def test_a_client_certificate_that_is_missing_is_a_tls_error(
    make_client, start, mutual_context, ca_file
):
    """A server that demands a certificate refuses after the handshake, while the request is sent.

    Its alert makes that the phase tls. When its reset overtakes the alert, all that is known is that
    sending broke off.
    """
    server = start(servers.serve(servers.echo, tls=mutual_context("localhost"), expected=OSError))

    trace = failure(make_client(verify=ca_file), f"https://localhost:{server.port}/")

    known = (trace.error_phase, trace.verdict_culprit)
    if "CERTIFICATE_REQUIRED" in trace.error_message:
        assert known == ("tls", "tls")
    else:
        assert trace.error_phase in {"send", "wait"}


def test_an_error_that_has_no_text_does_not_lose_the_trace(client, collected, echo_server):
    """What was done until an error came up whose text is itself an error is in the trace all the same."""

    class Mute(OSError):
        def __str__(self):
            raise RuntimeError

    def body():
        yield b"x"
        raise Mute

    with pytest.raises(Exception):  # noqa: B017 - requests' own texts are made of it
        client.post(echo_server.url, data=body())

    (exchange,) = collected.one.attempts[0].exchanges
    assert (exchange.error.type, exchange.error.message) == ("Mute", None)
    assert exchange.connection is not None
