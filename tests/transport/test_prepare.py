"""Preparing a request the short way gives what requests' own way gives, or the same error."""

from __future__ import annotations

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.transport import Environment, TracedSession

NAMES = st.sampled_from(["X-A", "x-a", "Accept", "accept-ENCODING", "Content-Type", "User-Agent"])
VALUES = st.one_of(
    st.none(), st.text(st.characters(codec="latin-1"), max_size=5), st.binary(max_size=4)
)
FIELDS = st.dictionaries(
    st.text(max_size=3), st.one_of(st.none(), st.text(max_size=3), st.integers()), max_size=3
)
REQUESTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "get", "POST", "PUT", "HEAD", "delete"]),
        "url": st.sampled_from(
            [
                "http://h.test",
                "http://h.test:8080?q=/1",
                "http://h.test?q=1",
                "https:",
                "http://h.test/",
                "https://h.test:8443/a/b%2Fc?q=1",
                "http://h.test/a b?q=1#f",
                "HTTP://H.TEST:80/ü",
                "http://u:p@h.test/",
                "nope",
            ]
        ),
        "headers": st.dictionaries(NAMES, VALUES, max_size=4),
        "params": st.one_of(
            FIELDS,
            st.lists(st.tuples(st.text(max_size=2), st.text(max_size=2)), max_size=2),
            st.text(max_size=4),
        ),
        "data": st.one_of(st.none(), FIELDS, st.text(max_size=4), st.binary(max_size=4)),
        "json": st.one_of(
            st.none(),
            st.lists(st.one_of(st.integers(), st.floats(), st.text(max_size=3)), max_size=2),
            st.dictionaries(st.text(max_size=2), st.booleans(), max_size=2),
            st.sampled_from([0, "", False, {1, 2}, b"bytes", {b"k": 1}]),
        ),
        "auth": st.one_of(st.none(), st.just(("u", "p"))),
        "cookies": st.one_of(st.none(), st.just({"a": "b"})),
    }
)


def outcome(prepare, values):
    """What comes of it: the prepared request's parts, or the error's class and text."""
    try:
        prepared = prepare(requests.Request(**values))
    except Exception as error:  # noqa: BLE001 - whichever it is, both must give it
        return type(error), str(error)
    return (
        prepared.method,
        prepared.url,
        list(prepared.headers.items()),
        prepared.body,
        dict(prepared._cookies or {}),
        prepared.hooks,
    )


@pytest.fixture(scope="module")
def session():
    with TracedSession(environment=Environment(), cookies=False) as session:
        session.headers["X-A"] = "ours"
        yield session


@given(REQUESTS)
def test_the_short_way_is_the_long_way(session, values):
    """For whatever request, both ways give the same bytes, or the same error."""
    long_way = super(TracedSession, session).prepare_request

    assert outcome(session.prepare_request, values) == outcome(long_way, values)


USUAL = {"method": "POST", "url": "http://h.test/", "headers": {"Accept": "a"}}


@pytest.mark.parametrize(
    "values",
    [
        USUAL,
        {**USUAL, "json": {"a": 1}},
        {**USUAL, "data": b"body", "params": {"q": 1}},
        {**USUAL, "url": "http://h.test"},
        {**USUAL, "url": "http://h.test:8080", "params": {"q": 1}},
    ],
)
def test_a_usual_request_takes_the_short_way(session, values):
    """What is compared above are two ways: no jar was made for a usual request."""
    prepared = session.prepare_request(requests.Request(**values))

    assert prepared._cookies is None
    assert vars(prepared).keys() == vars(requests.PreparedRequest()).keys()


def test_somebodys_own_json_is_asked(session, monkeypatch):
    """Where an application has put another ``dumps`` in requests' place for it, that one writes."""
    module = requests.compat.json
    shipped = module.dumps
    monkeypatch.setattr(module, "dumps", lambda value, **options: shipped([value], **options))

    prepared = session.prepare_request(requests.Request("POST", "http://h.test/", json={"a": 1}))

    assert prepared.body == b'[{"a": 1}]'


@given(REQUESTS)
def test_a_session_with_settings_of_its_own_merges_them(values):
    """A session with parameters, authentication or hooks takes requests' own way."""
    with TracedSession(environment=Environment()) as session:
        session.params = {"p": "1"}
        session.auth = ("a", "b")
        long_way = super(TracedSession, session).prepare_request

        assert outcome(session.prepare_request, values) == outcome(long_way, values)


@pytest.mark.parametrize(
    "environment", [Environment(), Environment((("http", "http://e:1"),), "", "/ca")]
)
@pytest.mark.parametrize("ours", [{}, {"http": "http://s:1"}])
@pytest.mark.parametrize("theirs", [None, {}, {"http": "http://r:1"}, {"http": None}])
@pytest.mark.parametrize("verify", [None, True, False, "/mine"])
def test_settings_are_merged_as_requests_does(environment, ours, theirs, verify):
    """The environment, the session and the request win over each other in requests' order."""
    with TracedSession(environment=environment) as session:
        session.proxies = ours
        settings = session.merge_environment_settings("http://h.test/", theirs, None, verify, None)

    expected = {**dict(environment.proxies), **ours, **(theirs or {})}
    assert settings["proxies"] == {k: v for k, v in expected.items() if v is not None}
    wanted = True if verify is None else verify
    assert settings["verify"] == (environment.ca_bundle or True if wanted is True else wanted)
    assert (settings["stream"], settings["cert"]) == (False, None)
