"""``relay``: carries bytes both ways between two sockets, either of which may be TLS."""

from __future__ import annotations

import select
import ssl
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
_OUTBOX_LIMIT = 65536


class _Side:
    def __init__(self, connection: socket.socket) -> None:
        # One thread and no blocking: two threads may not use one TLS socket at once.
        connection.setblocking(False)
        self.socket = connection
        self.outbox = bytearray()
        self.ended = False

    def fileno(self) -> int:
        return self.socket.fileno()

    def receive(self) -> bytes:
        try:
            # More than a TLS record holds: a rest of one would lie where select cannot see it.
            received = self.socket.recv(65536)
        except _NOT_YET:
            return b""
        self.ended = not received
        return received

    def flush(self) -> None:
        try:
            sent = self.socket.send(self.outbox)
        except _NOT_YET:
            return
        del self.outbox[:sent]


def relay(one: socket.socket, other: socket.socket, first: bytes = b"") -> None:
    """Returns when either side has ended and what it sent is delivered: no half-closed state.

    ``first`` goes to ``other`` before anything else. Leaves the sockets open and non-blocking.
    Raises ``ConnectionError`` when either side resets.
    """
    left, right = _Side(one), _Side(other)
    right.outbox += first
    ways = ((left, right), (right, left))
    while not any(source.ended and not sink.outbox for source, sink in ways):
        _wait(ways)
        for source, sink in ways:
            if _may_read(source, sink):
                sink.outbox += source.receive()
            if sink.outbox:
                sink.flush()


def _may_read(source: _Side, sink: _Side) -> bool:
    return not source.ended and len(sink.outbox) < _OUTBOX_LIMIT


def _wait(ways: tuple[tuple[_Side, _Side], ...]) -> None:
    readers = [source for source, sink in ways if _may_read(source, sink)]
    writers = [sink for _, sink in ways if sink.outbox]
    select.select(readers, writers, [])
