"""What becomes of a connection when its answer has been read, or not."""

from __future__ import annotations

import pytest
import requests
import servers

from httptrace.watching import ask
from tracedclient import HTTPClient, RetryPolicy, Timeout


def test_read_to_end_reuses_conn(session, journal, echo_server):
    """Go: TestTransportReadToEndReusesConn. A body of any framing that was read to its end frees
    its connection, whether or not it is closed."""
    for path in ("/bytes/5000", "/chunked/5", "/bytes/0", "/status/204"):
        response = ask(session, f"{echo_server.url}{path}", journal, stream=True)
        for _ in response.iter_content(100):
            pass

    assert echo_server.connections == 1
    assert [info.error for info in journal.all("put_idle_conn")] == [None] * 4
    assert all(info.complete for info in journal.all("body_done"))


def test_reuse_conn_empty_response_body(session, journal, echo_server):
    """Go: TestTransportReuseConnEmptyResponseBody. Answers that can have no body free their
    connection before they are returned."""
    for method, path in (("HEAD", "/"), ("GET", "/status/204"), ("GET", "/status/304")):
        ask(session, f"{echo_server.url}{path}", journal, method, stream=True)
        assert journal.hooks[-2:] == ["put_idle_conn", "body_done"]

    assert echo_server.connections == 1


def test_removes_dead_idle_connections(session, journal, start):
    """Go: TestTransportRemovesDeadIdleConnections. A connection that the server closed meanwhile is
    replaced, and the request told that it was."""
    server = start(servers.ScriptedServer(lambda peer: (peer.read_request(), peer.answer())))
    for _ in range(3):
        ask(session, server.url, journal)
        server.wait_until(lambda: server.open_connections == 0)

    assert server.connections == 3
    assert [info.reused for info in journal.all("got_conn")] == [False] * 3
    stale = journal.all("stale_conn_discarded")
    assert [(info.uses, info.reason) for info in stale] == [(1, "closed by the server")] * 2
    assert len({info.conn_id for info in journal.all("got_conn")}) == 3


def test_a_body_closed_early(session, journal, echo_server):
    """Beyond Go, which says nothing: a body that its reader does not want is told to be
    incomplete, its connection is not kept, and that is no failure."""
    response = ask(session, f"{echo_server.url}/bytes/1000000", journal, stream=True)
    next(response.iter_content(10))
    response.close()

    assert journal.one("body_done").complete is False
    assert not {"put_idle_conn", "failed"} & set(journal.hooks)
    ask(session, echo_server.url, journal)
    assert echo_server.connections == 2


def test_a_full_pool(make_session, journal, echo_server):
    """Go's "too many idle connections for host": what found no place says so in
    ``put_idle_conn``."""
    session = make_session(pool_maxsize=1)
    held = ask(session, f"{echo_server.url}/bytes/100000", journal, stream=True)
    ask(session, echo_server.url, journal)
    assert len(held.content) == 100_000

    kept, dropped = journal.all("put_idle_conn")
    assert (kept.error, dropped.error) == (None, "the pool is full")
    assert dropped.conn_id == journal.all("got_conn")[0].conn_id


def test_a_wait_that_ends_without_a_connection(make_session, journal, start, echo_server):
    """Beyond Go: a wait for the pool is told with its end; the holders are named to a client."""
    client = start(
        HTTPClient(
            pool_maxsize=1,
            pool_block=True,
            retry=RetryPolicy(max_attempts=1),
            sinks=[],
            timeout=Timeout(1, 1, 0.2),
        )
    )
    url = f"{echo_server.url}/bytes/1000000"
    with client.get(url, trace_id="holder", stream=True), pytest.raises(requests.RequestException):
        client.get(url, trace=journal)

    (holder,) = journal.one("pool_wait_start").holders
    assert (holder.trace_id, holder.phase) == ("holder", "receive")
    assert journal.one("pool_wait_done").error is not None
    assert (journal.one("failed").phase, journal.one("failed").sent) == ("blocked", False)
    assert "got_conn" not in journal.hooks
