"""The proxy, driven by plain clients."""

from __future__ import annotations

import time

import pytest
import requests
from servers import (
    ScriptedServer,
    connect,
    echo,
    forward_proxy,
    hanging_server,
    refused_port,
    serve,
)


def test_the_proxy_forwards(plain_session, echo_server):
    """An http request goes through in absolute form, and the proxy connection is kept."""
    with forward_proxy(hosts={"origin.test": "127.0.0.1"}) as proxy:
        plain_session.proxies = {"http": proxy.url}
        url = f"http://origin.test:{echo_server.port}"
        said = plain_session.post(url + "/a?b", data=iter([b"x", b"y"]), timeout=5).json()
        assert plain_session.get(url + "/chunked/2", timeout=5).content == b"chunk 0\nchunk 1\n"
        assert plain_session.head(url + "/bytes/9", timeout=5).headers["Content-Length"] == "9"
        assert plain_session.get(url + "/status/204", timeout=5).status_code == 204
        assert plain_session.get(url + "/gzip", timeout=5).json()["target"] == "/gzip"
    assert [r.target for r in proxy.requests][:2] == [url + "/a?b", url + "/chunked/2"]
    assert (said["target"], said["body"]) == ("/a?b", "xy")
    assert ["Via", "1.1 forward-proxy"] in said["headers"]
    assert proxy.connections == 1


@pytest.mark.parametrize("proxy_speaks_tls", [False, True], ids=["http-proxy", "https-proxy"])
def test_the_proxy_tunnels_tls(plain_session, server_context, ca_file, proxy_speaks_tls):
    """CONNECT gives an end-to-end TLS connection, which is kept, whatever the proxy speaks."""
    plain_session.verify = ca_file
    own_tls = server_context("127.0.0.1") if proxy_speaks_tls else None
    origin = serve(echo, tls=server_context("localhost"))
    with origin, forward_proxy(tls=own_tls) as proxy:
        plain_session.proxies = {"https": proxy.url}
        url = f"https://localhost:{origin.port}"
        assert plain_session.get(url + "/bytes/3000000", timeout=10).content == b"x" * 3_000_000
        sent = "y" * 1_000_000
        assert plain_session.post(url, data=sent, timeout=10).json()["body"] == sent
        assert plain_session.get(url + "/close", timeout=5).ok
    assert [(r.method, r.target) for r in proxy.requests] == [
        ("CONNECT", f"localhost:{origin.port}")
    ]
    assert origin.connections == 1


def test_the_proxy_demands_credentials(plain_session, echo_server):
    """Without the right Basic credentials there is a 407, for CONNECT as well."""
    with forward_proxy(credentials=("user", "pass")) as proxy:
        plain_session.proxies = {"http": proxy.url, "https": proxy.url}
        refused = plain_session.get(echo_server.url, timeout=5)
        with pytest.raises(requests.exceptions.ProxyError, match="407"):
            plain_session.get(f"https://localhost:{echo_server.port}", timeout=5)
        plain_session.proxies = {"http": f"http://user:pass@{proxy.host_port}"}
        assert plain_session.get(echo_server.url, timeout=5).ok
    assert refused.status_code == 407
    assert refused.headers["Proxy-Authenticate"].startswith("Basic ")
    assert len(echo_server.journal) == 1
    assert echo_server.requests[0].headers.get("Proxy-Authorization") is None


def test_the_proxy_refuses_and_delays_connect():
    """CONNECT is answered with the status asked for, after the time asked for."""
    with forward_proxy(refuse_connect=502, connect_delay=0.05) as proxy, connect(proxy) as client:
        began = time.monotonic()
        client.sendall(b"CONNECT a.test:443 HTTP/1.1\r\n\r\n")
        assert client.recv(99).startswith(b"HTTP/1.1 502 Bad Gateway\r\n")
        assert time.monotonic() - began >= 0.05


def test_the_proxy_reports_an_origin_it_cannot_reach(plain_session):
    """A refused connection is a 502, for both ways of asking."""
    port = refused_port()
    with forward_proxy() as proxy:
        plain_session.proxies = {"http": proxy.url, "https": proxy.url}
        assert plain_session.get(f"http://127.0.0.1:{port}", timeout=5).status_code == 502
        with pytest.raises(requests.exceptions.ProxyError, match="502"):
            plain_session.get(f"https://127.0.0.1:{port}", timeout=5)


def test_the_proxy_does_not_hide_a_broken_answer(plain_session):
    """An origin that resets is a 502, and one that stops short stops short here too."""

    def stops_short(peer):
        peer.read_request()
        peer.answer(200, b"short", {"Content-Length": "99"})

    script = [lambda peer: peer.read_request() and peer.reset(), stops_short]
    with ScriptedServer(script) as origin, forward_proxy() as proxy:
        plain_session.proxies = {"http": proxy.url}
        assert plain_session.get(origin.url, timeout=5).status_code == 502
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
            plain_session.get(origin.url, timeout=5)


def test_a_reset_passes_through_the_tunnel():
    """An origin's RST arrives as ECONNRESET at the other end of the tunnel."""

    def handler(peer):
        peer.read_request()
        peer.reset()

    origin = ScriptedServer(handler)
    with origin, forward_proxy() as proxy, connect(proxy) as client:
        client.sendall(f"CONNECT {origin.host_port} HTTP/1.1\r\n\r\n".encode())
        assert client.recv(99).startswith(b"HTTP/1.1 200 ")
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_the_proxy_can_be_left_while_an_origin_is_silent(plain_session, open_descriptors):
    """A proxy that waits for an origin ends with its test and leaves nothing open."""
    descriptors = open_descriptors()
    with hanging_server() as origin:
        with forward_proxy() as proxy, pytest.raises(requests.ReadTimeout):
            plain_session.get(origin.url, proxies={"http": proxy.url}, timeout=0.1)
        with forward_proxy() as proxy, pytest.raises(requests.ReadTimeout):
            plain_session.get(
                f"https://{origin.host_port}", proxies={"https": proxy.url}, timeout=0.1
            )
    plain_session.close()
    assert open_descriptors() == descriptors
