"""The connection pool as the hooks show it."""

from __future__ import annotations

import gzip
import threading
import time

import pytest
import requests
import servers

from httptrace.watching import Awaited, ask


class Gate:
    """Answers with the number of the connection; holds the first request until it is opened."""

    def __init__(self):
        self.is_open = threading.Event()

    def __call__(self, request):
        assert self.is_open.wait(10)
        return 200, (), str(request.connection).encode()


@pytest.fixture
def gate():
    made = Gate()
    yield made
    made.is_open.set()


@pytest.mark.parametrize("names", [(), ("127.0.0.1",)], ids=["http", "https"])
def test_max_conns_per_host(
    make_session, journal, start, server_context, ca_file, threads, gate, names
):
    """Go: TestTransportMaxConnsPerHost. Ten requests and one connection: one is new, nine wait,
    each of them is told when it begins to and when it has one."""
    server = start(servers.serve(gate, tls=server_context(*names) if names else None))
    session = make_session(pool_maxsize=1, pool_block=True)
    session.verify = ca_file
    asked = [threads.submit(ask, session, server.url, journal) for _ in range(10)]
    journal.wait_for("pool_wait_start", 9)
    gate.is_open.set()

    assert [each.result().text for each in asked] == ["1"] * 10
    assert journal.count("get_conn") == 10
    assert count_new(journal) == {"connect": 1, "got_conn": 1, "tls": len(names)}
    assert [info.error for info in journal.all("pool_wait_done")] == [None] * 9
    assert {info.limit for info in journal.all("pool_wait_start")} == {1}

    session.close()
    ask(session, server.url, journal)

    assert count_new(journal) == {"connect": 2, "got_conn": 2, "tls": 2 * len(names)}


def count_new(journal):
    return {
        "connect": journal.count("connect_start"),
        "got_conn": sum(not info.reused for info in journal.all("got_conn")),
        "tls": journal.count("tls_handshake_start"),
    }


def test_max_conns_per_host_include_dial_in_progress(
    make_session, start, threads, resolver, echo_server
):
    """Go: TestTransportMaxConnsPerHostIncludeDialInProgress. A dial that is under way counts:
    the second request waits, and dials when the first one is done."""
    dialling, go_on = threading.Event(), threading.Event()

    def addresses():
        dialling.set()
        assert go_on.wait(10)
        return ["127.0.0.1"]

    resolver["slow.test"] = addresses
    session = make_session(pool_maxsize=1, pool_block=True)
    url = f"http://slow.test:{echo_server.port}/close"
    first, second = Awaited(), Awaited()

    try:
        one = threads.submit(ask, session, url, first)
        assert dialling.wait(5)
        other = threads.submit(ask, session, url, second)
        second.wait_for("pool_wait_start")
        assert second.hooks == ["exchange_start", "get_conn", "pool_wait_start"]
    finally:
        go_on.set()

    assert (one.result().status_code, other.result().status_code) == (200, 200)
    assert second.hooks[3:6] == ["pool_wait_done", "dns_start", "dns_done"]
    assert count_new(second) == {"connect": 1, "got_conn": 1, "tls": 0}


def test_idle_conn_timeout(session, journal, start):
    """Go: TestTransportIdleConnTimeout. A connection used in time goes back each time; one that
    was idle for longer than the server keeps it is discarded, and said so, when it is looked at."""
    server = start(servers.serve(lambda _: (200, [("Keep-Alive", "timeout=2")], b"")))
    for pause in (0.5, 0.5, 0):
        ask(session, server.url, journal)
        time.sleep(pause)

    assert len({info.conn_id for info in journal.all("got_conn")}) == 1
    assert [info.error for info in journal.all("put_idle_conn")] == [None] * 3
    assert all(0.45 < info.idle_time < 1 for info in journal.all("got_conn")[1:])

    time.sleep(1.05)
    ask(session, server.url, journal)

    discarded = journal.one("stale_conn_discarded")
    assert (discarded.uses, discarded.reason) == (3, "idle for more than 1 s")
    assert server.connections == 2


@pytest.mark.parametrize("is_chunked", [True, False], ids=["chunked", "content-length"])
def test_reuse_connection_gzip(session, journal, start, is_chunked):
    """Go: TestTransportReuseConnection_Gzip_*. A compressed body that is read, and never closed,
    gives its connection back."""
    body = gzip.compress(b"x" * 10_000)
    pieces = iter([body[:20], body[20:]] * 2)

    def app(_):
        chunks = [next(pieces), next(pieces)]
        return 200, {"Content-Encoding": "gzip"}, chunks if is_chunked else b"".join(chunks)

    server = start(servers.serve(app))
    for _ in range(2):
        response = ask(session, server.url, journal, stream=True)
        assert b"".join(response.iter_content(None)) == b"x" * 10_000

    assert server.connections == 1
    assert [info.error for info in journal.all("put_idle_conn")] == [None, None]


def test_got_conn_has_one_owner(session, journal, echo_server):
    """Go: TestTransportTraceGotConnH2IdleConns, of HTTP/2. Its lesson: ``got_conn`` is told by one
    place only, with a connection that exists."""
    for _ in range(3):
        ask(session, echo_server.url, journal)

    assert journal.count("got_conn") == journal.count("exchange_start") == 3
    assert {info.remote for info in journal.all("got_conn")} == {echo_server.host_port}


def test_a_broken_connection_is_not_got(trusting, journal, start, server_context):
    """Go: TestDontCacheBrokenHTTP2Conn. Four connections break before they are ready, the fifth
    does not: five dials, four errors, one ``got_conn``."""
    context = server_context("127.0.0.1")

    def handle(peer):
        if peer.number < 5:
            return
        peer.start_tls(context)
        peer.read_request()
        peer.answer()

    url = start(servers.ScriptedServer(handle)).url.replace("http", "https")
    for _ in range(4):
        with pytest.raises(requests.ConnectionError):
            ask(trusting, url, journal)

    assert ask(trusting, url, journal).status_code == 200
    assert (journal.count("connect_start"), journal.count("got_conn")) == (5, 1)
    assert [info.phase for info in journal.all("failed")] == ["tls"] * 4


class Blocking(Awaited):
    """Its ``put_idle_conn`` does not return until it is released."""

    def __init__(self):
        super().__init__()
        self.release = threading.Event()

    def put_idle_conn(self, info):
        super().put_idle_conn(info)
        assert self.release.wait(10)


def test_cancel_request_when_sharing_connection(make_session, start, threads):
    """Go: TestCancelRequestWhenSharingConnection. A hook that blocks holds no lock: another request
    gets the freed connection, and its failure is not the first one's."""

    def handle(peer):
        peer.read_request()
        peer.answer(200, b"first")
        peer.read_request()
        peer.drain()

    server = start(servers.ScriptedServer(handle))
    session = make_session(pool_maxsize=1, pool_block=True)
    blocking, second = Blocking(), Awaited()
    try:
        first = threads.submit(ask, session, server.url, blocking)
        blocking.wait_for("put_idle_conn")
        with pytest.raises(requests.ReadTimeout):
            ask(session, server.url, second, timeout=0.2)
    finally:
        blocking.release.set()

    assert first.result().text == "first"
    assert (server.connections, len(server.requests)) == (1, 2)
    assert second.one("got_conn").reused is True
    assert blocking.one("put_idle_conn").error is None
    assert blocking.hooks[-2:] == ["put_idle_conn", "body_done"]


def test_server_keep_alives_disabled(session, journal, start):
    """Go: TestServerKeepAlivesEnabled. With a server that closes each connection none is reused,
    and none is said to have gone to the pool."""
    server = start(servers.serve(lambda _: servers.Answer(close=True)))
    for _ in range(2):
        ask(session, server.url, journal)

    got = [(info.reused, info.was_idle, info.idle_time) for info in journal.all("got_conn")]
    assert got == [(False, False, None)] * 2
    assert "put_idle_conn" not in journal.hooks


def test_pool_conn_reuse_prior_connection(session, journal, echo_server):
    """Go: TestTransportPoolConnReusePriorConnection. The second request is on the first's
    connection."""
    for _ in range(2):
        ask(session, echo_server.url, journal)

    first, second = journal.all("got_conn")
    assert (second.conn_id, second.uses) == (first.conn_id, 1)
    assert (second.local, second.remote) == (first.local, first.remote)


def test_pool_conn_cannot_reuse_connection_in_use(session, journal, echo_server):
    """Go: TestTransportPoolConnCannotReuseConnectionInUse. While the first is busy, the second
    request makes its own."""
    with ask(session, f"{echo_server.url}/bytes/1000000", journal, stream=True):
        ask(session, echo_server.url, journal)

    first, second = journal.all("got_conn")
    assert first.conn_id != second.conn_id
    assert (second.reused, echo_server.connections) == (False, 2)
    assert [info.in_use for info in journal.all("get_conn")] == [0, 1]
