"""The headers that an instrument adds to a request: to whom they go, and what of them stays."""

from __future__ import annotations

import pytest
import requests
import servers
import tenacity

from tracedclient import HTTPClient, Propagation, RedirectPolicy, RetryPolicy
from tracedclient.instruments import Watch

QUICK = RetryPolicy(wait=tenacity.wait_fixed(0.01))
ELSEWHERE = Propagation(origins=("elsewhere.test",))


class Tagger(Watch):
    """Numbers its requests in ``X-Tag``; what it gives them can be changed on the way."""

    def __init__(self, *given):
        self.given = list(given)
        self.sent = 0

    def watch(self, client):
        pass

    def begin(self, call):
        return self

    def sends(self, method, url):
        self.sent += 1

    def headers(self):
        return {"X-Tag": str(self.sent)} if not self.given else self.given.pop(0)()


def refuses():
    raise RuntimeError("no headers today")


def nothing():
    return {}


def tags(server):
    return [request.headers.get("X-Tag") for request in server.requests]


@pytest.fixture
def client_with():
    clients = []

    def make(instrument, **options):
        clients.append(HTTPClient(instruments=[instrument], sinks=[], retry=QUICK, **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def test_each_request_carries_its_own(client_with, echo_server):
    """Each attempt, and each redirect within an origin, has what the instrument gave it."""
    client = client_with(Tagger())
    client.get(f"{echo_server.url}/status/503")
    client.get(f"{echo_server.url}/redirect?to=/landed")

    assert tags(echo_server) == ["1", "2", "3", "4", "5"]


def test_no_origin_but_those_allowed_sees_it(client_with, echo_server):
    """Where the trace may not go, nothing that an instrument gives goes, not even the caller's own."""
    client = client_with(Tagger(), propagation=ELSEWHERE)
    client.get(echo_server.url, headers={"X-Tag": "by hand"})

    assert tags(echo_server) == [None]


@pytest.mark.parametrize("fails", [refuses, nothing])
def test_a_redirect_leaves_the_allowed_origins(client_with, start, fails):
    """What was given before is taken off on the way out, also when the instrument then fails."""
    far = start(servers.serve(servers.echo))
    near = start(servers.serve(lambda _: (302, {"Location": f"{far.url}/"}, b"")))
    inside = Propagation(origins=(f"127.0.0.1:{near.port}",))
    tagger = Tagger(lambda: {"X-Tag": "in"}, fails)
    client_with(
        tagger, propagation=inside, redirects=RedirectPolicy(headers=frozenset({"x-tag"}))
    ).get(near.url)

    assert (tags(near), tags(far)) == (["in"], [None])


@pytest.mark.parametrize("policy", [RedirectPolicy(), RedirectPolicy(headers={"x-tag"})])
def test_the_redirect_policy_has_its_say(client_with, start, policy):
    """Across origins it goes only where the policy lets it."""
    far = start(servers.serve(servers.echo))
    near = start(servers.serve(lambda _: (302, {"Location": f"{far.url}/"}, b"")))
    client_with(Tagger(), redirects=policy).get(near.url)

    assert (tags(near), tags(far)) == (["1"], ["2" if policy.headers else None])


@pytest.mark.parametrize("fails", [refuses, nothing])
def test_an_attempt_does_not_carry_the_last_ones(client_with, echo_server, fails):
    """What the instrument does not give again is not sent again."""
    client_with(Tagger(lambda: {"X-Tag": "first"}, fails, fails)).get(
        f"{echo_server.url}/status/503"
    )

    assert tags(echo_server) == ["first", None, None]


def test_what_the_caller_set_stays(client_with, echo_server):
    """A header that the caller gave the request is another tracer's, and is left as it is."""
    client_with(Tagger()).get(f"{echo_server.url}/status/503", headers={"x-tag": "by hand"})

    assert tags(echo_server) == ["by hand"] * 3


def test_the_callers_request_is_not_changed(client_with, echo_server):
    """What was added is on the request that was sent, and not on the one that the caller holds."""
    given = requests.Request("GET", echo_server.url).prepare()
    before = dict(given.headers)
    client = client_with(Tagger())
    answer = client.do(given)

    assert dict(given.headers) == before
    assert answer.request.headers["X-Tag"] == "1"


def test_an_answers_request_sent_again_is_a_new_one(client_with, echo_server):
    """``do(answer.request)`` takes off what the first call added, and keeps what its caller gave."""
    first = client_with(Tagger()).get(echo_server.url, headers={"X-Own": "kept"})
    client_with(Tagger(nothing)).do(first.request)

    assert tags(echo_server) == ["1", None]
    assert echo_server.requests[1].headers.get("X-Own") == "kept"
