"""Proxies: CONNECT, which Go's hooks pass over, and plain http."""

from __future__ import annotations

import pytest
import servers

from httptrace.watching import ask, fails, phase_and_sent


def test_connect_ok(trusting, journal, start, server_context):
    """Go: TestOnProxyConnectResponse. CONNECT is told with its target and the proxy's status,
    between the proxy's address and the target's handshake."""
    server = start(servers.serve(servers.echo, tls=server_context("127.0.0.1")))
    proxy = start(servers.forward_proxy())

    ask(trusting, server.url, journal, proxies={"https": proxy.url})

    assert journal.one("get_conn").host_port == proxy.host_port
    assert journal.one("connect_start").addr == proxy.host_port
    assert journal.one("proxy_connect_start").target == server.host_port
    done = journal.one("proxy_connect_done")
    assert (done.target, done.status, done.error) == (server.host_port, 200, None)
    assert journal.one("tls_handshake_start").server_name == "127.0.0.1"
    assert journal.one("got_conn").remote == proxy.host_port
    assert journal.fields()["host"] == (server.host_port,)


@pytest.mark.parametrize("status", [407, 403, 502])
def test_connect_refused(session, journal, start, status):
    """Go: TestOnProxyConnectResponse. A refused CONNECT has the proxy's status; the target was never
    spoken to, and nothing of the request was sent."""
    proxy = start(servers.forward_proxy(refuse_connect=status))

    fails(session, "https://internal.test/", journal, proxies={"https": proxy.url})

    done = journal.one("proxy_connect_done")
    assert (done.target, done.status) == ("internal.test:443", status)
    assert done.error is not None
    assert phase_and_sent(journal) == ("proxy", False)
    assert not {"tls_handshake_start", "got_conn"} & set(journal.hooks)


def test_connect_stalled(session, journal, start):
    """Beyond Go, where this is a silence: a proxy that never answers CONNECT is told as such."""
    proxy = start(servers.hanging_server())

    fails(session, "https://internal.test/", journal, proxies={"https": proxy.url}, timeout=0.1)

    done = journal.one("proxy_connect_done")
    assert done.status is None
    assert isinstance(done.error, TimeoutError)
    assert phase_and_sent(journal) == ("proxy", False)


def test_connect_passwords_go_to_the_proxy_only(trusting, journal, start, server_context):
    """Go tells Proxy-Authorization as a header of the request. It is one of CONNECT's, and told by
    no hook."""
    server = start(servers.serve(servers.echo, tls=server_context("127.0.0.1")))
    proxy = start(servers.forward_proxy(credentials=("user", "secret")))
    url = proxy.url.replace("http://", "http://user:secret@")

    ask(trusting, server.url, journal, proxies={"https": url})

    assert journal.one("proxy_connect_done").status == 200
    assert "proxy-authorization" not in journal.fields()
    assert server.requests[0].headers.get("Proxy-Authorization") is None


def test_a_plain_proxy_has_no_connect(session, journal, start, echo_server):
    """Go: through a proxy, http is asked for in absolute form on a connection to the proxy."""
    proxy = start(servers.forward_proxy())

    ask(session, f"{echo_server.url}/x", journal, proxies={"http": proxy.url})

    assert journal.one("get_conn").host_port == journal.one("got_conn").remote == proxy.host_port
    assert proxy.requests[0].target == f"{echo_server.url}/x"
    assert "proxy_connect_start" not in journal.hooks
