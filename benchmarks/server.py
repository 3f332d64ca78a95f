"""Our own server: fixed answers, in a process of its own, that counts what it was asked.

``python -m benchmarks.server CERTIFICATE`` serves until its standard input ends, which it does when the parent closes it and
also when the parent dies. It has a process of its own so that its work counts for no client.

``GET /-/seen`` says in JSON what it has seen of all other requests: connections, requests, the TCP
segments that had data in them, and the last request.
"""

from __future__ import annotations

import json
import os
import re
import selectors
import socket
import ssl
import struct
import sys
import threading

from benchmarks import answers

HOST = "127.0.0.1"
SEEN_PATH = "/-/seen"

_END_OF_HEAD = b"\r\n\r\n"
_LAST_CHUNK = b"0\r\n\r\n"
_CONTENT_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_READ = 1 << 18
_KEPT = 65536
"""Bytes of the last request's body that are kept to be shown."""

_DATA_SEGS_IN = 152
"""Where ``struct tcp_info`` (linux/tcp.h) has ``tcpi_data_segs_in``, 32 bits."""


class _Seen:
    """What all connections have seen; each changes it under the lock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.connections = self.requests = self.segments = 0
        self.head = self.body = b""

    def as_json(self) -> bytes:
        told = {
            "connections": self.connections,
            "requests": self.requests,
            "segments": self.segments,
            "head": self.head.decode("latin-1"),
            "body": self.body.decode("latin-1"),
        }
        return json.dumps(told).encode()


class _Request:
    """One request as it comes in; ``feed`` until it says that the request is complete."""

    def __init__(self) -> None:
        self.head = b""
        self.body = b""
        self._received = b""
        self._missing = -1
        self._chunked = False

    @property
    def path(self) -> str:
        target = self.head.split(b" ", 2)[1].decode()
        # What a proxy is asked for begins with the scheme.
        target = "/" + target.split("/", 3)[3] if target.startswith("http") else target
        return target.partition("?")[0]

    def feed(self, data: bytes) -> bool:
        if self.head:
            return self._feed_body(data)
        self._received += data
        end = self._received.find(_END_OF_HEAD)
        if end < 0:
            return False
        self.head = self._received[:end]
        length = _CONTENT_LENGTH.search(self.head)
        self._missing = int(length[1]) if length else 0
        self._chunked = _CHUNKED.search(self.head) is not None
        return self._feed_body(self._received[end + len(_END_OF_HEAD) :])

    def _feed_body(self, data: bytes) -> bool:
        if len(self.body) < _KEPT:
            self.body += data[:_KEPT]
        if self._chunked:
            # A chunk that ends with these bytes would be taken for the last; no row sends one.
            return data.endswith(_LAST_CHUNK)
        self._missing -= len(data)
        return self._missing <= 0


class _Connection:
    """Answers one request after the other; no client here sends the next before the answer."""

    def __init__(self, sock: socket.socket, plain: int, seen: _Seen) -> None:
        self._sock = sock
        self._plain = plain
        self._seen = seen
        self._request = _Request()
        self._counted = False
        self._segments = 0

    def answer(self) -> bool:
        """Read once, answer what is complete by then; return whether to go on."""
        try:
            data = self._sock.recv(_READ)
            if not data or not self._request.feed(data):
                return bool(data)
            request, self._request = self._request, _Request()
            return self._answer(request)
        except OSError:
            return False

    def _answer(self, request: _Request) -> bool:
        path = request.path
        if path == SEEN_PATH:
            told = self._seen.as_json()
            self._sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(told) + told)
            return True
        self._count(request)
        self._sock.sendall(_ANSWERS.get(path, _USUAL))
        return path != answers.CLOSE_PATH

    def _count(self, request: _Request) -> None:
        segments = _segments(self._plain)
        with self._seen.lock:
            self._seen.connections += not self._counted
            self._seen.requests += 1
            self._seen.segments += segments - self._segments
            self._seen.head, self._seen.body = request.head, request.body
        self._counted, self._segments = True, segments


def _segments(descriptor: int) -> int:
    """Segments with data that came in on this socket; 0 where there is no TCP_INFO."""
    if not hasattr(socket, "TCP_INFO"):
        return 0
    with socket.socket(fileno=os.dup(descriptor)) as sock:
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return int(struct.unpack_from("I", info, _DATA_SEGS_IN)[0])


_USUAL = answers.answer(answers.PATH)
_ANSWERS = {
    path: answers.answer(path)
    for path in (
        answers.COOKIES_PATH,
        answers.LARGE_PATH,
        answers.CLOSE_PATH,
        answers.DOWNLOAD_PATH,
    )
}


class _Plain:
    """All http connections in one thread: asyncio costs three times as much per request."""

    def __init__(self, seen: _Seen) -> None:
        self._seen = seen
        self._selector = selectors.DefaultSelector()
        self._listener = socket.create_server((HOST, 0), backlog=128)
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
        connection = _Connection(sock, sock.fileno(), self._seen)

        def answer() -> None:
            if not connection.answer():
                self._selector.unregister(sock)
                sock.close()

        self._selector.register(sock, selectors.EVENT_READ, answer)

    def _read_standard_input(self) -> None:
        self._parent_lives = bool(os.read(sys.stdin.fileno(), _READ))


class _Secure:
    """https: a thread for each connection, because a handshake takes several turns."""

    def __init__(self, certificate: str, seen: _Seen) -> None:
        self._seen = seen
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._listener = socket.create_server((HOST, 0), backlog=128)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def run(self) -> None:
        while True:
            sock, _ = self._listener.accept()
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        try:
            with self._context.wrap_socket(sock, server_side=True) as secure:
                connection = _Connection(secure, secure.fileno(), self._seen)
                while connection.answer():
                    pass
        except OSError:
            sock.close()


def main() -> None:
    """Announce the two ports, then serve."""
    seen = _Seen()
    plain, secure = _Plain(seen), _Secure(sys.argv[1], seen)
    threading.Thread(target=secure.run, daemon=True).start()
    print(plain.port, secure.port, flush=True)
    plain.run()


if __name__ == "__main__":
    main()
