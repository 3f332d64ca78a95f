"""A threaded HTTP server that shows a request's target byte for byte, and can be stopped hard."""

from __future__ import annotations

import json
import socket
import threading
import time
from abc import ABC, abstractmethod
from contextlib import suppress
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit


class Request(NamedTuple):
    method: str
    target: str
    """Path and query as they stood on the wire."""
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes
    client_ip: str

    @property
    def raw_path(self):
        return self.target.partition("?")[0]

    @property
    def segments(self):
        """Of the path, decoded one by one."""
        return [unquote(segment) for segment in self.raw_path.split("/")[1:]]

    def query(self, name):
        """The first value of that parameter, or ``None``."""
        values = parse_qs(urlsplit(self.target).query, keep_blank_values=True).get(name)
        return None if values is None else values[0]


class Reply(NamedTuple):
    status: int
    body: bytes = b""
    content_type: str = "application/json;charset=UTF-8"


def json_reply(value, status=200):
    return Reply(status, json.dumps(value).encode())


def error_reply(request, status, message=None):
    """What Spring Boot makes of ``sendError``: since 2.3 without the message."""
    fields = {
        "timestamp": "2026-11-21T00:00:00.000+00:00",
        "status": status,
        "error": HTTPStatus(status).phrase,
        **({} if message is None else {"message": message}),
        "path": request.raw_path,
    }
    return json_reply(fields, status)


class WebServer(ABC):
    """Answers each request with ``answer(request)``; ``None`` closes the connection instead."""

    def __init__(self, *, clock_offset=0.0):
        self.clock_offset = clock_offset
        """Seconds by which this server's clock is wrong."""
        self.journal: list[Request] = []
        self.port = 0
        self.stopping = threading.Event()
        self.hung = False
        """Requests are read, and nothing comes of them until the server stops."""
        self._server = None

    @abstractmethod
    def answer(self, request): ...

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def now(self):
        return time.time() + self.clock_offset

    def asked(self, part):
        """The requests so far whose path contains ``part``."""
        return [request for request in self.journal if part in request.raw_path]

    def start(self):
        """Listen; after a stop, on the same port again."""
        self.stopping.clear()
        self.hung = False
        self._server = _Server(("127.0.0.1", self.port), self)
        self.port = self._server.server_address[1]
        serve = self._server.serve_forever
        self._thread = threading.Thread(target=serve, args=(0.02,), name=f"apollo {self.port}")
        self._thread.start()
        return self

    def stop(self):
        """Drop every connection, and refuse new ones. May be called again."""
        server, self._server = self._server, None
        if server is None:
            return
        self.stopping.set()
        self.interrupt()
        server.shutdown()
        server.drop_all()
        server.server_close()
        self._thread.join()

    def interrupt(self):  # noqa: B027 - most servers hold no request
        """Wake whatever holds a request."""

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()


class _Server(ThreadingHTTPServer):
    request_queue_size = 256

    def __init__(self, address, web):
        self.web = web
        self._open: set[socket.socket] = set()
        self._workers: list[threading.Thread] = []
        super().__init__(address, _Handler)

    def process_request(self, request, client_address):
        self._open.add(request)
        # A daemon: a poll whose client has left is held until its time is up, as Apollo holds it.
        worker = threading.Thread(
            target=self.process_request_thread, args=(request, client_address), daemon=True
        )
        self._workers.append(worker)
        worker.start()

    def shutdown_request(self, request):
        self._open.discard(request)
        super().shutdown_request(request)

    def drop_all(self):
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for worker in self._workers:
            worker.join(10.0)

    def handle_error(self, request, client_address):
        """Say nothing of clients that left."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    """Head and body leave together."""

    def do_GET(self):
        web = self.server.web
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, self.path, headers, body, self.client_address[0])
        web.journal.append(request)
        if web.hung:
            web.stopping.wait()
        reply = web.answer(request)
        if reply is None or web.stopping.is_set():
            self.close_connection = True
            return
        self._send(reply)

    do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def _send(self, reply):
        self.send_response(reply.status)
        if reply.status != 304:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def date_time_string(self, timestamp=None):
        return super().date_time_string(self.server.web.now() if timestamp is None else timestamp)

    def log_message(self, *_):
        """Nothing on stderr."""
