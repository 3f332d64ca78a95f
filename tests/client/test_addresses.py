"""Which addresses a client connects to, on real sockets: at the first request, and after redirects."""

from __future__ import annotations

import socket

import pytest
import requests
import servers
from servers.socks import SocksProxy, socks_proxy

from tracedclient import AddressPolicy, AddressRefused, HTTPClient

NOT_LOOPBACK = AddressPolicy(deny={"loopback"})
SPELLINGS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "0.0.0.0",
    "localhost",
    "LOCALHOST",
    "[::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "inside.test",
]
METADATA = ["169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:169.254.169.254]", "meta.test"]


@pytest.fixture
def names(resolver):
    """Names of somebody's who wants to get in."""
    resolver["inside.test"] = ["127.0.0.1"]
    resolver["meta.test"] = ["169.254.169.254"]
    resolver["two.test"] = ["127.0.0.1", "127.0.0.9"]
    return resolver


@pytest.mark.parametrize("host", SPELLINGS)
def test_a_denied_address_is_not_connected_to(make_client, echo_server, names, host):
    """However it is spelled: nothing is sent, nothing is tried again, and the trace says why."""
    with pytest.raises(AddressRefused, match="is denied") as caught:
        make_client(addresses=NOT_LOOPBACK).get(f"http://{host}:{echo_server.port}/")

    assert echo_server.connections == 0
    trace = caught.value.trace
    assert trace.verdict_culprit == "config"
    assert "is denied" in trace.verdict_sentence
    assert "is denied" in trace.error_message
    assert trace.error_phase == "prepare"
    (attempt,) = trace.attempts
    assert attempt.reason == "AddressRefused is final"
    assert attempt.exchanges[0].connects == ()
    assert caught.value.request.url.startswith("http://")
    assert isinstance(caught.value, requests.exceptions.InvalidURL)


def test_https_is_vetted_as_well(make_client, echo_server, names):
    """Not even a handshake reaches a denied address."""
    with pytest.raises(AddressRefused):
        make_client(addresses=NOT_LOOPBACK).get(f"https://inside.test:{echo_server.port}/")

    assert echo_server.connections == 0


def test_a_refusal_opens_no_circuit(make_client, echo_server):
    """What this client does not do says nothing of the server."""
    client = make_client(addresses=NOT_LOOPBACK)
    for _ in range(30):
        with pytest.raises(AddressRefused):
            client.get(echo_server.url)

    assert client.stats().circuits == {}


def test_the_first_request_may_go_anywhere_by_default(client, echo_server, names):
    """Services call internal addresses all day."""
    assert client.get(f"http://inside.test:{echo_server.port}/").status_code == 200


def test_the_permitted_address_of_several_is_used(make_client, start, names):
    """Of a name's addresses, only those that are permitted are tried."""
    server = start(servers.serve(servers.echo))
    client = make_client(addresses=AddressPolicy(deny={"127.0.0.9"}))

    trace = client.get(f"http://two.test:{server.port}/").trace

    assert trace.attempts[0].exchanges[0].dns.addrs == ("127.0.0.1", "127.0.0.9")
    (connect,) = trace.attempts[0].exchanges[0].connects
    assert connect.addr == server.host_port


def test_the_vetted_address_is_the_one_connected_to(make_client, echo_server, resolver):
    """A name that leads elsewhere at a second lookup gets none (DNS rebinding)."""
    answers = iter([["127.0.0.1"], ["127.0.0.9"]])
    resolver["rebinding.test"] = lambda: next(answers)
    client = make_client(addresses=AddressPolicy(deny={"127.0.0.9"}))

    assert client.get(f"http://rebinding.test:{echo_server.port}/").status_code == 200
    assert resolver.lookups == ["rebinding.test"]


@pytest.mark.parametrize("host", METADATA)
def test_a_redirect_does_not_lead_to_metadata(client, echo_server, names, host):
    """Where clouds hand out credentials, no redirect leads, in any spelling; by default."""
    with pytest.raises(AddressRefused, match="redirect leads from a loopback address") as caught:
        client.get(f"{echo_server.url}/redirect?to=http://{host}/latest/meta-data/")

    (attempt,) = caught.value.trace.attempts
    assert [len(exchange.connects) for exchange in attempt.exchanges] == [1, 0]
    assert caught.value.trace.verdict_culprit == "config"


def test_every_hop_is_vetted(make_client, echo_server, start, names):
    """What is denied for the first request is denied for the last redirect."""
    other = start(servers.serve(servers.echo))
    client = make_client(addresses=AddressPolicy(deny={"127.0.0.9"}))
    last = f"{other.url}/redirect?to=http://127.0.0.9:{other.port}/"

    with pytest.raises(AddressRefused, match=r"127\.0\.0\.9 is denied"):
        client.get(f"{echo_server.url}/redirect?to={requests.utils.quote(last, safe='')}")

    assert len(other.requests) == 1


@pytest.fixture
def outside(start):
    """A proxy behind which public.test stands: to this client, somewhere outside."""
    return start(servers.forward_proxy(hosts={"public.test": "127.0.0.1"}))


@pytest.fixture
def make_divided(make_client, outside, monkeypatch):
    """``make_divided(…)``: a client that reaches 127.0.0.1 itself, all else through the proxy."""
    monkeypatch.setenv("http_proxy", outside.url)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return make_client


def inward(start, inside):
    """The URL of a public server that redirects to ``inside``."""
    server = start(servers.serve(lambda _: (302, [("Location", f"{inside.url}/secret")], b"")))
    return f"http://public.test:{server.port}/"


@pytest.mark.parametrize("warm", [False, True])
def test_a_redirect_from_outside_does_not_lead_in(make_divided, start, echo_server, warm):
    """Not on a new connection, and not on one that the client's own calls have left open."""
    client = make_divided()
    if warm:
        client.get(echo_server.url)

    with pytest.raises(AddressRefused, match="from a public address to 127"):
        client.get(inward(start, echo_server))

    assert [request.path for request in echo_server.requests] == ["/"] * warm
    assert client.get(echo_server.url).status_code == 200


@pytest.mark.parametrize(
    "addresses",
    [None, AddressPolicy(allow={"127.0.0.0/8"}), AddressPolicy(inward_redirects=True)],
)
@pytest.mark.parametrize("warm", [False, True])
def test_a_redirect_inward_can_be_allowed(make_divided, start, echo_server, addresses, warm):
    """By network, for all, or by having no policy; a kept connection is then used."""
    client = make_divided(addresses=addresses)
    if warm:
        client.get(echo_server.url)

    assert client.get(inward(start, echo_server)).url == f"{echo_server.url}/secret"
    assert echo_server.connections == 1


@pytest.mark.parametrize("host", ["169.254.169.254", "0xa9fea9fe", "[::ffff:a9fe:a9fe]"])
def test_a_proxy_is_not_asked_for_a_denied_address(make_client, outside, host):
    """An address in the URL is vetted although the proxy would connect to it."""
    client = make_client(
        proxies={"http": outside.url, "https": outside.url},
        addresses=AddressPolicy(deny={"metadata"}),
    )
    for scheme in ("http", "https"):
        with pytest.raises(AddressRefused, match="is denied") as caught:
            client.get(f"{scheme}://{host}/")
        assert caught.value.trace.verdict_culprit == "config"

    assert outside.requests == []


def test_a_proxy_is_asked_for_a_permitted_address(make_client, outside, echo_server):
    """An address in the URL that is not denied goes to the proxy like a name."""
    client = make_client(
        proxies={"http": outside.url}, addresses=AddressPolicy(deny={"metadata", "link-local"})
    )

    assert client.get(echo_server.url).status_code == 200
    assert len(outside.requests) == 1


def test_a_redirect_through_a_proxy_does_not_lead_to_an_internal_address(
    make_client, outside, start, echo_server
):
    """A public server cannot have the proxy fetch an internal address either."""
    client = make_client(proxies={"http": outside.url})

    with pytest.raises(AddressRefused, match="from a public address to 127"):
        client.get(inward(start, echo_server))

    assert echo_server.connections == 0


def test_a_proxy_may_stand_at_a_denied_address(make_client, outside, start):
    """The policy is about where requests go, and not about the way there."""
    server = start(servers.serve(servers.echo))
    client = make_client(proxies={"http": outside.url}, addresses=NOT_LOOPBACK)

    assert client.get(f"http://public.test:{server.port}/").status_code == 200


def test_a_name_behind_socks_is_vetted_where_it_is_looked_up(make_client, start, names):
    """With ``socks5`` that is here; the proxy is then not asked."""
    proxy = SocksProxy()
    server = start(socks_proxy(proxy))
    client = make_client(
        proxies={"http": f"socks5://{server.host_port}"}, addresses=AddressPolicy(deny={"metadata"})
    )

    with pytest.raises(AddressRefused, match=r"meta\.test: 169\.254\.169\.254 is denied"):
        client.get("http://meta.test/")

    assert proxy.targets == []


def test_a_name_without_an_address_is_still_a_failed_lookup(make_client, resolver):
    """A policy turns no lookup that failed into a refusal."""
    resolver["nowhere.test"] = socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(requests.ConnectionError) as caught:
        make_client(addresses=NOT_LOOPBACK).get("http://nowhere.test/")

    assert caught.value.trace.verdict_culprit == "dns"


def test_what_is_no_policy_is_refused():
    """A bad value is named when the client is made."""
    with pytest.raises(TypeError, match="addresses must be an AddressPolicy"):
        HTTPClient(addresses=["10.0.0.0/8"])
