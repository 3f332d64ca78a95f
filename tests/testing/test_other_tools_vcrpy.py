"""vcrpy records and plays on this package's clients as on any requests.Session."""

from __future__ import annotations

import pytest
import requests
import servers
import vcr
from vcr.errors import CannotOverwriteExistingCassetteException

from tracedclient import HTTPClient, RetryPolicy, TracedSession
from tracedclient.testing import Answer, faulty_server


@pytest.fixture
def cassette(tmp_path):
    """``with cassette() as tape``: vcrpy on a file of this test."""
    return lambda **options: vcr.use_cassette(str(tmp_path / "tape.yaml"), **options)


@pytest.mark.parametrize("stream", [False, True])
def test_a_cassette_records_and_plays(client, cassette, stream):
    """vcrpy records the real answer, and plays it without the server; both have a trace."""
    with faulty_server(Answer(200, b"taped")) as server, cassette() as tape:
        recorded = client.get(server.url, stream=stream)
        assert (recorded.content, len(tape)) == (b"taped", 1)
    with cassette() as tape:
        played = client.get(server.url, stream=stream)
        assert (played.content, tape.play_count) == (b"taped", 1)

    assert len(server.requests) == 1
    assert (recorded.trace.outcome, played.trace.outcome) == ("ok", "ok")
    assert client.in_flight() == ()


def test_a_cassette_over_https(cassette, start, server_context, ca_file):
    """The same over TLS, whose certificate is checked while recording."""
    app = servers.serve(lambda _: (200, [], b"taped"), tls=server_context("localhost"))
    server = start(app)
    url = server.url.replace("127.0.0.1", "localhost")
    with HTTPClient(verify=ca_file, sinks=(), debug=True) as client:
        for _ in range(2):
            with cassette():
                assert client.get(url).content == b"taped"
    assert len(server.requests) == 1

    policy = RetryPolicy(max_attempts=1)
    with (
        HTTPClient(sinks=(), retry=policy) as stranger,
        cassette(record_mode="all"),
        pytest.raises(requests.exceptions.SSLError),
    ):
        stranger.get(url)


def test_a_cassette_plays_a_failure_to_the_retries(client, sink, cassette):
    """A recorded 503 is retried, in recording and in playing."""
    with faulty_server(Answer(503), Answer(200, b"there")) as server:
        for _ in range(2):
            with cassette():
                assert client.get(server.url).content == b"there"
    assert [result.retry_count for result in sink.results] == [1, 1]
    assert len(server.requests) == 2


def test_what_is_not_on_the_cassette_is_an_error(client, sink, cassette):
    """It is vcrpy's own error, raised at once, and the network is not touched."""
    with faulty_server(Answer()) as server:
        with (
            cassette(record_mode="none"),
            pytest.raises(CannotOverwriteExistingCassetteException) as raised,
        ):
            client.get(server.url)
        assert server.requests == []
    assert raised.value.trace is sink.one
    assert sink.one.attempt_count == 1


def test_a_cassette_on_a_traced_session(cassette):
    """A TracedSession of its own records and plays too."""
    with faulty_server(Answer(200, b"taped")) as server, TracedSession() as session:
        for _ in range(2):
            with cassette():
                assert session.get(server.url).content == b"taped"
    assert len(server.requests) == 1


def test_the_wire_is_back_after_a_cassette(client, cassette):
    """The connections of the recording are not used afterwards: the next is ours, and traced."""
    with faulty_server(Answer(200, b"real")) as server:
        with cassette():
            client.get(server.url)
        exchange = client.get(server.url).trace.attempts[0].exchanges[0]
        assert len(server.requests) == 2
    assert (exchange.connection.reused, exchange.status) == (False, 200)
