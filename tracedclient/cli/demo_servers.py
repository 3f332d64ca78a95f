"""The servers of ``tracedclient demo``: real ones, on loopback, one for each thing that happens."""

from __future__ import annotations

import itertools
import ssl
import threading
import time
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SLOW_SECONDS = 0.6
FAILURES = 2
"""How often the failing server says 502 before it answers."""


class Servers(NamedTuple):
    """Where they listen, as URLs."""

    plain: str
    by_address: str
    """The plain one again; another origin to a client, so its connections are others."""
    slow: str
    flaky: str
    redirecting: str
    https: str | None
    """``None`` where the extra ``demo`` is not installed."""
    ca_file: str | None


@contextmanager
def running_servers(directory: Path) -> Iterator[Servers]:
    """Run all of them inside of the ``with`` block; the authority's certificate is in ``directory``.

    Close the client first: a server ends when its connections have.
    """
    certificate = _certificate(directory)
    with ExitStack() as stack:
        port = stack.enter_context(_serving(_Plain))
        plain = f"http://localhost:{port}/hello"
        redirecting = _redirecting_to(plain)
        yield Servers(
            plain=plain,
            by_address=f"http://127.0.0.1:{port}/hello",
            slow=f"http://127.0.0.1:{stack.enter_context(_serving(_Slow))}/report",
            flaky=f"http://127.0.0.1:{stack.enter_context(_serving(_Flaky))}/stock",
            redirecting=f"http://127.0.0.1:{stack.enter_context(_serving(redirecting))}/old",
            https=_https(stack, certificate) if certificate else None,
            ca_file=str(certificate.ca_file) if certificate else None,
        )


def _https(stack: ExitStack, certificate: _Certificate) -> str:
    port = stack.enter_context(_serving(_Plain, certificate.context))
    return f"https://localhost:{port}/account"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5.0
    # Without these an answer in two segments waits 40 ms for the delayed ACK of the first one.
    wbufsize = 64 * 1024
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        self.answer(200, b'{"hello": "world"}\n')

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        pass


class _Plain(_Handler):
    pass


class _Slow(_Handler):
    def do_GET(self) -> None:
        time.sleep(SLOW_SECONDS)
        super().do_GET()


class _Flaky(_Handler):
    def do_GET(self) -> None:
        if next(self.server.count) < FAILURES:
            self.answer(502)
        else:
            super().do_GET()


def _redirecting_to(target: str) -> type[_Handler]:
    class Redirecting(_Handler):
        def do_GET(self) -> None:
            self.answer(302, Location=target)

    return Redirecting


class _Server(ThreadingHTTPServer):
    # Their end is waited for, so that nothing is left running.
    daemon_threads = False

    def __init__(self, handler: type[_Handler]) -> None:
        self.count = itertools.count()
        super().__init__(("127.0.0.1", 0), handler)

    def server_bind(self) -> None:
        # HTTPServer's own looks up the name of this machine, which can take seconds.
        TCPServer.server_bind(self)

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def _serving(handler: type[_Handler], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Run one server and yield its port."""
    with _Server(handler) as server:
        if tls is not None:
            # The handshake belongs into the thread of its connection.
            server.socket = tls.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


class _Certificate(NamedTuple):
    context: ssl.SSLContext
    ca_file: Path


def _certificate(directory: Path) -> _Certificate | None:
    """Return a context for ``localhost``, signed by an authority made up for this run."""
    try:
        import trustme  # noqa: PLC0415 - an extra
    except ImportError:
        return None
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    ca_file = directory / "ca.pem"
    authority.cert_pem.write_to_path(ca_file)
    return _Certificate(context, ca_file)
