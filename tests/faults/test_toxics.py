"""Each toxic does what its name says, and the client what it must behind it."""

from __future__ import annotations

import time

import pytest
import requests

from faults import toxics
from faults.toxic_proxy import Proxy
from tracedclient import DeadlineExceeded, RetryPolicy, Timeout

ONCE = RetryPolicy(max_attempts=1)


@pytest.fixture
def proxy(echo_server, start):
    """A proxy before the echo server."""
    return start(Proxy((echo_server.host, echo_server.port)))


@pytest.fixture
def client(make_client):
    return make_client(retry=ONCE, timeout=Timeout(1, 1, 5))


def exchange(answer):
    """The last exchange of an answer's, or an error's, trace."""
    return answer.trace.attempts[-1].exchanges[-1]


def test_without_a_toxic_nothing_is_spoiled(client, proxy, echo_server):
    """The proxy is a line: what goes in comes out, on connections that are kept."""
    body = "x" * 300_000

    assert client.post(f"{proxy.url}/one", data=body).json()["body"] == body
    assert client.get(f"{proxy.url}/two").json()["target"] == "/two"
    assert proxy.connections == echo_server.connections == 1


def test_latency_is_the_servers_time(client, proxy):
    """Latency downstream shows as time waited for the server, not as any other phase."""
    proxy.add(toxics.Latency(0.1, jitter=0.02))

    trace = client.get(proxy.url).trace

    assert trace.wait_ms >= 75
    assert trace.slowest_phase == "wait"


def test_bandwidth_makes_an_upload_slow_and_not_fail(make_client, proxy):
    """A slow line that keeps going breaks no upload, however short the timeout of a connect."""
    proxy.add(toxics.Bandwidth(1_000_000), "upstream")
    client = make_client(retry=ONCE, timeout=Timeout(connect=0.2, read=5, total=10))
    began = time.monotonic()

    assert client.put(proxy.url, data=b"x" * 700_000).status_code == 200

    assert time.monotonic() - began > 0.6


def test_slow_close_holds_no_answer_up(client, proxy):
    """An answer that says how long it is, is complete although the connection's end is late."""
    proxy.add(toxics.SlowClose(5))

    assert client.get(f"{proxy.url}/close").trace.duration_ms < 4500


def test_timeout_ends_with_the_read_timeout(make_client, proxy):
    """A line that swallows the answer costs the read timeout."""
    proxy.add(toxics.Timeout())
    client = make_client(retry=ONCE, timeout=Timeout(1, 0.2, 5))

    with pytest.raises(requests.ReadTimeout) as caught:
        client.get(proxy.url)

    assert caught.value.trace.error_phase == "wait"


def test_timeout_that_closes_is_an_end_without_an_answer(client, proxy):
    """One that closes after a while is told as a server that closed instead of answering."""
    proxy.add(toxics.Timeout(0.05))

    with pytest.raises(requests.ConnectionError) as caught:
        client.get(proxy.url)

    assert caught.value.trace.error_phase == "wait"
    assert exchange(caught.value).error.type == "RemoteDisconnected"


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_reset_peer_is_a_reset(client, proxy, stream):
    """A RST by something on the way is ECONNRESET; the POST is not sent again."""
    proxy.add(toxics.ResetPeer(0.02), stream)

    with pytest.raises(requests.ConnectionError) as caught:
        client.post(proxy.url, data=b"x")

    assert "ECONNRESET" in caught.value.trace.error_message


@pytest.mark.parametrize("stream", ["upstream", "downstream"])
def test_slicer_changes_no_byte(client, proxy, stream):
    """Messages that arrive in pieces of a few bytes are the same messages."""
    proxy.add(toxics.Slicer(11, size_variation=10), stream)

    answer = client.post(f"{proxy.url}/sliced", data="x" * 2000)

    assert answer.json()["body"] == "x" * 2000
    assert answer.trace.outcome == "ok"


def test_sliced_answer_ends_with_the_deadline(make_client, proxy):
    """Pieces that come just in time, one after the other, do not outlast the total timeout."""
    proxy.add(toxics.Slicer(1, delay=0.02))
    client = make_client(timeout=Timeout(1, 0.5, 0.6))

    with pytest.raises(DeadlineExceeded):
        client.get(f"{proxy.url}/bytes/10000")


@pytest.mark.parametrize(
    ("size", "phase"),
    [
        (10, "wait"),
        (20, "wait"),
        (2000, "receive"),
    ],
)
def test_limit_data_breaks_the_answer_off(client, proxy, size, phase):
    """An answer that ends early is an error, in the phase that it ended in."""
    proxy.add(toxics.LimitData(size))

    with pytest.raises(requests.RequestException) as caught:
        client.get(f"{proxy.url}/bytes/100000")

    assert caught.value.trace.error_phase == phase


def test_down_refuses_and_up_serves_again(make_client, proxy):
    """An outage is a refused connection, sent nothing; a connection of before it is not used."""
    client = make_client()
    client.get(proxy.url)
    proxy.down()

    with pytest.raises(requests.ConnectionError) as caught:
        client.post(proxy.url, data=b"x")

    assert caught.value.trace.attempts[0].reason == "connect failed, nothing sent"
    proxy.up()
    assert client.post(proxy.url, data=b"x").status_code == 200


def test_toxicity_is_a_part_of_the_connections(make_client, proxy):
    """A toxicity of a half spoils some connections and not all; a retry gets around them."""
    proxy.add(toxics.ResetPeer(), toxicity=0.5)
    client = make_client(retry=ONCE, headers={"Connection": "close"})
    failed = 0
    for _ in range(30):
        try:
            client.get(proxy.url)
        except requests.ConnectionError:
            failed += 1

    assert 5 < failed < 25


def test_nothing_is_left_of_a_proxy(start, echo_server, open_descriptors):
    """A proxy that is left has closed its connections, whatever its toxics were waiting for."""
    before = open_descriptors()
    with Proxy((echo_server.host, echo_server.port)) as proxy, requests.Session() as session:
        proxy.add(toxics.Timeout())
        with pytest.raises(requests.ReadTimeout):
            session.get(proxy.url, timeout=0.1)
    echo_server.wait_until(lambda: echo_server.open_connections == 0)

    assert open_descriptors() == before
