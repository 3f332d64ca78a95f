"""``forward_proxy``: a real, small HTTP proxy with CONNECT (RFC 9110 §9.3.6)."""

from __future__ import annotations

import base64
import socket
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from servers.messages import Answer, Headers, Request
from servers.scripted import ScriptedServer
from servers.tunnel import relay

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator, Mapping

    from servers.peer import Peer

DIAL_TIMEOUT = 2.0

_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


def forward_proxy(
    *,
    credentials: tuple[str, str] | None = None,
    refuse_connect: int | None = None,
    connect_delay: float = 0.0,
    hosts: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> ScriptedServer:
    """A proxy whose journal tells what it was asked, refused requests included.

    ``credentials``: user and password it demands by Basic, with a 407 otherwise.
    ``refuse_connect``: the status to answer every CONNECT with, instead of a tunnel.
    ``connect_delay``: seconds before any answer to CONNECT, 407 excepted.
    ``hosts``: addresses of names that only this proxy shall know.
    ``tls``: makes it an https proxy.

    An origin that cannot be reached, or gives no answer, is a 502; one that does not answer its
    SYN a 504, after ``DIAL_TIMEOUT``. An answer that stops short stops short here too.
    """
    proxy = _Proxy(credentials, refuse_connect, connect_delay, hosts or {})
    return ScriptedServer(proxy.handle, tls=tls)


@dataclass(frozen=True)
class _Proxy:
    credentials: tuple[str, str] | None
    refuse_connect: int | None
    connect_delay: float
    hosts: Mapping[str, str]

    def handle(self, peer: Peer) -> None:
        while not peer.closed and (request := peer.read_request()) is not None:
            if not self._admits(request):
                peer.answer(407, headers={"Proxy-Authenticate": 'Basic realm="proxy"'})
            elif request.method == "CONNECT":
                self._connect(peer, request)
            else:
                self._forward(peer, request)
            if request.wants_close:
                return

    def _admits(self, request: Request) -> bool:
        if self.credentials is None:
            return True
        token = base64.b64encode(":".join(self.credentials).encode()).decode()
        return request.headers.get("Proxy-Authorization") == f"Basic {token}"

    def _connect(self, peer: Peer, request: Request) -> None:
        peer.sleep(self.connect_delay)
        if self.refuse_connect is not None:
            peer.answer(self.refuse_connect)
            return
        parts = urlsplit(f"//{request.target}")
        origin = self._dial(peer, parts.hostname, parts.port)
        if origin is None:
            return
        peer.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        _tunnel(peer, origin)

    def _forward(self, peer: Peer, request: Request) -> None:
        parts = urlsplit(request.target)
        if parts.scheme != "http" or not parts.hostname:
            peer.answer(400, b"a proxy needs the absolute form (RFC 9112 3.2.2)", close=True)
            return
        origin = self._dial(peer, parts.hostname, parts.port or 80)
        if origin is not None:
            _exchange(peer, origin, request)

    def _dial(self, peer: Peer, host: str, port: int) -> socket.socket | None:
        """A connection that ends with the client's; ``None`` when the client got an error."""
        address = (self.hosts.get(host, host), port)
        try:
            origin = socket.create_connection(address, timeout=DIAL_TIMEOUT)
        except TimeoutError as error:
            peer.answer(504, str(error).encode())
            return None
        except OSError as error:
            peer.answer(502, str(error).encode())
            return None
        origin.settimeout(None)
        return peer.adopt(origin)


def _tunnel(peer: Peer, origin: socket.socket) -> None:
    try:
        relay(peer.socket, origin, peer.leftover())
    except ConnectionResetError:
        # Whoever reset, the other end must not take it for an orderly close.
        peer.reset()
    peer.close()


def _exchange(peer: Peer, origin: socket.socket, request: Request) -> None:
    with closing(HTTPConnection("origin")) as connection:
        connection.sock = origin
        try:
            _send(connection, request)
            response = connection.getresponse()
        except (HTTPException, ConnectionError) as error:
            peer.answer(502, str(error).encode())
            return
        with closing(response):
            _pass_on(peer, response)


def _send(connection: HTTPConnection, request: Request) -> None:
    parts = urlsplit(request.target)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection.putrequest(request.method, target, skip_host=True, skip_accept_encoding=True)
    for name, value in _end_to_end(request.headers):
        connection.putheader(name, value)
    if request.headers.get("Transfer-Encoding"):
        connection.putheader("Content-Length", str(len(request.body)))
    connection.putheader("Via", "1.1 forward-proxy")
    connection.putheader("Connection", "close")
    connection.endheaders(request.body or None)


def _pass_on(peer: Peer, response: HTTPResponse) -> None:
    headers = [*_end_to_end(Headers(response.getheaders())), ("Via", "1.1 forward-proxy")]
    try:
        peer.send_answer(Answer(response.status, _pieces(response), headers, response.reason))
    except (HTTPException, ConnectionError):
        # Half an answer is out: only an early end can say that the rest is missing.
        peer.close()


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    while piece := response.read1(65536):
        yield piece
    if response.length:
        raise ConnectionAbortedError("the origin closed before the end of its body")


def _end_to_end(headers: Headers) -> Headers:
    dropped = _HOP_BY_HOP | headers.tokens("Connection")
    return Headers(pair for pair in headers if pair[0].lower() not in dropped)
