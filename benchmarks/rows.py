"""The rows of the table. A row is a name and a function that opens its client.

To add one, write a function that takes the server's ``Address`` and returns a ``Client``, and put
it into ``ROWS``.
"""

from __future__ import annotations

import http.client
import logging.config
import socket
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import requests
import urllib3

import tracedclient
from benchmarks.server import ANSWER, BODY, PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.server import Address

BASELINE = "requests.Session.get"
"""The row that the ratios of all others are to."""

_READ = 65536


def _nothing_to_check() -> None:
    pass


class Client(NamedTuple):
    """An open client.

    request  makes one request and returns the body of the answer
    close    gives everything back
    check    called once after the first request; raises when the row does not do what its name
             says beyond the body, such as writing a log line
    """

    request: Callable[[], bytes]
    close: Callable[[], None]
    check: Callable[[], None] = _nothing_to_check


class Row(NamedTuple):
    """One line of the table; ``body`` is what a request must bring."""

    name: str
    open: Callable[[Address], Client]
    body: bytes = BODY


def do_debug_off(address: Address) -> Client:
    """``HTTPClient.do`` as shipped."""
    client = tracedclient.HTTPClient()
    return Client(_do(client, address), client.close)


def do_debug_on(address: Address) -> Client:
    """``HTTPClient.do`` with debug on, each trace written as a JSON line to a file."""
    directory = tempfile.TemporaryDirectory()
    log = Path(directory.name) / "trace.log"
    logging.config.dictConfig(tracedclient.logging_config(filename=log))
    client = tracedclient.HTTPClient(debug=True)

    def check() -> None:
        if not log.exists() or log.read_text(encoding="utf-8").count("\n") != 1:
            raise RuntimeError("the first request with debug on did not log one line")

    def close() -> None:
        client.close()
        _close_handlers("tracedclient.trace")
        directory.cleanup()

    return Client(_do(client, address), close, check)


def _do(client: tracedclient.HTTPClient, address: Address) -> Callable[[], bytes]:
    url = address.url
    return lambda: client.do(requests.Request("GET", url)).content


def _close_handlers(name: str) -> None:
    logger = logging.getLogger(name)
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()


def traced_session(address: Address) -> Client:
    """``TracedSession`` with no trace in force, in requests' place."""
    return _get(tracedclient.TracedSession(), address)


def requests_session(address: Address) -> Client:
    """A session of requests as most services use it."""
    return _get(requests.Session(), address)


def _get(session: requests.Session, address: Address) -> Client:
    url = address.url
    return Client(lambda: session.get(url).content, session.close)


def urllib3_pool_manager(address: Address) -> Client:
    """urllib3, which requests stands on."""
    manager = urllib3.PoolManager()
    url = address.url
    return Client(lambda: manager.request("GET", url).data, manager.clear)


def http_client(address: Address) -> Client:
    """The standard library, which urllib3 stands on."""
    connection = http.client.HTTPConnection(*address)

    def request() -> bytes:
        connection.request("GET", PATH)
        return connection.getresponse().read()

    return Client(request, connection.close)


def raw_socket(address: Address) -> Client:
    """The floor: bytes out, bytes in, nothing parsed."""
    sock = socket.create_connection(address)
    head = f"GET {PATH} HTTP/1.1\r\nHost: {address.host}:{address.port}\r\n\r\n".encode()

    def request() -> bytes:
        sock.sendall(head)
        received = b""
        while len(received) < len(ANSWER):
            data = sock.recv(_READ)
            if not data:
                raise ConnectionError("the server closed the connection")
            received += data
        return received[-len(BODY) :]

    return Client(request, sock.close)


ROWS = (
    Row("HTTPClient.do:debug-off", do_debug_off),
    Row("HTTPClient.do:debug-on", do_debug_on),
    Row("TracedSession.get", traced_session),
    Row(BASELINE, requests_session),
    Row("urllib3.PoolManager.request", urllib3_pool_manager),
    Row("http.client", http_client),
    Row("raw-socket", raw_socket),
)
