"""What somebody has set by hand comes to what requests makes of it, also where a short way begins."""

from __future__ import annotations

import pytest
import requests
from requests.adapters import HTTPAdapter
from servers import Answer, echo, serve
from urllib3.util import Retry

from tracedclient import TracedAdapter, TracedSession

TAILS = ["", "?", "?q=1", "?next=/a/b", "?next=/a#/b", "#/a", "/#/a", "/a?b=/c", "//a", "/a/../b"]


@pytest.fixture
def targets(echo_server):
    """What a session asks for when the URL of a prepared request is set to one that ends so."""

    def targets(session, tail):
        request = session.prepare_request(requests.Request("GET", echo_server.url))
        request.url = echo_server.url + tail
        session.send(request, timeout=5)
        return echo_server.requests[-1].target

    return targets


@pytest.mark.parametrize("tail", TAILS)
def test_url_that_was_set_by_hand_leads_where_it_says(targets, plain_session, tail):
    """A URL without a path, as only a prepared request can have it, keeps its query."""
    with TracedSession() as session:
        assert targets(session, tail) == targets(plain_session, tail)


@pytest.mark.parametrize("tail", TAILS)
def test_url_that_was_set_by_hand_leads_there_through_a_proxy(
    echo_server, start, plain_session, tail
):
    """Nor does a forward proxy get another target for it."""
    proxy = start(serve(echo))
    asked_for = []
    with TracedSession() as session:
        for each in (session, plain_session):
            request = each.prepare_request(requests.Request("GET", echo_server.url))
            request.url = echo_server.url + tail
            each.send(request, timeout=5, proxies={"http": proxy.url})
            asked_for.append(proxy.requests[-1].target)
    assert asked_for[0] == asked_for[1]


class ByStatus(Retry):
    """Somebody's own idea of what is to be repeated."""

    def is_retry(self, method, status_code, has_retry_after=False):
        return status_code == 503


@pytest.mark.parametrize(
    "retries",
    [
        Retry(total=None, status=2, status_forcelist=[503]),
        Retry(total=0, status_forcelist=[503]),
        Retry(total=False, status_forcelist=[503]),
        Retry(total=2, status_forcelist=[503]),
        ByStatus(total=0),
    ],
)
def test_answer_that_is_to_be_repeated_is(start, plain_session, retries):
    """What urllib3's ``Retry`` says of a status holds, however it counts."""
    server = start(serve(lambda _: Answer(503)))
    counts = []
    with TracedSession() as session:
        session.mount("http://", TracedAdapter(max_retries=retries))
        plain_session.mount("http://", HTTPAdapter(max_retries=retries))
        for each in (session, plain_session):
            with pytest.raises(requests.exceptions.RetryError):
                each.get(server.url, timeout=5)
            counts.append(len(server.requests))
    assert counts[1] == 2 * counts[0]


def test_request_that_is_not_prepared_is_refused(plain_session):
    """``send`` says what it wants instead, in requests' words."""
    with TracedSession() as session:
        for each in (session, plain_session):
            with pytest.raises(ValueError, match="You can only send PreparedRequests"):
                each.send(requests.Request("GET", "http://127.0.0.1/"))


@pytest.mark.parametrize("url", ["/a?", "?", "/a?#b"])
@pytest.mark.parametrize("status", [200, 302])
def test_empty_query_is_left_out(start, plain_session, url, status):
    """As requests does, also where the answer is then for the long way to take: it is told of the
    same request.
    """
    server = start(serve(lambda _: Answer(status, b"", {"Location": "/b"})))
    with TracedSession() as session:
        for each in (session, plain_session):
            answer = each.get(server.url + url, timeout=5, allow_redirects=False)
            assert answer.status_code == status
    ours, theirs = server.requests
    assert ours.target == theirs.target
