"""``TracedSession`` and ``TracedAdapter`` alone: requests' own behaviour, and nothing global."""

from __future__ import annotations

import copy
import pickle
import sys

import pytest
import requests
import servers
import urllib3
from hypothesis import given
from hypothesis import strategies as st
from journal import Journal

from tracedclient import AddressPolicy, AddressRefused, TracedAdapter, TracedSession
from tracedclient.httptrace import client_trace
from tracedclient.transport.dial import Dialing


def test_an_unrelated_session_stays_untouched(echo_server):
    """Making and using our sessions changes no class that other sessions of the process use."""
    before = dict(urllib3.poolmanager.pool_classes_by_scheme)
    with TracedSession() as ours, requests.Session() as theirs:
        ours.get(echo_server.url)
        journal = Journal()
        with client_trace(journal):
            theirs.get(echo_server.url)
        adapter = theirs.get_adapter(echo_server.url)
        pool = adapter.poolmanager.connection_from_url(echo_server.url)

        assert type(pool) is urllib3.HTTPConnectionPool
    assert urllib3.poolmanager.pool_classes_by_scheme == before
    assert journal.entries == []


def test_the_adapter_alone_gives_the_hooks(echo_server):
    """Mounted on any session, the adapter calls the trace in force, redirects included."""
    journal = Journal()
    with requests.Session() as session:
        session.mount("http://", TracedAdapter())
        with client_trace(journal):
            session.get(f"{echo_server.url}/redirect-chain/1")

    assert journal.hooks.count("exchange_start") == 2
    assert journal.hooks.count("got_conn") == 2


def test_a_followed_redirect_is_told_with_its_target(echo_server):
    """A session of ours says where a redirect leads, before the next exchange begins."""
    journal = Journal()
    with TracedSession() as session, client_trace(journal):
        session.get(f"{echo_server.url}/redirect-chain/1")

    assert journal.one("redirected").url.startswith(echo_server.url)
    hooks = journal.hooks
    assert hooks.index("redirected") < len(hooks) - 1 - hooks[::-1].index("exchange_start")


def test_sessions_and_adapters_pickle(echo_server):
    """A session survives pickling with its settings, and works afterwards."""
    with TracedSession() as session:
        session.headers["X-Team"] = "a"
        copy = pickle.loads(pickle.dumps(session))

    with copy:
        assert copy.get(echo_server.url).json()["method"] == "GET"
        assert isinstance(copy.get_adapter("https://x"), TracedAdapter)
        assert copy.headers["X-Team"] == "a"


def test_a_response_pickles(echo_server):
    """A response survives pickling, as requests' own does."""
    with TracedSession() as session:
        response = session.get(echo_server.url)

    assert pickle.loads(pickle.dumps(response)).json() == response.json()


def test_error_texts_have_urllib3s_names():
    """The class names in error texts are those that people search for."""
    with TracedSession() as session, pytest.raises(requests.ConnectionError) as caught:
        session.get(f"http://127.0.0.1:{servers.refused_port()}/")

    assert str(caught.value).startswith("HTTPConnectionPool(host='127.0.0.1'")


def test_the_audit_event_is_raised(echo_server):
    """``sys.addaudithook`` hears of every connection, as with urllib3."""
    heard = []
    listening = [True]

    def hook(event, args):
        if listening[0] and event == "http.client.connect":
            heard.append(args[1:])

    sys.addaudithook(hook)  # stays until the process ends; it has no way to be removed
    with TracedSession() as session:
        session.get(echo_server.url)
    listening[0] = False

    assert heard == [("127.0.0.1", echo_server.port)]


def test_a_pool_with_a_connection_class_of_its_own_uses_it(echo_server):
    """One pool can be given another class of connections, for its requests of either way."""
    with TracedSession() as session:
        session.trust_env = False
        session.get(echo_server.url)
        adapter = session.get_adapter(echo_server.url)
        asked = requests.Request("GET", echo_server.url).prepare()
        pool = adapter.get_connection_with_tls_context(asked, True)
        pool.ConnectionCls = urllib3.connection.HTTPConnection
        pool.pool.get().close()
        pool.pool.put(None)
        statuses = [session.get(echo_server.url).status_code for _ in range(2)]
        kept = pool.pool.get()
        kept.close()

    assert (statuses, type(kept)) == ([200, 200], urllib3.connection.HTTPConnection)
    assert echo_server.connections == 2


def test_a_replaced_connection_class_is_used(echo_server, monkeypatch):
    """Tools such as vcrpy replace urllib3's connection class: ours then stands aside."""
    used = []

    class Replacement(urllib3.connection.HTTPConnection):
        def connect(self):
            used.append(self.host)
            super().connect()

    monkeypatch.setattr(urllib3.connectionpool.HTTPConnectionPool, "ConnectionCls", Replacement)
    with TracedSession() as session:
        assert session.get(echo_server.url).status_code == 200

    assert used == ["127.0.0.1"]


def test_behaves_as_requests_does(echo_server, plain_session):
    """The drop-in sends the same request and gives the same answer as a requests.Session."""
    with TracedSession() as ours:
        for session in (ours, plain_session):
            session.get(f"{echo_server.url}/gzip", headers={"X-A": "b"}, params={"q": "ü"})
            session.post(f"{echo_server.url}/set-cookie?k=v", data={"a": "b"})
            session.get(f"{echo_server.url}/")
        half = len(echo_server.requests) // 2
        mine, theirs = echo_server.requests[:half], echo_server.requests[half:]

    assert [request.raw for request in mine] == [request.raw for request in theirs]
    assert mine[-1].headers.get("Cookie") == "k=v"


def test_elapsed_history_and_encoding_are_requests_own(echo_server, plain_session):
    """``elapsed``, ``history``, ``encoding``, ``reason`` and ``url`` mean what they mean there."""
    url = f"{echo_server.url}/redirect-chain/1"
    with TracedSession() as session:
        ours, theirs = session.get(url), plain_session.get(url)

    assert (ours.reason, ours.url, ours.encoding) == (theirs.reason, theirs.url, theirs.encoding)
    assert [r.status_code for r in ours.history] == [r.status_code for r in theirs.history]
    assert ours.elapsed.total_seconds() > 0
    assert ours.headers["content-type"] == theirs.headers["Content-Type"]


def test_an_adapter_that_retries_on_its_own_is_complained_of(caplog):
    """Retries have one owner: a mounted adapter with its own multiplies them, and is named."""
    with TracedSession() as session:
        session.mount("http://twice.test", requests.adapters.HTTPAdapter(max_retries=3))
        session.mount("http://once.test", requests.adapters.HTTPAdapter())

    (record,) = caplog.records
    assert "http://twice.test retries on its own" in record.getMessage()


PREFIXES = st.sampled_from(
    ["http://", "https://", "HTTP://", "http://h", "https://h.test/a", "http", "h", ""]
)
URLS = st.sampled_from(["http://h.test/", "https://h.test/a", "HTTP://h.test/", "hTTps://h/", "x:"])


@given(st.lists(PREFIXES, max_size=4), URLS)
def test_the_adapter_is_the_one_that_requests_would_take(prefixes, url):
    """Whatever is mounted where, the short way goes through the adapter of requests' choice."""
    with TracedSession() as session:
        for prefix in prefixes:
            session.mount(prefix, TracedAdapter())
        try:
            expected = requests.Session.get_adapter(session, url)
        except requests.exceptions.InvalidSchema:
            expected = None

        assert session._our_adapter(url) is expected


class Counting(TracedAdapter):
    """An adapter that notes what goes through it."""

    def __init__(self):
        super().__init__()
        self.urls = []

    def send(self, request, *args, **kwargs):
        self.urls.append(request.url)
        return super().send(request, *args, **kwargs)


def test_get_adapter_of_somebody_else_is_asked(echo_server):
    """Where a session, or a class made of ours, has its own ``get_adapter``, that one chooses."""
    counting = Counting()

    class Choosing(TracedSession):
        def get_adapter(self, url):
            return counting

    with Choosing() as chosen_by_class, TracedSession() as chosen_by_session:
        chosen_by_session.get_adapter = lambda url: counting
        for session in (chosen_by_class, chosen_by_session):
            session.get(echo_server.url)

    assert len(counting.urls) == 2
    counting.close()


def counted(send, urls):
    """``send`` of an adapter or its class, which writes down where to."""

    def counting(*args, **kwargs):
        urls.append(args[-1].url)
        return send(*args, **kwargs)

    return counting


def test_an_adapters_replaced_send_is_called(echo_server, monkeypatch):
    """Where somebody has put another ``send`` on the adapter, or on its class, that one sends."""
    urls = []
    with TracedSession() as session:
        adapter = session.get_adapter(echo_server.url)
        adapter.send = counted(adapter.send, urls)
        session.get(f"{echo_server.url}/adapter")
        del adapter.send
        with monkeypatch.context() as patch:
            patch.setattr(TracedAdapter, "send", counted(TracedAdapter.send, urls))
            session.get(f"{echo_server.url}/class")
        session.get(f"{echo_server.url}/neither")

    assert [url.rpartition("/")[2] for url in urls] == ["adapter", "class"]


def test_another_dialing_holds_from_then_on(echo_server):
    """An adapter that is told to dial otherwise does so with its next connection."""
    with TracedSession() as session:
        session.get(f"{echo_server.url}/close")
        adapter = session.get_adapter(echo_server.url)
        adapter.dialing = Dialing(addresses=AddressPolicy(deny={"loopback"}))
        with pytest.raises(AddressRefused):
            session.get(echo_server.url)
        adapter.dialing = Dialing()
        assert session.get(echo_server.url).status_code == 200


@pytest.mark.parametrize(
    "fill",
    [
        lambda session: session.cookies.set("a", "b"),
        lambda session: session.cookies.update({"a": "b"}),
        lambda session: session.cookies.update(requests.cookies.cookiejar_from_dict({"a": "b"})),
        lambda session: requests.utils.add_dict_to_cookiejar(session.cookies, {"a": "b"}),
        lambda session: requests.cookies.merge_cookies(session.cookies, {"a": "b"}),
        lambda session: session.cookies.__setitem__("a", "b"),
        lambda session: setattr(
            session, "cookies", requests.cookies.cookiejar_from_dict({"a": "b"})
        ),
    ],
)
@pytest.mark.parametrize("copied", [lambda session: session, pickle.dumps, copy.deepcopy])
def test_a_cookie_is_sent_however_it_came_into_the_jar(echo_server, fill, copied):
    """No way of putting a cookie into the session's jar escapes it, also when it is copied."""
    with TracedSession(cookies=False) as session:
        session.get(echo_server.url)
        fill(session)
        jar = copied(session.cookies)
        session.cookies = pickle.loads(jar) if isinstance(jar, bytes) else jar
        session.get(echo_server.url)
        session.cookies.clear()
        session.get(echo_server.url)

    assert [request.headers.get("Cookie") for request in echo_server.requests] == [
        None,
        "a=b",
        None,
    ]
