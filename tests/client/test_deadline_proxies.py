"""The total timeout is total through proxies, too: TLS inside of TLS, a drip of the proxy's own."""

from __future__ import annotations

import threading

import pytest
from servers import ScriptedServer, echo, forward_proxy, serve
from servers.socks import SocksProxy, socks_proxy

from tracedclient import DeadlineExceeded, Timeout

SHORT = Timeout(connect=2, read=2, total=0.7)


def dripping(begins, piece):
    """A handler that goes on for some ten times as long as a call may take."""

    def handle(peer):
        begins(peer)
        for _ in range(70):
            peer.send(piece)
            peer.sleep(0.1)

    return handle


def answer(prefix):
    def begins(peer):
        peer.read_request()
        peer.send(prefix)

    return begins


def a_handshake(peer):
    peer.socket.recv(65536)
    peer.send(b"\x16\x03\x03\x40\x00")


DRIPS = {
    "head": (dripping(answer(b"HTTP/1.1 200 OK\r\n"), b"X: y\r\n"), True),
    "body": (dripping(answer(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"), b"x"), True),
    "handshake": (dripping(a_handshake, b"\x02"), False),
}


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("case", DRIPS)
@pytest.mark.parametrize("secure", [False, True])
def test_a_drip_through_a_tunnel_ends_with_the_deadline(
    make_client, start, server_context, ca_file, case, debug, secure
):
    """Through CONNECT of an https proxy as through that of an http proxy."""
    handler, speaks_tls = DRIPS[case]
    server = start(ScriptedServer(handler, tls=server_context("localhost") if speaks_tls else None))
    proxy = start(forward_proxy(tls=server_context("127.0.0.1") if secure else None))
    client = make_client(timeout=SHORT, verify=ca_file, proxies={"https": proxy.url})

    with pytest.raises(DeadlineExceeded):
        client.get(f"https://localhost:{server.port}/", debug=debug)


@pytest.mark.parametrize("secure", [False, True])
def test_a_proxy_that_drips_ends_with_the_deadline(
    make_client, start, server_context, ca_file, secure
):
    """Its answer to CONNECT is waited for no longer than any other."""
    handler, _ = DRIPS["head"]
    proxy = start(ScriptedServer(handler, tls=server_context("127.0.0.1") if secure else None))
    client = make_client(timeout=SHORT, verify=ca_file, proxies={"https": proxy.url})

    with pytest.raises(DeadlineExceeded):
        client.get("https://localhost:9/")


def test_a_tunnel_takes_no_deadline_with_it(make_client, start, server_context, ca_file):
    """A connection through an https proxy serves the next call for as long as that one may take."""
    server = start(serve(echo, tls=server_context("localhost")))
    proxy = start(forward_proxy(tls=server_context("127.0.0.1")))
    first = Timeout(connect=2, read=2, total=2)
    client = make_client(timeout=first, verify=ca_file, proxies={"https": proxy.url})
    url = f"https://localhost:{server.port}/slow?ms="

    assert client.get(f"{url}0").status_code == 200
    assert client.get(f"{url}2200", timeout=Timeout(connect=9, read=9, total=30)).status_code == 200
    assert server.connections == 1


def a_negotiation(peer):
    peer.socket.recv(65536)
    peer.send(b"\x05\x00")
    peer.socket.recv(65536)
    # Bound to a name of 255 characters.
    peer.send(b"\x05\x00\x00\x03\xff")


def test_a_socks_proxy_that_drips_ends_with_the_deadline(make_client, start):
    """The negotiation with it is bounded as a whole, not each of its bytes."""
    proxy = start(ScriptedServer(dripping(a_negotiation, b"x")))
    client = make_client(timeout=SHORT, proxies={"http": f"socks5h://{proxy.host_port}"})

    with pytest.raises(DeadlineExceeded):
        client.get("http://localhost:9/")


def test_a_silent_nameserver_before_a_socks_proxy_ends_with_the_deadline(
    make_client, start, resolver
):
    """Where the name is looked up here, it is waited for no longer than without a proxy."""
    ended = threading.Event()
    resolver["silent.test"] = lambda: (ended.wait(7), ["127.0.0.1"])[1]
    proxy = start(socks_proxy(SocksProxy()))
    client = make_client(timeout=SHORT, proxies={"http": f"socks5://{proxy.host_port}"})

    with pytest.raises(DeadlineExceeded) as caught:
        client.get("http://silent.test/")
    assert caught.value.trace.error_phase == "dns"
    assert not proxy.connections
    ended.set()
