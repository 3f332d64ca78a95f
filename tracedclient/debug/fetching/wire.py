"""One connection, and what urllib3 and http.client make of it. Only this module knows them."""

from __future__ import annotations

import http.client
import os
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from urllib3 import HTTPHeaderDict, HTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, InvalidHeader
from urllib3.util import Retry

from tracedclient.debug.fetching.patient import Patience, PatientSocket, PatientTLSSocket

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from tracedclient.debug.fetching.dial import Dialer
    from tracedclient.debug.fetching.tls import TLS
    from tracedclient.debug.fetching.url import Target

STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
"""How a connection fails that the peer had closed while nobody looked."""
FAILURES = (OSError, HTTPError, http.client.HTTPException, ValueError)
"""What a network or a peer may cause, besides ``SourceError``."""
_LONGEST_DATE = 64
Response: TypeAlias = HTTPResponse


class HeadCutOff(http.client.HTTPException):
    """The connection ended inside the head, which http.client takes for a whole one."""


class Request(NamedTuple):
    """What goes out, ``path`` as it is: with the query, or a whole URL for a proxy."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None


class Connection(HTTPConnection):
    """A connection whose every wait is as long as its patience for the request at hand."""

    dialer: Dialer
    patience: Patience

    def exchange(self, request: Request, patience: Patience) -> Response:
        """Send, and read the head of the answer. Raises one of ``FAILURES``, ``SourceError``."""
        self.patience = patience
        if isinstance(self.sock, (PatientSocket, PatientTLSSocket)):
            self.sock.patience = patience
        self.request(request.method, request.path, body=request.body, headers=request.headers)
        sock = self.sock
        # urllib3's own getresponse logs the whole URL when it does not like a header.
        raw = http.client.HTTPConnection.getresponse(self)
        if getattr(sock, "has_ended", False):
            raw.close()
            raise HeadCutOff
        return Response(
            raw,
            headers=HTTPHeaderDict(raw.headers.items()),
            status=raw.status,
            preload_content=False,
            original_response=raw,
            request_method=request.method,
        )

    def forget(self) -> None:
        """Close this process's descriptor of a socket that is the parent's."""
        # Not the response: a thread that the child does not have may hold its reader's lock.
        if self.sock is not None:
            with suppress(OSError):
                os.close(self.sock.detach())

    def _new_conn(self) -> socket.socket:
        return self.dialer.dial(self._dns_host, self.port, self.patience)


class _Plain(Connection):
    pass


class _Secure(Connection, HTTPSConnection):
    pass


def new_connection(target: Target, proxy: Target | None, *, dialer: Dialer, tls: TLS) -> Connection:
    """Return one that connects with its first request. Raises ``OSError``."""
    host, port = (proxy or target)[1:3]
    if target.scheme == "http":
        connection: Connection = _Plain(host, port)
    else:
        connection = _Secure(host, port, ssl_context=tls.context())
        if proxy is not None:
            connection.set_tunnel(target.host, target.port, headers=proxy_fields(proxy))
    connection.dialer = dialer
    return connection


def merged(*several: Mapping[str, str]) -> HTTPHeaderDict:
    """Return the fields of all; the last of a name wins, whatever its case."""
    fields = HTTPHeaderDict()
    for each in several:
        fields.update(each)
    return fields


def proxy_fields(proxy: Target) -> dict[str, str]:
    """Return what a proxy wants to know before it serves."""
    return {} if proxy.basic is None else {"Proxy-Authorization": proxy.basic}


def phrase(status: int) -> str:
    """``404 Not Found``; the number alone for a status that RFC 9110 does not know."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def retry_after(value: str) -> float | None:
    """Seconds that a ``Retry-After`` asks for; ``None`` for a value that is none."""
    if len(value) > _LONGEST_DATE:
        return None
    try:
        return Retry().parse_retry_after(value)
    except (InvalidHeader, ValueError, OverflowError):
        return None
