"""What a trace holds of requests that go well: plain, TLS, reused, redirected, proxied, streamed."""

from __future__ import annotations

import itertools
import re
from ssl import TLSVersion

import pytest
import requests
import servers
from journal import Journal

UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")


def test_a_plain_get_is_told_in_gos_order(client, echo_server, resolver):
    """A new http connection calls the hooks in the order of Go's httptrace."""
    resolver["api.test"] = ["127.0.0.1"]
    journal = Journal()

    response = client.get(f"http://api.test:{echo_server.port}/x", trace=journal)

    assert response.json()["target"] == "/x"
    assert journal.hooks == [
        "attempt_start",
        "exchange_start",
        "get_conn",
        "dns_start",
        "dns_done",
        "connect_start",
        "connect_done",
        "got_conn",
        "wrote_headers",
        "wrote_request",
        "got_first_response_byte",
        "response_head",
        "put_idle_conn",
        "body_done",
        "attempt_done",
    ]


def test_a_trace_holds_addresses_phases_and_times(client, echo_server, resolver):
    """The trace of a plain GET names host, addresses, connection, sizes, phases and UTC times."""
    resolver["api.test"] = ["127.0.0.1"]

    trace = client.get(f"http://api.test:{echo_server.port}/x?q=1", trace_id="t-1").trace

    assert (trace.trace_id, trace.outcome, trace.verdict_culprit) == ("t-1", "ok", "none")
    assert (trace.server_address, trace.server_port) == ("api.test", echo_server.port)
    assert trace.url_full == f"http://api.test:{echo_server.port}/x?q=REDACTED"
    assert (trace.network_peer_address, trace.network_peer_port) == ("127.0.0.1", echo_server.port)
    exchange = trace.attempts[0].exchanges[0]
    assert (exchange.dns.host, exchange.dns.addrs) == ("api.test", ("127.0.0.1",))
    assert [connect.addr for connect in exchange.connects] == [f"127.0.0.1:{echo_server.port}"]
    assert exchange.connection.reused is False
    assert exchange.connection.remote == f"127.0.0.1:{echo_server.port}"
    assert exchange.connection.returned is True
    assert exchange.bytes_sent > 100
    assert exchange.bytes_received > 100
    assert exchange.body_complete is True
    assert trace.tls_ms is None
    assert min(trace.dns_ms, trace.connect_ms, trace.send_ms, trace.wait_ms, trace.receive_ms) >= 0
    assert all(UTC.fullmatch(event.at) for event in exchange.events)
    assert [event.at for event in exchange.events] == sorted(event.at for event in exchange.events)


def test_a_literal_address_is_not_looked_up(client, echo_server):
    """A literal address has no DNS phase: what did not happen is absent, not 0."""
    trace = client.get(echo_server.url).trace

    assert trace.dns_ms is None
    assert trace.attempts[0].exchanges[0].dns is None


def test_a_second_request_shows_the_reused_connection(client, echo_server):
    """A kept-alive connection is shown with its idle time, its age and its number of uses."""
    first = client.get(echo_server.url).trace.attempts[0].exchanges[0].connection

    trace = client.get(echo_server.url).trace

    again = trace.attempts[0].exchanges[0].connection
    assert trace.conn_reused is True
    assert (again.reused, again.uses, again.id) == (True, 1, first.id)
    assert again.idle_ms > 0
    assert again.age_ms >= again.idle_ms
    assert (trace.dns_ms, trace.connect_ms) == (None, None)


def test_a_connection_that_died_in_the_pool_is_told(client, start):
    """A pooled connection that the server closed is discarded, said so, and replaced."""
    server = start(servers.ScriptedServer(lambda peer: (peer.read_request(), peer.answer())))
    client.get(server.url)
    server.wait_until(lambda: server.open_connections == 0)

    trace = client.get(server.url).trace

    connection = trace.attempts[0].exchanges[0].connection
    assert (connection.reused, connection.stale_discarded) == (False, 1)
    assert trace.attempt_count == 1


def test_tls_is_shown_with_its_certificate(make_client, start, server_context, ca_file):
    """An https request shows version, cipher, ALPN, the certificate's subject and its expiry."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost")))
    journal = Journal()

    trace = (
        make_client(verify=ca_file).get(f"https://localhost:{server.port}/", trace=journal).trace
    )

    (tls,) = trace.attempts[0].exchanges[0].tls
    assert (tls.server_name, tls.version) == ("localhost", "TLSv1.3")
    assert tls.cipher.startswith("TLS_")
    assert "trustme" in tls.subject
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", tls.not_after)
    assert tls.alt_names == ("localhost",)
    assert trace.tls_ms > 0
    assert trace.tls_protocol_version == "TLSv1.3"
    hooks = journal.hooks
    assert hooks.index("connect_done") < hooks.index("tls_handshake_start")
    assert hooks.index("tls_handshake_done") < hooks.index("got_conn")


def test_each_hop_of_a_redirect_is_an_exchange(client, echo_server):
    """Redirects are exchanges of one attempt, each with its own status and connection."""
    response = client.get(f"{echo_server.url}/redirect-chain/2")

    (attempt,) = response.trace.attempts
    assert [exchange.status for exchange in attempt.exchanges] == [302, 302, 200]
    assert response.trace.redirect_count == 2
    assert [r.status_code for r in response.history] == [302, 302]


def test_a_redirect_that_is_not_followed_is_one_exchange(client, echo_server):
    """With ``allow_redirects=False`` no redirect is told of, because none is followed."""
    journal = Journal()

    response = client.get(
        f"{echo_server.url}/redirect-chain/2", allow_redirects=False, trace=journal
    )

    assert response.status_code == 302
    assert "redirected" not in journal.hooks
    assert response.trace.redirect_count == 0


def test_head_follows_no_redirect_unless_asked(client, echo_server):
    """HEAD does what requests' ``head`` does, through ``do`` too."""
    request = requests.Request("HEAD", f"{echo_server.url}/redirect-chain/1")

    assert client.do(request).status_code == 302
    assert client.do(request, allow_redirects=True).status_code == 200


def test_a_forward_proxy_is_shown(make_client, echo_server, start):
    """Plain http through a proxy shows the proxy without its password, and no CONNECT."""
    proxy = start(servers.forward_proxy(credentials=("user", "s3cret")))
    url = proxy.url.replace("http://", "http://user:s3cret@")

    trace = make_client(proxies={"http": url}).get(echo_server.url).trace

    exchange = trace.attempts[0].exchanges[0]
    assert exchange.status == 200
    assert exchange.proxy.url == proxy.url.replace("http://", "http://REDACTED@")
    assert exchange.proxy.target is None
    assert exchange.connection.remote == proxy.host_port
    assert trace.proxy_ms is None


def test_connect_is_a_phase_of_its_own(make_client, start, server_context, ca_file):
    """https through a proxy shows CONNECT with its target, its status and its time."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost")))
    proxy = start(servers.forward_proxy(connect_delay=0.8))

    client = make_client(verify=ca_file, proxies={"https": proxy.url})
    trace = client.get(f"https://localhost:{server.port}/").trace

    exchange = trace.attempts[0].exchanges[0]
    assert (exchange.proxy.target, exchange.proxy.status) == (f"localhost:{server.port}", 200)
    assert trace.proxy_ms >= 750
    assert trace.tls_ms < 750
    assert exchange.tls[0].server_name == "localhost"


def test_an_https_proxy_shows_both_handshakes(make_client, start, server_context, ca_file):
    """Through an https proxy there are two handshakes, told apart."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost")))
    proxy = start(servers.forward_proxy(tls=server_context("127.0.0.1")))

    client = make_client(verify=ca_file, proxies={"https": proxy.url})
    trace = client.get(f"https://localhost:{server.port}/").trace

    handshakes = trace.attempts[0].exchanges[0].tls
    assert [(tls.proxy, tls.server_name) for tls in handshakes] == [
        (True, "127.0.0.1"),
        (False, "localhost"),
    ]
    assert all(tls.version == "TLSv1.3" for tls in handshakes)


def test_a_streamed_body_is_in_the_trace(client, collected, echo_server):
    """A streamed answer's line is written when its body has been read, and not before."""
    response = client.get(f"{echo_server.url}/bytes/100000", stream=True)
    assert (collected.results, response.trace) == ([], None)

    assert len(b"".join(response.iter_content(8192))) == 100000

    assert collected.one is response.trace
    exchange = response.trace.attempts[0].exchanges[0]
    assert exchange.body_complete is True
    assert exchange.bytes_received > 100000


def test_a_streamed_chunked_body_is_complete_at_its_last_chunk(client, echo_server):
    """The end of a chunked body is recognised, and its connection reused."""
    response = client.get(f"{echo_server.url}/chunked/5", stream=True)
    list(response.iter_content(None))

    assert response.trace.attempts[0].exchanges[0].body_complete is True
    assert client.get(echo_server.url).trace.conn_reused is True


def test_a_streamed_body_closed_early_is_said_to_be(client, collected, echo_server):
    """Closing a streamed answer early ends its trace; the body was not complete, and no fault."""
    with client.get(f"{echo_server.url}/bytes/5000000", stream=True) as response:
        next(response.iter_content(1000))

    exchange = collected.one.attempts[0].exchanges[0]
    assert exchange.body_complete is False
    assert exchange.connection.not_returned == "the body was not read to its end"
    assert collected.one.outcome == "ok"
    assert exchange.error is None


@pytest.mark.parametrize("path", ["/status/204", "/gzip", "/chunked/3", "/close"])
def test_every_framing_ends_complete(client, echo_server, path):
    """Empty, compressed, chunked and close-delimited bodies are all known to be complete."""
    trace = client.get(f"{echo_server.url}{path}").trace

    assert trace.attempts[0].exchanges[0].body_complete is True
    assert trace.outcome == "ok"


def test_a_connection_that_is_to_be_closed_is_not_returned(client, echo_server):
    """After ``Connection: close`` nothing goes to the pool, and nothing says that it did."""
    journal = Journal()

    trace = client.get(f"{echo_server.url}/close", trace=journal).trace

    assert "put_idle_conn" not in journal.hooks
    connection = trace.attempts[0].exchanges[0].connection
    assert connection.returned is False
    assert connection.not_returned == "one side asked for it to be closed"


def test_a_full_pool_says_why_a_connection_was_not_kept(make_client, echo_server):
    """The connection that finds its pool full is reported as not returned, with the reason."""
    client = make_client(pool_maxsize=1)
    with client.get(f"{echo_server.url}/bytes/100000", stream=True) as held:
        client.get(echo_server.url)
        held.content  # noqa: B018 - reading it returns its connection to a pool that is full

    assert held.trace.attempts[0].exchanges[0].connection.not_returned == "the pool is full"


def test_a_trace_is_attached_to_a_debug_off_call_only_when_asked(make_client, echo_server):
    """With debug off there is no trace; the caller's own hooks are called all the same."""
    client = make_client(debug=False)
    journal = Journal()

    response = client.get(echo_server.url, trace=journal)

    assert response.trace is None
    assert "got_conn" in journal.hooks
    assert client.get(echo_server.url, debug=True).trace is not None


def test_the_certificate_of_an_unverified_server_is_marked(make_client, start, server_context):
    """With ``verify=False`` the certificate is shown, and said not to have been checked."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost")))

    with pytest.warns(Warning, match="Unverified HTTPS request"):
        trace = make_client(verify=False).get(f"https://localhost:{server.port}/").trace

    (tls,) = trace.attempts[0].exchanges[0].tls
    assert (tls.version, tls.verified) == ("TLSv1.3", False)
    assert "trustme" in tls.subject


def test_a_certificate_seen_before_is_shown_as_the_first_time(
    make_client, start, server_context, ca_file
):
    """Every handshake shows the certificate in full, and whether this one checked it."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost")))
    url = f"https://localhost:{server.port}/close"
    checking, trusting = make_client(verify=ca_file), make_client(verify=False)

    told = [checking.get(url).trace for _ in range(2)]
    with pytest.warns(Warning, match="Unverified HTTPS request"):
        told.append(trusting.get(url).trace)
    told.append(checking.get(url).trace)

    shown = [trace.attempts[0].exchanges[0].tls[0] for trace in told]
    assert [tls.verified for tls in shown] == [True, True, False, True]
    assert len({(t.subject, t.issuer, t.not_after, t.alt_names) for t in shown}) == 1
    assert shown[0].alt_names == ("localhost",)


def test_what_a_known_peer_agrees_on_anew_is_shown(make_client, start, server_context, ca_file):
    """Of a certificate that was met before, version and cipher are those of this handshake."""
    context = server_context("localhost")
    server = start(servers.serve(servers.echo, tls=context))
    url, client = f"https://localhost:{server.port}/close", make_client(verify=ca_file)

    told = []
    for version in (TLSVersion.TLSv1_3, TLSVersion.TLSv1_2, TLSVersion.TLSv1_3):
        context.maximum_version = version
        told += client.get(url).trace.attempts[0].exchanges[0].tls

    assert [tls.version for tls in told] == ["TLSv1.3", "TLSv1.2", "TLSv1.3"]
    assert told[0].cipher == told[2].cipher != told[1].cipher
    assert {tls.verified for tls in told} == {True}


def test_a_client_certificate_is_shown_to_the_server(
    make_client, start, mutual_context, ca_file, client_certificate
):
    """``cert=`` reaches the handshake although the context is made once and shared."""
    server = start(servers.serve(servers.echo, tls=mutual_context("localhost")))
    client = make_client(verify=ca_file, cert=client_certificate)

    for _ in range(2):
        assert client.get(f"https://localhost:{server.port}/close").status_code == 200


def test_a_slow_reader_of_a_body_is_not_the_networks_fault(client, start):
    """The time in which nobody reads a streamed body is in no phase: the body was there."""
    import time

    server = start(servers.serve(servers.echo))
    response = client.get(f"{server.url}/bytes/3000000", stream=True)
    chunks = response.iter_content(100_000)
    next(chunks)
    time.sleep(0.3)
    list(chunks)

    ms = response.trace.attempts[0].exchanges[0].ms
    assert ms.receive < 250
    assert ms.unaccounted >= 290


@pytest.mark.parametrize("taken", [1, 100])
def test_reads_are_counted_whether_or_not_somebody_hears_of_each(client, echo_server, taken):
    """A record counts the same bytes of a streamed body when another trace is told of every read."""
    request, counted = requests.Request("GET", f"{echo_server.url}/bytes/1000000"), []
    for journal in (None, Journal()):
        with client.do(request, stream=True, trace=journal) as response:
            size = sum(map(len, itertools.islice(response.iter_content(100_000), taken)))
        exchange = response.trace.attempts[0].exchanges[0]
        assert exchange.bytes_received >= size > 0
        assert exchange.reads > 0
        counted.append((size, exchange.body_complete))

    assert counted == [(min(taken * 100_000, 1_000_000), taken == 100)] * 2
    told = sum(read.size for read in journal.all("body_read"))
    assert exchange.bytes_received == told + journal.one("response_head").bytes_read


def test_leaving_a_chunked_body_early_is_no_failure(client, collected, echo_server):
    """A reader that stops in the middle of a chunked body has not been failed by anybody."""
    with client.get(f"{echo_server.url}/chunked/50", stream=True) as response:
        for _ in response.iter_content(1):
            break

    assert collected.one.outcome == "ok"
    assert collected.one.attempts[0].exchanges[0].body_complete is False
