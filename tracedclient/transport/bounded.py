"""Sockets that keep a deadline: each read and write may take what its own timeout allows, but never
longer than until the end of the whole call.

A timeout alone bounds one read. A server that sends a byte now and then, in the head, in the body or
as 1xx answers, stays within it for ever. No thread watches: the timeout is set anew before each call.
"""

from __future__ import annotations

import ssl
import time
from typing import TYPE_CHECKING, Any

from urllib3.util.ssltransport import SSLTransport

if TYPE_CHECKING:
    import socket

    _Base = socket.socket
else:
    _Base = object


SLICE = 256 * 1024
"""Bytes that are sent under one timeout."""

READ_AHEAD = 256 * 1024
"""Bytes that a reader asks for at once: of a large body, an eighth of the calls that 8 KiB take."""


class Bounded(_Base):
    """Adds ``deadline`` (on ``time.monotonic``, ``None`` for none) to a kind of socket."""

    deadline: float | None = None
    _limit: float | None = None

    def settimeout(self, value: float | None) -> None:
        self._limit = value
        self._allow(value)

    def bound(self, limit: float | None, deadline: float | None) -> None:
        """Do what ``settimeout(limit)`` does, and keep ``deadline`` from now on."""
        self._limit, self.deadline = limit, deadline
        if deadline is None:
            self._allow(limit)

    def send_within(self, data: bytes, limit: float | None, deadline: float | None) -> None:
        """Do what ``bound(limit, deadline)`` and then ``sendall(data)`` do."""
        self._limit, self.deadline = limit, deadline
        if deadline is None:
            self._allow(limit)
        else:
            self.keep_deadline()
        if len(data) <= SLICE:
            super().sendall(data)
        else:
            self.sendall(data)

    def _allow(self, seconds: float | None) -> None:
        # Setting it costs a system call each time, whether it changes or not.
        if self.gettimeout() != seconds:
            super().settimeout(seconds)

    def makefile(self, mode: str = "r", buffering: int | None = None, **kwargs: Any) -> Any:
        # http.client asks for "rb", and has no way to say how large a buffer.
        usual = buffering is None and mode == "rb"
        return super().makefile(mode, READ_AHEAD if usual else buffering, **kwargs)  # type: ignore[call-overload]

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        if self.deadline is not None:
            self.keep_deadline()
        return super().recv_into(*args, **kwargs)

    def recv(self, *args: Any, **kwargs: Any) -> bytes:
        if self.deadline is not None:
            self.keep_deadline()
        return super().recv(*args, **kwargs)

    def sendall(self, data: Any, *args: Any) -> None:
        if len(data) <= SLICE and isinstance(data, bytes):
            self.keep_deadline()
            super().sendall(data, *args)
            return
        # One sendall has one timeout for all of it: a large body on a slow line would need more
        # than a peer that has stopped reading should be given.
        view = memoryview(data).cast("B")
        for start in range(0, len(view), SLICE) or (0,):
            self.keep_deadline()
            super().sendall(view[start : start + SLICE], *args)

    def send(self, *args: Any, **kwargs: Any) -> int:
        # TLS's sendall is a loop over this one, each with a timeout of its own.
        if self.deadline is not None:
            self.keep_deadline()
        return super().send(*args, **kwargs)

    def keep_deadline(self) -> None:
        """Set the timeout for what comes next; raise ``TimeoutError`` when there is no time left."""
        deadline, limit = self.deadline, self._limit
        if deadline is None:
            return
        seconds = deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the call's total timeout has passed")
        if limit is not None and limit < seconds:
            seconds = limit
        if self.gettimeout() != seconds:  # as in _allow
            super().settimeout(seconds)


class BoundedSSLSocket(Bounded, ssl.SSLSocket):
    """An ``SSLSocket`` with a deadline."""


def keep_deadline(sock: Any) -> None:
    """Let what ``sock`` does next end with its deadline, where it has one."""
    bounded = _what_waits(sock)
    if isinstance(bounded, Bounded):
        bounded.keep_deadline()


def set_deadline(sock: Any, deadline: float | None) -> None:
    """Give ``sock`` a deadline, where it can keep one."""
    bounded = _what_waits(sock)
    if isinstance(bounded, Bounded):
        bounded.deadline = deadline


def _what_waits(sock: Any) -> Any:
    """The socket that reads and writes for ``sock``: TLS inside of TLS has none of its own."""
    return sock.socket if isinstance(sock, SSLTransport) else sock
