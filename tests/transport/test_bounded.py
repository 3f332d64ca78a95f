"""Sockets that keep a deadline: whatever is done with one ends in time."""

from __future__ import annotations

import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracedclient.transport.bounded import SLICE
from tracedclient.transport.dial import DialedSocket
from tracedclient.transport.reading import read_first

SECONDS = st.one_of(st.none(), st.sampled_from([0.05, 5, 60.0]))


@pytest.fixture
def pair():
    with pair_of_sockets() as both:
        yield both


class pair_of_sockets:  # noqa: N801 - read as a noun, with `with`
    """A socket with a deadline, and its peer."""

    def __enter__(self):
        ours, self.peer = socket.socketpair()
        self.sock = DialedSocket(fileno=ours.detach())
        return self.sock, self.peer

    def __exit__(self, *_):
        self.sock.close()
        self.peer.close()


@settings(deadline=None)
@given(SECONDS, SECONDS, SECONDS)
def test_one_call_bounds_and_sends(before, limit, left):
    """To bound and send in one call leaves the socket as the two calls do."""
    seen = []
    deadline = None if left is None else time.monotonic() + left
    for in_one in (True, False):
        with pair_of_sockets() as (sock, peer):
            sock.settimeout(before)
            if in_one:
                sock.send_within(b"request", limit, deadline)
            else:
                sock.bound(limit, deadline)
                sock.sendall(b"request")
            seconds = sock.gettimeout()
            seen.append((peer.recv(100), sock.deadline, seconds and round(seconds)))
    assert seen[0] == seen[1]


@settings(deadline=None)
@given(SECONDS, st.sampled_from([0.5, 5.0, 60.0]))
def test_no_read_may_take_longer_than_is_left(limit, left):
    """Before each read the timeout is the least of its own and of what the call has left."""
    with pair_of_sockets() as (sock, peer):
        peer.sendall(b"answer")
        sock.bound(limit, time.monotonic() + left)
        sock.recv(3)
        read_first(sock, 3, answered=True, written_at=0)
        assert sock.gettimeout() <= left
        if limit is not None and limit < left - 0.1:
            assert sock.gettimeout() == limit


@pytest.mark.parametrize("limit", [None, 5])
@pytest.mark.parametrize(
    "use",
    [
        lambda sock: sock.recv(1),
        lambda sock: sock.recv_into(bytearray(1)),
        lambda sock: read_first(sock, 1, answered=True, written_at=0),
        lambda sock: sock.sendall(bytes(SLICE) * 40),
        lambda sock: sock.send_within(bytes(SLICE) * 40, 5, sock.deadline),
        lambda sock: sock.send_within(bytes(SLICE), 5, sock.deadline),
    ],
)
def test_whatever_waits_ends_with_the_deadline(pair, use, limit):
    """A peer that neither sends nor reads is waited for until the deadline, and no longer."""
    sock, _ = pair
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    began = time.monotonic()
    sock.bound(limit, began + 0.05)
    with pytest.raises(TimeoutError):
        use(sock)
    assert 0.04 <= time.monotonic() - began < 2


def test_nothing_begins_after_the_deadline(pair):
    """When the time is over, neither is anything sent nor what lies there read."""
    sock, peer = pair
    peer.sendall(b"answer")
    over = time.monotonic() - 1
    with pytest.raises(TimeoutError, match="total timeout"):
        sock.send_within(b"request", 5, over)
    with pytest.raises(TimeoutError, match="total timeout"):
        read_first(sock, 10, answered=True, written_at=0)
    sock.deadline = None
    assert sock.recv(10) == b"answer"
    peer.setblocking(False)
    with pytest.raises(BlockingIOError):
        peer.recv(10)
