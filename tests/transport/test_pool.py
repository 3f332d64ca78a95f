"""What a pool lends for an exchange done the short way is what urllib3 would have got of it."""

from __future__ import annotations

import gc
import itertools
import socket
import time
import weakref

import pytest

from tracedclient.httptrace import ClientTrace, client_trace
from tracedclient.inflight import OngoingCall, current_call
from tracedclient.transport.addresses import AddressPolicy, came_from
from tracedclient.transport.connection import HTTPConnection
from tracedclient.transport.dial import Dialing
from tracedclient.transport.pool import HTTPConnectionPool


class Journal(ClientTrace):
    """Writes down what the pool tells, without what differs from run to run."""

    def __init__(self):
        self.told = []

    def get_conn(self, info):
        self.told.append(("get", info.in_use, info.idle, info.limit))

    def stale_conn_discarded(self, info):
        self.told.append(("stale", info.uses, info.reason))

    def put_idle_conn(self, info):
        self.told.append(("put", info.error))


class Peer:
    """A pool with a connection that has been used before, and the other end of it."""

    def __init__(self, listener, **options):
        self.pool = HTTPConnectionPool(*listener.getsockname(), timeout=5, **options)
        self.conn = self.pool._get_conn()
        self.conn.connect()
        self.end, _ = listener.accept()
        self.conn.uses = 1
        self.pool._put_conn(self.conn)
        # As it is after its second use.
        assert self.pool._get_conn() is self.conn
        self.pool._put_conn(self.conn)

    def close(self):
        self.conn.close()
        self.pool.close()
        self.end.close()


def well(_):
    pass


def ended(peer):
    peer.end.shutdown(socket.SHUT_WR)


def noisy(peer):
    peer.end.sendall(b"HTTP/1.1 408 Request Timeout\r\n\r\n")


def too_old(peer):
    peer.conn.idle_since -= 60


def old_and_ended(peer):
    too_old(peer)
    ended(peer)


def closed(peer):
    peer.conn.close()


def closed_by_its_answer(peer):
    gone(peer)
    peer.conn.close()
    peer.pool._put_conn(peer.conn)


def gone(peer):
    while not peer.pool.pool.empty():
        peer.pool.pool.get()


def beside_a_place(peer):
    gone(peer)
    peer.pool.pool.put(peer.conn)
    peer.pool.pool.put(None)


def foreign(peer):
    gone(peer)
    peer.pool.pool.put(object_of_somebody_else())


def object_of_somebody_else():
    class Connection:
        is_connected = True

    return Connection()


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


STATES = [
    well,
    ended,
    noisy,
    too_old,
    old_and_ended,
    closed,
    closed_by_its_answer,
    beside_a_place,
    foreign,
]


# Where nothing is left, a pool that blocks would wait for ever.
@pytest.mark.parametrize(
    ("state", "block"), [*itertools.product(STATES, [False, True]), (gone, False)]
)
@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("before", [None, "public"])
def test_short_and_long_way_lend_alike(listener, state, fresh, block, before):
    """Whatever the pool has, both ways lend the same, leave the same behind, and tell the same."""
    assert lent(listener, "lend", state, fresh, block, before) == lent(
        listener, "_get_conn", state, fresh, block, before
    )


def lent(listener, way, state, fresh, block, before):
    peer, journal = Peer(listener, maxsize=2, block=block), Journal()
    peer.pool.dialing = Dialing(addresses=AddressPolicy())
    call = OngoingCall("t-1", "GET", "http://h.test/", 10)
    call.starts(1, fresh=fresh)
    state(peer)
    calls, origin = current_call.set(call), came_from.set(before)
    with client_trace(journal):
        conn = getattr(peer.pool, way)()
    current_call.reset(calls)
    came_from.reset(origin)
    is_ours = hasattr(conn, "trace")
    seen = (
        conn is peer.conn,
        is_ours and (conn.sock is None, conn.idle_since is None, conn.trace is not None),
        is_ours and (conn.call is call, call.connection is conn, conn.dialing is peer.pool.dialing),
        peer.pool.pool.qsize(),
        len(peer.pool._in_use),
        journal.told,
    )
    peer.close()
    return seen


def test_a_connection_that_was_dropped_is_in_use_no_more(listener):
    """A connection that nobody has any more neither stays nor counts, used once or again."""
    peer = Peer(listener)
    assert peer.pool.lend() is peer.conn
    assert len(peer.pool._in_use) == 1
    peer.close()
    seen_from_afar, peer.conn = weakref.ref(peer.conn), None
    gc.collect()
    assert seen_from_afar() is None
    assert not peer.pool._in_use


def test_a_connection_that_is_put_back_is_nobodys(listener):
    """Neither trace, call nor deadline of its last request is on a connection that is idle."""
    peer = Peer(listener)
    token = current_call.set(OngoingCall("t-1", "GET", "http://h.test/", 10))
    conn = peer.pool.lend()
    current_call.reset(token)
    conn.send_whole("GET", b"GET / HTTP/1.1\r\n\r\n", None, 5)
    peer.pool._put_conn(conn)
    assert (conn.trace, conn.call, conn.sock.deadline) == (None, None, None)
    assert time.monotonic() - conn.idle_since < 5
    assert not peer.pool._in_use
    peer.close()


class Ending(HTTPConnection):
    """Its call ends right after somebody has looked at it."""

    looks = 0

    @property
    def call(self):
        self.looks += 1
        return OngoingCall("1", "GET", "http://a.test/", None) if self.looks == 1 else None

    @call.setter
    def call(self, _):
        self.looks = 0


def test_a_call_that_ends_meanwhile_does_not_harm_who_waits(listener):
    """To tell who holds the connections takes no look that the end of a call could spoil."""
    peer = Peer(listener, maxsize=1)
    conn = Ending("127.0.0.1")
    peer.pool._in_use.add(weakref.ref(conn))

    assert [holder.trace_id for holder in peer.pool._holders()] == ["1"]
    peer.close()
