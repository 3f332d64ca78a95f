"""The server that every row asks: one fixed answer, in a process of its own.

Run as a script it serves until its standard input ends, which it does when the parent closes it and
also when the parent dies. It has a process of its own so that its work counts for no client.
"""

from __future__ import annotations

import os
import re
import selectors
import socket
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

HOST = "127.0.0.1"
PATH = "/orders/4711"
BODY = b'{"id": 4711, "state": "paid", "total": "199.00", "ok": 42}'

_HEAD = (
    b"HTTP/1.1 200 OK\r\n"
    b"Server: benchmark\r\n"
    b"Date: Thu, 01 Jan 2026 00:00:00 GMT\r\n"
    b"Content-Type: application/json\r\n"
    b"Content-Length: 58\r\n"
    b"Connection: keep-alive\r\n"
    b"Cache-Control: no-store\r\n"
    b"Vary: Accept-Encoding\r\n"
    b"X-Request-Id: 6f1c2b7e9d3a4f58\r\n"
    b"\r\n"
)
ANSWER = _HEAD + BODY
"""What GET and POST are answered with: 8 headers and a body of 58 bytes."""

_ANSWERS = {b"GET": ANSWER, b"HEAD": _HEAD, b"POST": ANSWER}
_NOT_ALLOWED = (
    b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD, POST\r\nContent-Length: 0\r\n\r\n"
)
_END_OF_HEAD = b"\r\n\r\n"
_LAST_CHUNK = b"\r\n0\r\n\r\n"
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_READ = 65536


class Address(NamedTuple):
    """Where the server listens; ``socket.create_connection`` takes it as it is."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The URL that every row asks for."""
        return f"http://{self.host}:{self.port}{PATH}"


@contextmanager
def serving() -> Iterator[Address]:
    """Start the server and yield its address; end it on leaving.

    Raises ``RuntimeError`` when it ended before it listened.
    """
    with subprocess.Popen(
        [sys.executable, "-I", __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        # Ctrl-C is for the parent; the server then ends with its standard input.
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        announced = process.stdout.readline()
        if not announced:
            raise RuntimeError("the benchmark's server ended before it listened; see its error")
        yield Address(HOST, int(announced))


class _Server:
    """All connections in one thread: asyncio costs three times as much per request."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server((HOST, 0))
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(sys.stdin, selectors.EVENT_READ, self._read_standard_input)
        self._parent_lives = True

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        while self._parent_lives:
            for key, _ in self._selector.select():
                key.data()

    def _accept(self) -> None:
        sock, _ = self._listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(sock)

        def answer() -> None:
            if not connection.answer():
                self._selector.unregister(sock)
                sock.close()

        self._selector.register(sock, selectors.EVENT_READ, answer)

    def _read_standard_input(self) -> None:
        self._parent_lives = bool(os.read(sys.stdin.fileno(), _READ))


class _Connection:
    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._received = b""

    def answer(self) -> bool:
        """Read once, answer what is complete by then; return whether to go on."""
        try:
            data = self._sock.recv(_READ)
            self._received += data
            self._answer_received()
        except ConnectionError:
            return False
        return bool(data)

    def _answer_received(self) -> None:
        while (end := _end_of_request(self._received)) is not None:
            method = self._received[: self._received.index(b" ")]
            self._sock.sendall(_ANSWERS.get(method, _NOT_ALLOWED))
            self._received = self._received[end:]


def _end_of_request(received: bytes) -> int | None:
    """Where the first request ends; ``None`` when it is not complete."""
    end_of_head = received.find(_END_OF_HEAD)
    if end_of_head < 0:
        return None
    start_of_body = end_of_head + len(_END_OF_HEAD)
    # GET and HEAD come without a body: not looking for one keeps the server fast.
    if received.startswith((b"GET ", b"HEAD ")):
        return start_of_body
    if _CHUNKED.search(received, 0, start_of_body):
        # A chunk with these bytes in it would be cut; no row sends one.
        last = received.find(_LAST_CHUNK, start_of_body - 2)
        return None if last < 0 else last + len(_LAST_CHUNK)
    end = start_of_body + _content_length(received, start_of_body)
    return end if len(received) >= end else None


def _content_length(received: bytes, start_of_body: int) -> int:
    found = _CONTENT_LENGTH.search(received, 0, start_of_body)
    return int(found[1]) if found else 0


if __name__ == "__main__":
    server = _Server()
    print(server.port, flush=True)
    server.run()
