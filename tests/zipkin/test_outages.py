"""A collector that is down, slow, or refuses: requests are unharmed, what is lost is counted."""

from __future__ import annotations

import logging
import time

import pytest
import servers

from tracedclient.instruments import CallStart
from tracedclient.testing import make_trace_result

LIMIT = 4.0
"""Seconds: far more than a request here takes, far less than the collector is waited for."""


def calls(client, server, number):
    """Make so many calls; fail when one is not answered, or waits for anything."""
    for _ in range(number):
        began = time.monotonic()
        assert client.get(server.url).status_code == 200
        assert time.monotonic() - began < LIMIT


def warnings(caplog):
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


@pytest.mark.parametrize("status", [301, 400, 404, 413, 429, 500, 503])
def test_refused(client, reporter, collector, echo_server, caplog, status):
    """A batch that is answered so is dropped and counted; two in a row are one warning."""
    collector.status = status
    for _ in range(2):
        calls(client, echo_server, 3)
        assert reporter.flush(5)

    assert reporter.stats() == (0, 6, 0, f"it answered {status}")
    (said,) = warnings(caplog)
    assert f"{collector.url} takes no spans: it answered {status}" in said


def test_what_is_no_answer_is_not_quoted(make_reporter, make_client, start, echo_server, caplog):
    """Whatever speaks another protocol at that port, the log and the figures hold none of it."""

    def speak(peer):
        peer.read_request()
        peer.send(b"password=hunter2 \x1b[31m forged\r\n")

    stranger = start(servers.ScriptedServer(speak))
    reporter = make_reporter(stranger.url)
    calls(make_client(instruments=[reporter]), echo_server, 1)
    assert reporter.flush(5)
    (said,) = warnings(caplog)
    assert reporter.stats().failing == "the peer's first line is no HTTP status line"
    assert "hunter2" not in said
    assert said.isprintable()


def test_down_and_back(make_reporter, make_client, echo_server, caplog):
    """With nobody there calls are dropped; with somebody there again they arrive, and that is said."""
    caplog.set_level(logging.INFO, "tracedclient")
    with servers.serve(lambda _: servers.Answer(202)) as gone:
        port = gone.port
    reporter = make_reporter(f"http://127.0.0.1:{port}")
    client = make_client(instruments=[reporter])
    calls(client, echo_server, 2)
    assert reporter.flush(5)
    assert "refused" in reporter.stats().failing

    with servers.serve(lambda _: servers.Answer(202), port=port) as back:
        calls(client, echo_server, 1)
        assert reporter.flush(5)
        assert len(back.requests) == 1
        reporter.close()
    assert reporter.stats() == (1, 2, 0, None)
    assert [r.getMessage().split(" ", 3)[3] for r in caplog.records][1:] == ["takes spans again"]


def test_two_outages_are_two_warnings(client, reporter, collector, echo_server, caplog):
    """Each outage is said once, not only the first."""
    for collector.status in (503, 202, 503):
        calls(client, echo_server, 1)
        assert reporter.flush(5)
    assert len(warnings(caplog)) == 2


def test_one_that_hangs(make_reporter, make_client, collector, echo_server):
    """While the collector keeps a batch waiting, the queue takes so many calls, and no more."""
    reporter = make_reporter(max_queued=5)
    client = make_client(instruments=[reporter])
    collector.may_answer.clear()
    calls(client, echo_server, 1)
    assert not reporter.flush(0.2)
    collector.server.wait_until(lambda: len(collector.server.journal) == 1)
    calls(client, echo_server, 20)

    assert reporter.stats().queued >= 5
    assert reporter.stats().dropped >= 14
    collector.may_answer.set()
    assert reporter.flush(5)
    stats = reporter.stats()
    assert stats.sent + stats.dropped == 21


def test_it_is_given_up_after_the_timeout(make_reporter, make_client, collector, echo_server):
    """A batch that is not answered in time is dropped, and the next one goes by a new connection."""
    reporter = make_reporter(timeout=0.2)
    client = make_client(instruments=[reporter])
    collector.may_answer.clear()
    calls(client, echo_server, 1)
    assert reporter.flush(5)
    assert reporter.stats() == (0, 1, 0, "timed out")

    collector.may_answer.set()
    calls(client, echo_server, 1)
    assert reporter.flush(5)
    assert reporter.stats().sent == 1
    assert collector.server.connections == 2


def test_closing_waits_so_long(make_reporter, make_client, collector, echo_server):
    """A collector that hangs keeps ``client.close()`` for ``close_timeout`` seconds, not for ever."""
    reporter = make_reporter(close_timeout=0.2)
    client = make_client(instruments=[reporter])
    collector.may_answer.clear()
    calls(client, echo_server, 1)
    began = time.monotonic()
    client.close()
    assert 0.15 < time.monotonic() - began < LIMIT


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        (b"not HTTP\r\n\r\n", 0),
        (b"HTTP/1.", 0),
        (b"", 0),
        (b"HTTP/1.1 202 Accepted\r\nContent-Length: 9\r\n\r\nx", 1),
        (b"HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\nx", 1),
    ],
)
def test_nonsense(start, make_reporter, make_client, echo_server, answer, taken):
    """No answer, or half a status line, costs the batch; what comes after a 202 costs nothing."""

    def nonsense(peer):
        peer.read_request()
        peer.send(answer)

    server = start(servers.ScriptedServer(nonsense))
    reporter = make_reporter(server.url)
    client = make_client(instruments=[reporter])
    calls(client, echo_server, 1)
    assert reporter.flush(5)
    assert reporter.stats()[:3] == (taken, 1 - taken, 0)


def test_a_large_answer_is_not_read(start, make_reporter, make_client, echo_server):
    """What a collector says at length is left unread, with its connection."""
    server = start(servers.serve(lambda _: servers.Answer(202, b"x" * 1_000_000)))
    reporter = make_reporter(server.url)
    client = make_client(instruments=[reporter])
    for _ in range(2):
        calls(client, echo_server, 1)
        assert reporter.flush(5)
    assert (reporter.stats().sent, server.connections) == (2, 2)


def test_a_connection_that_the_collector_closed(start, make_reporter, make_client, echo_server):
    """A kept connection that has died meanwhile costs nothing: the batch goes by another."""

    def one(peer):
        peer.read_request()
        peer.answer(202)

    server = start(servers.ScriptedServer([one, one, one]))
    reporter = make_reporter(server.url)
    client = make_client(instruments=[reporter])
    for number in range(3):
        calls(client, echo_server, 1)
        assert reporter.flush(5)
        server.wait_until(lambda: server.open_connections == 0)
        assert reporter.stats() == (number + 1, 0, 0, None)


def test_a_handler_that_raises(make_reporter, make_client, collector, echo_server):
    """A log handler of the application's that raises does not end the thread."""

    class Raises(logging.Handler):
        def emit(self, record):
            raise RuntimeError

    handler = Raises()
    logging.getLogger("tracedclient").addHandler(handler)
    try:
        reporter = make_reporter()
        client = make_client(instruments=[reporter])
        for collector.status in (503, 202):
            calls(client, echo_server, 1)
            assert reporter.flush(5)
    finally:
        logging.getLogger("tracedclient").removeHandler(handler)
    assert reporter.stats() == (1, 1, 0, None)


def test_a_call_that_cannot_be_said(reporter, collector, caplog):
    """A call of which no JSON can be made is dropped and told; those beside it are posted."""
    reporter.emit(make_trace_result(service_name="\ud800"))
    reporter.emit(make_trace_result())
    assert reporter.flush(5)

    assert (len(collector.calls), reporter.stats()) == (1, (1, 1, 0, None))
    assert "the spans of a call are lost" in caplog.text


def test_a_trace_that_was_lost_is_counted(reporter):
    """A call whose trace could not be finished is one that was dropped."""
    reporter.begin(CallStart(None, "GET", "http://api.test/")).done(None)
    assert reporter.stats().dropped == 1


def test_batches_have_a_bound(make_client, make_reporter, collector, echo_server):
    """Many calls are several batches, none above 500 kB, and each call is in one of them."""
    reporter = make_reporter(timeout=60.0)
    client = make_client(instruments=[reporter])
    collector.may_answer.clear()
    calls(client, echo_server, 400)
    collector.may_answer.set()
    assert reporter.flush(60)

    bodies = [request.body for request in collector.server.requests]
    assert len(bodies) > 1
    assert max(map(len, bodies)) < 500_000
    assert len(collector.calls) == reporter.stats().sent == 400
