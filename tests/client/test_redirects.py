"""Redirects: what goes along within an origin, what never crosses to another, what is refused."""

from __future__ import annotations

import gzip
import tracemalloc

import pytest
import requests
import servers

from tracedclient import HTTPClient
from tracedclient.transport import RedirectPolicy, RedirectRefused

SECRETS = {
    "Authorization": "Bearer s3cret",
    "X-Api-Key": "s3cret",
    "X-Auth-Token": "s3cret",
    "Cookie": "a=s3cret",
    "X-Anything": "s3cret",
}


@pytest.fixture
def other(start):
    """Another origin: the same host, another port."""
    return start(servers.serve(servers.echo))


def to(server, target, code=302):
    return f"{server.url}/redirect?to={target.url}/landed&code={code}"


def test_nothing_secret_crosses_to_another_origin(client, echo_server, other):
    """No credential, key, cookie or id of the request is seen by another origin."""
    client.get(
        to(echo_server, other),
        headers=SECRETS,
        cookies={"b": "s3cret"},
        idempotency_key="s3cret",
        trace_id="internal-1",
    )

    (request,) = other.requests
    assert b"s3cret" not in request.raw
    assert b"internal-1" not in request.raw
    assert request.headers.get("User-Agent") is not None


def test_everything_goes_along_within_an_origin(client, echo_server):
    """A redirect within the origin keeps its headers."""
    client.get(f"{echo_server.url}/redirect?to=/landed", headers={"X-Api-Key": "k"}, trace_id="t")

    assert echo_server.requests[1].headers.get("X-Api-Key") == "k"
    assert echo_server.requests[1].headers.get("X-Trace-Id") == "t"


def test_a_header_can_be_allowed_by_name(make_client, echo_server, other):
    """What is named in the policy crosses, and nothing else."""
    client = make_client(redirects=RedirectPolicy(headers={"X-Trace-Id"}))

    client.get(to(echo_server, other), headers=SECRETS, trace_id="shared-1")

    assert other.requests[0].headers.get("X-Trace-Id") == "shared-1"
    assert b"s3cret" not in other.requests[0].raw


@pytest.mark.parametrize("code", [307, 308])
def test_a_body_does_not_cross(client, echo_server, other, code):
    """A 307 to another origin would carry the body: it is refused, and not tried again."""
    with pytest.raises(RedirectRefused, match="body to another origin") as caught:
        client.put(to(echo_server, other, code), data=b"s3cret")

    assert other.requests == []
    assert len(echo_server.requests) == 1
    assert caught.value.trace.error_phase == "redirect"


def test_a_body_can_be_allowed_to_cross(make_client, echo_server, other):
    """With ``body=True`` a 307 carries it, with its framing."""
    client = make_client(redirects=RedirectPolicy(body=True))

    client.put(to(echo_server, other, 307), data=b"data")

    assert other.requests[0].body == b"data"


def test_a_302_after_a_post_crosses_without_the_body(client, echo_server, other):
    """A 302 turns a POST into a GET, which has no body to carry."""
    client.post(to(echo_server, other), data=b"s3cret")

    assert (other.requests[0].method, other.requests[0].body) == ("GET", b"")


def test_https_never_falls_to_http(make_client, start, server_context, ca_file, other):
    """A redirect from https to http is refused."""
    secure = start(servers.serve(servers.echo, tls=server_context("localhost")))
    url = f"https://localhost:{secure.port}/redirect?to={other.url}/"

    with pytest.raises(RedirectRefused, match="https to http"):
        make_client(verify=ca_file).get(url)

    assert other.requests == []
    policy = RedirectPolicy(downgrade=True)
    assert make_client(verify=ca_file, redirects=policy).get(url).status_code == 200


def test_a_refused_redirect_that_is_not_followed_is_an_answer(client, echo_server, other):
    """With ``allow_redirects=False`` the redirect itself is the answer, wherever it leads."""
    response = client.put(to(echo_server, other, 307), data=b"x", allow_redirects=False)

    assert response.status_code == 307


@pytest.mark.parametrize("to_", ["file:///etc/passwd", "ftp://127.0.0.1/", "data:,x"])
def test_only_http_is_followed(client, echo_server, to_):
    """A redirect to another scheme is a requests exception."""
    with pytest.raises(requests.RequestException):
        client.get(f"{echo_server.url}/redirect?to={to_}")


def test_five_redirects_are_followed(client, echo_server):
    """Five are followed, a sixth is too many, and that is not tried again."""
    assert client.get(f"{echo_server.url}/redirect-chain/5").status_code == 200
    before = len(echo_server.requests)

    with pytest.raises(requests.TooManyRedirects):
        client.get(f"{echo_server.url}/redirect-chain/6")

    assert len(echo_server.requests) - before == 6


@pytest.mark.parametrize("stream", [False, True])
def test_a_redirects_body_is_not_decompressed_without_bound(client, start, stream):
    """A redirect whose small body would be 200 MB in memory costs next to nothing."""
    bomb = gzip.compress(bytes(200_000_000), 9)

    def app(request):
        if request.path == "/landed":
            return 200, [], b"landed"
        return 302, [("Location", "/landed"), ("Content-Encoding", "gzip")], bomb

    server = start(servers.serve(app, expected=OSError))
    tracemalloc.start()
    try:
        with client.get(server.url, stream=stream) as response:
            assert response.text == "landed"
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 10_000_000


def test_a_small_body_of_a_redirect_is_kept(client, echo_server):
    """What a redirect says, when it is short, is in the history."""
    response = client.get(f"{echo_server.url}/redirect?to=/landed")

    assert response.history[0].content is not None


def test_a_policy_that_cannot_be_meant_is_refused():
    """A bad value is named when the policy, or the client, is made."""
    with pytest.raises(TypeError, match="headers must be"):
        RedirectPolicy(headers="X-A")
    with pytest.raises(TypeError, match=r"headers must be .* not b'X-A'"):
        RedirectPolicy(headers=b"X-A")
    with pytest.raises(TypeError, match=r"headers must be .* not 3; .*RedirectPolicy\(limit=3\)"):
        RedirectPolicy(3)
    with pytest.raises(TypeError, match="body must be True or False, not 'no'"):
        RedirectPolicy(body="no")
    with pytest.raises(TypeError, match="downgrade must be True or False"):
        RedirectPolicy(downgrade=None)
    with pytest.raises(ValueError, match="limit must be"):
        RedirectPolicy(limit=-1)
    with pytest.raises(TypeError, match="redirects must be"):
        HTTPClient(redirects=5)
