"""``Peer``: the server's end of one connection, as a handler holds it."""

from __future__ import annotations

import socket
import ssl
import struct
import time
from contextlib import suppress
from threading import Event, Lock
from typing import TYPE_CHECKING

from servers.messages import Answer, HeaderFields, Request, RequestReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class ServerClosingError(Exception):
    """Ends a handler that waits while the test has already left its server."""


class Peer:
    def __init__(
        self,
        number: int,
        accepted: socket.socket,
        *,
        closing: Event,
        record: Callable[[Request], None],
    ) -> None:
        self.number = number
        self.socket = accepted
        self.closed = False
        self._closing = closing
        self._record = record
        self._reader = RequestReader(self._receive)
        self._method = "GET"
        self._adopted: list[socket.socket] = []
        self._lock = Lock()

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Handshakes as the server. Raises ``ssl.SSLError`` or ``ConnectionError``."""
        with self._lock:
            wrapped = context.wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )
            self.socket = wrapped
        wrapped.do_handshake()

    def read_request(self) -> Request | None:
        """The next request with its body; ``None`` when the client has closed.

        Raises ``ConnectionError`` when the client leaves in the middle of a request.
        """
        head = self.read_head()
        return head and self.read_body(head)

    def read_head(self) -> Request | None:
        """The next request up to its empty line. ``read_body`` must follow."""
        head = self._reader.read_head(self.number)
        self._method = head.method if head else "GET"
        return head

    def read_body(self, head: Request) -> Request:
        """Completes ``head`` and enters the request in the server's journal."""
        request = self._reader.read_body(head)
        self._record(request)
        return request

    def leftover(self) -> bytes:
        """What the client sent beyond the last request, as far as it was received."""
        return self._reader.leftover()

    def drain(self) -> None:
        """Reads, and forgets, all until the client closes."""
        while not self._reader.at_end():
            self._reader.leftover()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(
        self,
        status: int = 200,
        body: bytes | Iterable[bytes] = b"",
        headers: HeaderFields = (),
        reason: str | None = None,
        close: bool = False,
    ) -> None:
        """Sends a whole answer; one of bytes in one send. ``close`` says so, and closes."""
        self.send_answer(Answer(status, body, headers, reason, close))

    def send_answer(self, answer: Answer) -> None:
        """Sends ``answer`` to the request last read; no body after HEAD."""
        for piece in answer.pieces(self._method):
            self.send(piece)
        if answer.close:
            self.close()

    def wait(self, event: Event, timeout: float = 10.0) -> None:
        """Blocks until ``event`` is set; raises ``TimeoutError`` after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        # Short slices: the end of the server has to wake this up as well.
        while not event.wait(0.01):
            if self._closing.is_set():
                raise ServerClosingError
            if time.monotonic() > deadline:
                raise TimeoutError(f"connection {self.number}: no event within {timeout} s")

    def sleep(self, seconds: float) -> None:
        """Like ``time.sleep``, but ends with the server."""
        if seconds and self._closing.wait(seconds):
            raise ServerClosingError

    def adopt(self, other: socket.socket) -> socket.socket:
        """Makes another socket end with this connection."""
        with self._lock:
            self._adopted.append(other)
            if self._closing.is_set():
                raise ServerClosingError
        return other

    def close(self) -> None:
        """Closes, over TLS with a close_notify. Unread input turns it into a reset, as ever."""
        with self._lock:
            if not self.closed and isinstance(self.socket, ssl.SSLSocket):
                _send_close_notify(self.socket)
            self._close_sockets()

    def reset(self) -> None:
        """Closes with a RST."""
        with self._lock:
            if not self.closed:
                lingers_not = struct.pack("ii", 1, 0)
                self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, lingers_not)
            self._close_sockets()

    def interrupt(self) -> None:
        """Makes every call that blocks on this connection end at once, in whatever thread."""
        with self._lock:
            for each in (self.socket, *self._adopted):
                with suppress(OSError):
                    # Not SSLSocket.shutdown: that one drops the TLS state a handler may be using.
                    socket.socket.shutdown(each, socket.SHUT_RDWR)

    def _close_sockets(self) -> None:
        self.closed = True
        for each in (self.socket, *self._adopted):
            each.close()

    def _receive(self, size: int) -> bytes:
        return self.socket.recv(size)


def _send_close_notify(connection: ssl.SSLSocket) -> None:
    with suppress(OSError, ValueError):
        # Without blocking, unwrap sends our close_notify and does not wait for the client's.
        connection.setblocking(False)
        connection.unwrap()
