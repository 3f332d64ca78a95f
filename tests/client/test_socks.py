"""SOCKS proxies: every hook, who looks the name up, and each way in which they refuse."""

from __future__ import annotations

import subprocess
import sys

import pytest
import requests
import servers
from journal import Journal
from servers.socks import SocksProxy, socks_proxy

from tracedclient import RetryPolicy, Timeout


def through(server, scheme="socks5", login=""):
    return f"{scheme}://{login}{server.host_port}"


def test_socks_is_told_like_a_tunnel(make_client, start, echo_server, resolver):
    """Lookup, the proxy's address, the negotiation and the request all have their hooks."""
    resolver["api.test"] = ["127.0.0.1"]
    proxy = SocksProxy()
    server = start(socks_proxy(proxy))
    journal = Journal()

    client = make_client(proxies={"http": through(server)})
    trace = client.get(f"http://api.test:{echo_server.port}/", trace=journal).trace

    hooks = journal.hooks
    assert hooks[hooks.index("get_conn") : hooks.index("wrote_headers")] == [
        "get_conn",
        "dns_start",
        "dns_done",
        "connect_start",
        "connect_done",
        "proxy_connect_start",
        "proxy_connect_done",
        "got_conn",
    ]
    exchange = trace.attempts[0].exchanges[0]
    assert exchange.connects[0].addr == server.host_port
    assert exchange.proxy.target == f"api.test:{echo_server.port}"
    assert trace.proxy_ms > 0
    assert proxy.targets == [("127.0.0.1", echo_server.port)]


def test_socks5h_leaves_the_name_to_the_proxy(make_client, start, echo_server):
    """With ``socks5h`` the proxy gets the name, and no lookup of ours is told."""
    proxy = SocksProxy(hosts={"only.proxy": "127.0.0.1"})
    server = start(socks_proxy(proxy))

    client = make_client(proxies={"http": through(server, "socks5h")})
    trace = client.get(f"http://only.proxy:{echo_server.port}/").trace

    assert proxy.targets == [("only.proxy", echo_server.port)]
    assert trace.dns_ms is None


def test_tls_through_socks(make_client, start, server_context, ca_file):
    """https through SOCKS has its handshake with the target, checked and timed."""
    target = start(servers.serve(servers.echo, tls=server_context("localhost")))
    server = start(socks_proxy(SocksProxy()))

    client = make_client(verify=ca_file, proxies={"https": through(server)})
    trace = client.get(f"https://localhost:{target.port}/").trace

    (tls,) = trace.attempts[0].exchanges[0].tls
    assert (tls.server_name, tls.verified, tls.proxy) == ("localhost", True, False)
    assert client.get(f"https://localhost:{target.port}/").trace.conn_reused is True


def test_a_password_is_used_and_not_shown(make_client, start, echo_server):
    """The proxy's credentials reach it, and nobody else."""
    server = start(socks_proxy(SocksProxy(credentials=("user", "s3cret"))))

    client = make_client(proxies={"http": through(server, login="user:s3cret@")})
    trace = client.get(echo_server.url).trace

    assert trace.outcome == "ok"
    assert "s3cret" not in repr(trace)


@pytest.mark.parametrize(
    ("proxy", "login", "words"),
    [
        (SocksProxy(refuse=5), "", "Connection refused"),
        (SocksProxy(refuse=2), "", "not allowed by ruleset"),
        (SocksProxy(credentials=("user", "right")), "user:wrong@", "authentication failed"),
        (lambda peer: peer.socket.recv(3), "", "closed unexpectedly"),
        (lambda peer: peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "", "invalid data"),
    ],
    ids=["refused", "ruleset", "password", "closes", "not-socks"],
)
def test_a_proxy_that_refuses_is_the_culprit(make_client, start, echo_server, proxy, login, words):
    """Every refusal is a ConnectionError in the phase proxy, in the proxy's own words."""
    server = start(servers.ScriptedServer(proxy, expected=OSError))
    client = make_client(
        retry=RetryPolicy(max_attempts=1), proxies={"http": through(server, login=login)}
    )

    with pytest.raises(requests.ConnectionError) as caught:
        client.get(echo_server.url)

    trace = caught.value.trace
    assert (trace.error_phase, trace.verdict_culprit) == ("proxy", "proxy")
    assert words in trace.verdict_sentence
    assert "wrong" not in trace.verdict_sentence


def test_a_mute_proxy_times_out(make_client, start):
    """A SOCKS proxy that never answers costs the connect timeout, in the phase proxy."""
    server = start(servers.hanging_server())
    client = make_client(
        retry=RetryPolicy(max_attempts=1),
        timeout=Timeout(0.2, 1, None),
        proxies={"http": through(server)},
    )

    with pytest.raises(requests.ConnectTimeout) as caught:
        client.get("http://127.0.0.1:1/")

    assert caught.value.trace.error_phase == "proxy"


WITHOUT_PYSOCKS = """
import os, sys
sys.modules["socks"] = None
import requests
from tracedclient import HTTPClient, TracedSession

def said(call, kind):
    try:
        call()
    except kind as error:
        return str(error)

PROXIES = {"http": "socks5://user:s3cret@127.0.0.1:1"}
print(said(lambda: HTTPClient(proxies=PROXIES), ImportError))
with HTTPClient() as client:
    print(said(lambda: client.get("http://a.test/", proxies=PROXIES), requests.exceptions.InvalidSchema))
with TracedSession() as session:
    print(said(lambda: session.get("http://a.test/", proxies=PROXIES), requests.exceptions.InvalidSchema))
os.environ["ALL_PROXY"] = "socks5h://127.0.0.1:1"
with HTTPClient() as client:
    print(said(lambda: client.get("http://a.test/"), requests.exceptions.InvalidSchema))
"""


def test_without_pysocks_the_extra_is_named():
    """A client that is given a SOCKS proxy says what to install; one of the environment's or of a call waits for the call."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PYSOCKS], capture_output=True, text=True, check=True
    )

    words = "a SOCKS proxy needs PySocks: pip install 'tracedclient[socks]'"
    assert done.stdout.splitlines() == [f"proxies['http']: {words}", words, words, words]
