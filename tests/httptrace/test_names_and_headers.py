"""Names and header fields as they go on the wire."""

from __future__ import annotations

import pytest
import servers

from httptrace.watching import ask

GOPHER = "гофер.го"  # noqa: RUF001 - it is Cyrillic, and means to be
PUNYCODE = "xn--c1ae0ajs.xn--c1aw"


@pytest.mark.parametrize("by_request", [False, True])
@pytest.mark.parametrize("by_session", [False, True])
def test_respect_request_wants_close(session, journal, echo_server, by_session, by_request):
    """Go: TestTransportRespectRequestWantsClose. ``Connection: close`` is written once if either
    the session or the request wants it, and not otherwise."""
    if by_session:
        session.headers["Connection"] = "close"
    headers = {"Connection": "close"} if by_request else {}

    ask(session, echo_server.url, journal, headers=headers)

    wants_close = by_session or by_request
    assert (journal.fields()["connection"] == ("close",)) is wants_close
    assert echo_server.requests[0].wants_close is wants_close


def test_a_connection_that_we_announced_to_close_is_not_kept(session, journal, echo_server):
    """Go: PutIdleConn is not called when either side said ``Connection: close``, and we sent it
    (RFC 9112 §9.6: no further request on that connection)."""
    ask(session, echo_server.url, journal, headers={"Connection": "close"})

    assert "put_idle_conn" not in journal.hooks


def test_idna(session, journal, echo_server, resolver):
    """Go: TestTransportIDNA. Pool, lookup and Host header have the name in its ASCII form."""
    resolver[PUNYCODE] = ["127.0.0.1"]

    ask(session, f"http://{GOPHER}:{echo_server.port}/", journal)

    host_port = f"{PUNYCODE}:{echo_server.port}"
    assert journal.one("get_conn").host_port == host_port
    assert journal.one("dns_start").host == journal.one("dns_done").host == PUNYCODE
    assert journal.fields()["host"] == (host_port,)
    assert echo_server.requests[0].headers.get("Host") == host_port


def test_idna_https(trusting, journal, start, server_context, resolver):
    """Go: TestTransportIDNA. The name sent in the handshake is the ASCII one, and is told."""
    resolver[PUNYCODE] = ["127.0.0.1"]
    context, names = server_context(PUNYCODE), []
    context.sni_callback = lambda _, name, __: names.append(name)
    server = start(servers.serve(servers.echo, tls=context))

    ask(trusting, f"https://{GOPHER}:{server.port}/", journal)

    assert names == [PUNYCODE]
    assert journal.one("tls_handshake_start").server_name == PUNYCODE
    assert journal.one("tls_handshake_done").state.alt_names == (PUNYCODE,)


@pytest.mark.parametrize(
    ("url", "network"), [("http://localhost:{}/", "dns"), ("http://127.0.0.1:{}/", "literal")]
)
def test_a_literal_address_is_not_looked_up(session, journal, echo_server, url, network):
    """Go: DNSStart is not called for a literal address, and is for a name of the hosts file."""
    ask(session, url.format(echo_server.port), journal)

    assert journal.count("dns_start") == journal.count("dns_done") == (network == "dns")


def test_a_literal_ipv6_address(session, journal, start):
    """Go: DNSStart. A literal IPv6 address is in brackets wherever a port follows."""
    try:
        server = start(servers.serve(servers.echo, host="::1"))
    except OSError:
        pytest.skip("this machine has no IPv6 loopback")

    ask(session, server.url, journal)

    assert journal.count("dns_start") == 0
    assert journal.one("get_conn").host_port == journal.one("connect_start").addr
    assert journal.one("got_conn").remote == f"[::1]:{server.port}"
