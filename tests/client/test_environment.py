"""Proxies, CA bundles, cookies and .netrc: what counts, what does not, and how often it is asked."""

from __future__ import annotations

import pytest
import requests
import servers

from tracedclient import HTTPClient, Propagation


def cookies_sent(server):
    return [request.headers.get("Cookie") for request in server.requests]


def test_one_users_cookie_is_not_sent_for_the_next(client, echo_server):
    """A cookie that a server sets is not sent back: the client is shared by all users."""
    client.get(f"{echo_server.url}/set-cookie?session=alice")
    client.get(echo_server.url)

    assert cookies_sent(echo_server) == [None, None]
    assert len(client.session.cookies) == 0


def test_cookies_are_kept_when_asked_for(make_client, echo_server):
    """``cookies=True`` keeps them, as a requests.Session does."""
    client = make_client(cookies=True)

    client.get(f"{echo_server.url}/set-cookie?session=alice")
    client.get(echo_server.url)

    assert cookies_sent(echo_server) == [None, "session=alice"]


def test_a_cookie_given_with_a_request_is_sent(client, echo_server):
    """A cookie of the caller's goes out with its request, and with no other."""
    client.get(echo_server.url, cookies={"a": "b"})
    client.get(echo_server.url)

    assert cookies_sent(echo_server) == ["a=b", None]


def test_netrc_does_not_replace_a_bearer_token(client, echo_server, tmp_path, monkeypatch):
    """A .netrc entry for the host is not read: the caller's token arrives as it was given."""
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login robot password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    client.get(echo_server.url, headers={"Authorization": "Bearer t"})
    client.get(echo_server.url)

    assert [request.headers.get("Authorization") for request in echo_server.requests] == [
        "Bearer t",
        None,
    ]


def test_the_environments_proxy_is_used(start, echo_server, monkeypatch):
    """HTTP_PROXY counts, looked up when the client is made and not again."""
    proxy = start(servers.forward_proxy())
    monkeypatch.setenv("http_proxy", proxy.url)
    with HTTPClient() as client:
        monkeypatch.delenv("http_proxy")
        client.get(echo_server.url)

    assert len(proxy.requests) == 1


def test_no_proxy_is_honoured_for_every_hop(start, echo_server, resolver, monkeypatch):
    """A host that NO_PROXY names is reached directly, also as the target of a redirect."""
    resolver["direct.test"] = ["127.0.0.1"]
    proxy = start(servers.forward_proxy())
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.setenv("no_proxy", "direct.test")
    target = f"http://direct.test:{echo_server.port}/x"
    with HTTPClient() as client:
        client.get(target)
        assert proxy.requests == []

        client.get(f"{echo_server.url}/redirect?to={target}")

    assert [request.target for request in proxy.requests] == [
        f"{echo_server.url}/redirect?to={target}"
    ]


def test_an_explicit_proxy_wins(start, echo_server, monkeypatch):
    """``proxies=`` of the client, and of a call, win over the environment's."""
    environments, clients, calls = (start(servers.forward_proxy()) for _ in range(3))
    monkeypatch.setenv("http_proxy", environments.url)
    with HTTPClient(proxies={"http": clients.url}) as client:
        client.get(echo_server.url)
        client.get(echo_server.url, proxies={"http": calls.url})

    assert [len(p.requests) for p in (environments, clients, calls)] == [0, 1, 1]


def test_the_environment_can_be_left_out(start, echo_server, monkeypatch):
    """``trust_env=False`` asks no variable."""
    proxy = start(servers.forward_proxy())
    monkeypatch.setenv("http_proxy", proxy.url)
    with HTTPClient(trust_env=False) as client:
        client.get(echo_server.url)

    assert proxy.requests == []


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_environments_ca_bundle_is_used(start, server_context, ca_file, monkeypatch, variable):
    """The CA variables count, as in requests."""
    server = start(servers.serve(servers.echo, tls=server_context("localhost")))
    monkeypatch.setenv(variable, ca_file)
    with HTTPClient() as client:
        assert client.get(f"https://localhost:{server.port}/").status_code == 200


def test_headers_of_the_client_are_sent(make_client, echo_server):
    """``headers=`` go out with every request, and a request's own win."""
    client = make_client(headers={"X-Team": "a", "X-Other": "b"})

    client.get(echo_server.url, headers={"X-Other": "mine"})

    (request,) = echo_server.requests
    assert (request.headers.get("X-Team"), request.headers.get("X-Other")) == ("a", "mine")


def test_the_trace_id_is_sent_on(make_client, echo_server):
    """The id goes out in X-Trace-Id, and as traceparent where it is a W3C id."""
    w3c = "4bf92f3577b34da6a3ce929d0e0e4736"
    client = make_client()
    client.get(echo_server.url, trace_id=w3c)
    client.get(echo_server.url, trace_id="order-5")
    client.get(echo_server.url, trace_id=w3c, debug=False)
    make_client(propagation=Propagation(formats=())).get(echo_server.url, trace_id="order-6")

    first, second, unsampled, silent = (request.headers for request in echo_server.requests)
    assert first.get("X-Trace-Id") == w3c
    assert first.get("traceparent").startswith(f"00-{w3c}-")
    assert first.get("traceparent").endswith("-01")
    assert (second.get("X-Trace-Id"), second.get("traceparent")) == ("order-5", None)
    assert unsampled.get("traceparent").endswith("-00")
    assert silent.get("X-Trace-Id") is None


def test_the_inbound_id_is_taken(client, echo_server):
    """Without ``trace_id`` the call belongs to the work that is being done; else it gets a new id."""
    from tracedclient.inbound import trace_context

    with trace_context("inbound-1"):
        assert client.get(echo_server.url).trace.trace_id == "inbound-1"
    fresh = client.get(echo_server.url).trace.trace_id
    assert len(fresh) == 32


def test_a_session_for_an_sdk_is_a_real_one(client, echo_server):
    """``client.session`` is a requests.Session, with the client's settings."""
    assert isinstance(client.session, requests.Session)
    assert client.session.get(echo_server.url).status_code == 200
