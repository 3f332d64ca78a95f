"""``Web``: HTTP for sources of the flag. One attempt, bounded in time and size; and never traced.

The switch of the traces must not depend on what it switches: this shares nothing with the client.
"""

from __future__ import annotations

from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from tracedclient._version import __version__
from tracedclient.debug.document import MAX_BYTES
from tracedclient.debug.fetching.arguments import (
    check_cert,
    check_headers,
    check_seconds,
    check_verify,
    parse_proxy,
)
from tracedclient.debug.fetching.dial import Dialer
from tracedclient.debug.fetching.patient import Patience, TimeIsUp
from tracedclient.debug.fetching.tls import TLS
from tracedclient.debug.fetching.url import Target, parse_url
from tracedclient.debug.fetching.wire import (
    FAILURES,
    STALE,
    Connection,
    Request,
    merged,
    new_connection,
    phrase,
    proxy_fields,
    retry_after,
)
from tracedclient.debug.source import SourceError
from tracedclient.redaction import describe_error

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping

    from tracedclient.debug.fetching.wire import Response

_PIECE = 16 * 1024
_MAX_KEPT = 8
"""Origins to which an idle connection is kept: a config centre has fewer nodes."""
_DECODED = ("", "identity", "gzip", "x-gzip", "deflate")


class Answer(NamedTuple):
    """A whole answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Looked up without regard to case."""
    body: bytes
    """Decoded. That of an answer which is no 2xx is cut at the limit."""

    @property
    def retry_after(self) -> float | None:
        """Seconds that ``Retry-After`` asks for (RFC 9110 §10.2.3), if it does."""
        return retry_after(self.headers.get("Retry-After", ""))


def refusal(url: str, answer: Answer) -> SourceError:
    """Return the error for an ``answer`` that brings no document: host, status, ``retry_after``."""
    words = f"{parse_url(url).peer} answered {phrase(answer.status)}"
    return SourceError(words, retry_after=answer.retry_after)


class Web:
    """The connections of one source. One thread at a time uses it, as it does the source.

    connect    seconds for a TCP connection to one address
    total      seconds for a whole request, besides those that the server may hold it
    headers    sent with each request
    verify     ``True``, ``False``, or the path of a bundle of certificate authorities
    cert       the client's certificate: path of one file with its key, or a pair of paths
    proxy      ``http://user:password@host:port``; proxies of the environment are not used
    max_bytes  size of an answer's decoded body at most, and of a line

    Raises ``TypeError`` and ``ValueError`` for arguments that cannot work.
    """

    def __init__(
        self,
        *,
        connect: float = 1.0,
        total: float = 5.0,
        headers: Mapping[str, str] | None = None,
        verify: bool | str = True,
        cert: str | tuple[str, str] | None = None,
        proxy: str | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        self._total = check_seconds("total", total)
        self._dialer = Dialer(check_seconds("connect", connect))
        self._headers = {
            "User-Agent": f"tracedclient/{__version__}",
            "Accept-Encoding": "gzip",
            **check_headers(headers),
        }
        self._tls = TLS(check_verify(verify), check_cert(cert))
        self._proxy = None if proxy is None else parse_proxy(proxy)
        self._max_bytes = max_bytes
        self._open: set[Connection] = set()
        self._idle: dict[tuple[str, str, int], Connection] = {}
        self._closed = False

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wait: float = 0.0,
        cancel: threading.Event,
    ) -> Answer:
        """Ask once. Path and query go out byte for byte; a redirect is an answer like any other.

        Ends after ``wait`` + ``total`` seconds, or 0.1 s after ``cancel`` was set. Raises
        ``SourceError``, which names host and reason but no credential and no query, and
        ``ValueError`` when ``url`` cannot be one.
        """
        target = parse_url(url)
        patience = Patience(target.peer, wait + self._total, cancel)
        with self._asked(method, target, check_headers(headers), body, patience) as response:
            return self._read(response, target)

    def lines(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        wait: float,
        cancel: threading.Event,
    ) -> Iterator[bytes]:
        """Yield the lines of a 2xx answer as they arrive, without their ends.

        Returns when the answer has ended, or ``wait`` seconds after its head came. Raises as
        ``request`` does, and ``SourceError`` for any other status and for a line that is too long.
        Closing the generator closes the connection.
        """
        target = parse_url(url)
        patience = Patience(target.peer, wait + self._total, cancel)
        fields = {"Accept-Encoding": "identity", **check_headers(headers)}
        with self._asked(method, target, fields, body, patience) as response:
            if not 200 <= response.status < 300:
                raise refusal(url, self._read(response, target))
            patience.let_end_in(wait)
            with suppress(TimeIsUp):
                yield from _lines(response, target, self._max_bytes)

    def after_fork(self) -> None:
        """Forget the parent's connections, without a word on them."""
        for connection in self._open:
            connection.forget()
        self._open = set()
        self._idle = {}
        self._dialer.after_fork()

    def close(self) -> None:
        """Close the idle connections; one in use is closed when its request ends."""
        self._closed = True
        for connection in list(self._idle.values()):
            self._drop(connection)
        self._idle.clear()

    @contextmanager
    def _asked(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes | None,
        patience: Patience,
    ) -> Iterator[Response]:
        request = Request(method, self._path(target), self._fields(target, headers), body)
        try:
            connection, response = self._ask(target, request, patience)
            try:
                yield response
            except BaseException:
                # urllib3 has closed some of these; the rest of such an answer is still to come.
                self._drop(connection, response)
                raise
            self._give_back(connection, response, target)
        except FAILURES as error:
            words = describe_error(error) or type(error).__name__
            raise SourceError(f"{self._route(target)}: {words}") from error

    def _ask(
        self, target: Target, request: Request, patience: Patience
    ) -> tuple[Connection, Response]:
        kept = self._idle.pop(target[:3], None)
        if kept is not None and not kept.is_connected:
            self._drop(kept)
        elif kept is not None:
            try:
                return kept, self._exchange(kept, request, patience)
            except STALE:
                if request.method != "GET":
                    raise
        fresh = self._new(target)
        return fresh, self._exchange(fresh, request, patience)

    def _exchange(self, connection: Connection, request: Request, patience: Patience) -> Response:
        try:
            return connection.exchange(request, patience)
        except BaseException:
            self._drop(connection)
            raise

    def _new(self, target: Target) -> Connection:
        connection = new_connection(target, self._proxy, dialer=self._dialer, tls=self._tls)
        self._open.add(connection)
        return connection

    def _give_back(self, connection: Connection, response: Response, target: Target) -> None:
        # An answer that is not read to its end, or a 1xx, has more to come on its connection.
        done = response.closed and response.status >= 200
        if not done or connection.sock is None or self._closed:
            self._drop(connection, response)
            return
        self._idle[target[:3]] = connection
        if len(self._idle) > _MAX_KEPT:
            self._drop(self._idle.pop(next(iter(self._idle))))

    def _drop(self, connection: Connection, response: Response | None = None) -> None:
        self._open.discard(connection)
        connection.close()
        if response is not None:
            response.close()

    def _read(self, response: Response, target: Target) -> Answer:
        is_success = 200 <= response.status < 300
        if is_success and response.headers.get("Content-Encoding", "").lower() not in _DECODED:
            raise SourceError(f"{target.peer} answered in a Content-Encoding that is not gzip")
        body = bytearray()
        while len(body) <= self._max_bytes and (piece := response.read(_PIECE)):
            body += piece
        if is_success and len(body) > self._max_bytes:
            limit = self._max_bytes // 1024
            raise SourceError(f"the answer of {target.peer} is larger than {limit} kB")
        return Answer(response.status, response.headers, bytes(body[: self._max_bytes]))

    def _path(self, target: Target) -> str:
        if self._proxy is None or target.scheme == "https":
            return target.path
        return f"{target.scheme}://{target.peer}{target.path}"

    def _fields(self, target: Target, headers: Mapping[str, str]) -> Mapping[str, str]:
        own = {} if target.basic is None else {"Authorization": target.basic}
        is_forwarded = self._proxy is not None and target.scheme == "http"
        proxys = proxy_fields(self._proxy) if self._proxy and is_forwarded else {}
        return merged(self._headers, own, proxys, headers)

    def _route(self, target: Target) -> str:
        return target.peer if self._proxy is None else f"{target.peer} by {self._proxy.peer}"


def _lines(response: Response, target: Target, limit: int) -> Iterator[bytes]:
    begun = b""
    while piece := response.read1(_PIECE):
        *lines, begun = (begun + piece).split(b"\n")
        if max(map(len, [*lines, begun])) > limit:
            raise SourceError(f"{target.peer} sent a line larger than {limit // 1024} kB")
        yield from lines
    if begun:
        yield begun
