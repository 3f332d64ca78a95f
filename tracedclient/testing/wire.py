"""The server's end of one connection: requests come in whole, and what goes out is up to a step."""

from __future__ import annotations

import http.client
import socket
import struct
from contextlib import suppress
from http.client import HTTPMessage  # noqa: TC003 - `get_type_hints` finds it
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from threading import Event

_MAX_LINE = 65536


class Request(NamedTuple):
    """What a server was asked."""

    method: str
    path: str
    """With the query, as it was sent."""
    headers: HTTPMessage
    """``headers["x-trace-id"]``: whatever the case, ``None`` when it was not sent."""
    body: bytes


class Stopping(Exception):
    """The server ends while a step waits."""


class Wire:
    """One accepted connection. ``stopping`` is set when the server ends."""

    def __init__(self, accepted: socket.socket, stopping: Event) -> None:
        with suppress(OSError):  # the client may have left
            # Small sends must not wait for the client's delayed acknowledgement.
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = accepted
        self._reader = accepted.makefile("rb")
        self._stopping = stopping

    def read_request(self) -> Request | None:
        """Return the next request; ``None`` when the client has left.

        Raises ``ValueError`` or ``HTTPException`` for what is no request, ``OSError``.
        """
        line = self._reader.readline(_MAX_LINE)
        if not line:
            return None
        method, path, _ = line.decode("latin-1").split()
        headers = http.client.parse_headers(self._reader)
        if headers.get("Expect", "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("Transfer-Encoding", "").lower() == "chunked":
            return Request(method, path, headers, b"".join(iter(self._chunk, b"")))
        size = int(headers.get("Content-Length", "0"))
        return Request(method, path, headers, _exactly(self._reader, size))

    def _chunk(self) -> bytes:
        size = int(self._reader.readline(_MAX_LINE).partition(b";")[0], 16)
        return _exactly(self._reader, size + 2)[:-2]

    def send(self, data: bytes) -> None:
        """Send all of ``data``. Raises ``OSError`` when the client has left."""
        self._socket.sendall(data)

    def wait(self, seconds: float) -> None:
        """Sleep. Raises ``Stopping`` when the server ends before."""
        if seconds and self._stopping.wait(seconds):
            raise Stopping

    def wait_for_the_client_to_leave(self) -> None:
        """Return when the client has closed, or the server ends."""
        while self._reader.read1(_MAX_LINE):
            pass

    def reset_on_close(self) -> None:
        """Have the kernel say RST, instead of FIN, when this connection is closed."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def interrupt(self) -> None:
        """End whatever waits for this connection, in whichever thread."""
        self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close. It is the last owner of the descriptor, so the kernel hears of it now."""
        self._reader.close()
        self._socket.close()


def _exactly(reader: BinaryIO, size: int) -> bytes:
    data = reader.read(size)
    if len(data) < size:
        raise ConnectionResetError("the client left in the middle of a request")
    return data
