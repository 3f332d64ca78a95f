"""One batch of spans to the collector.

Straight through http.client: what goes through requests or urllib3 would be traced in its turn, by
us or by whoever instruments those, and its spans would be reported as well, for ever.
"""

from __future__ import annotations

import http.client
import re
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from tracedclient.redaction import describe_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typing_extensions import Self

_STALE = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)
"""How a connection fails that the collector had closed while nobody used it."""
_LARGEST_ANSWER = 64 * 1024
_PATH = "/api/v2/spans"
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class NotTakenError(Exception):
    """The collector did not take a batch; in words."""


class Collector:
    """Where spans are posted to, and how.

    Raises ``TypeError`` or ``ValueError`` that names the argument.
    """

    def __init__(
        self, endpoint: str, *, headers: Mapping[str, str], ca_file: str | None, timeout: float
    ) -> None:
        parts = _parts(endpoint)
        _check_headers(headers)
        self.name = f"{parts.scheme}://{parts.netloc}"
        self._host, self._port = parts.hostname or "", parts.port
        path = parts.path if parts.path.strip("/") else _PATH
        self.target = f"{path}?{parts.query}" if parts.query else path
        self.headers = {**headers, "Content-Type": "application/json"}
        self._tls = _context(ca_file) if parts.scheme == "https" else None
        self._timeout = timeout

    def connect(self) -> http.client.HTTPConnection:
        """Return a connection, which connects with its first request."""
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout, context=self._tls
        )


class Line:
    """The connection to a collector, kept from batch to batch. For one thread."""

    def __init__(self, collector: Collector) -> None:
        self._collector = collector
        self._connection = collector.connect()

    def post(self, body: bytes) -> None:
        """Have the collector take ``body``, a JSON array of spans. Raises ``NotTakenError``."""
        try:
            status = self._answered(body)
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            # Not its own text: an answer that is no HTTP would be quoted there.
            raise NotTakenError(describe_error(error) or type(error).__name__) from error
        if not 200 <= status < 300:
            raise NotTakenError(f"it answered {status}")

    def _answered(self, body: bytes) -> int:
        is_kept = self._connection.sock is not None
        try:
            return self._exchange(body)
        except _STALE:
            if not is_kept:
                raise
            self._connection.close()
            return self._exchange(body)

    def _exchange(self, body: bytes) -> int:
        self._connection.request("POST", self._collector.target, body, self._collector.headers)
        response = self._connection.getresponse()
        # Whether it took them is said by now; the rest is read for the next batch's sake.
        with suppress(OSError, http.client.HTTPException):
            response.read(_LARGEST_ANSWER)
        if not response.isclosed():
            self._connection.close()
        return response.status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def _parts(endpoint: str) -> SplitResult:
    if not isinstance(endpoint, str):
        raise TypeError(f"endpoint must be a URL, not {type(endpoint).__name__}")
    try:
        parts = urlsplit(endpoint)
        known = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        known = None
    if not known or not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        raise ValueError("endpoint must be a URL such as http://zipkin:9411")
    if "@" in parts.netloc:
        raise ValueError("endpoint must hold no credentials; put them into headers")
    return parts


def _check_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        # The value is not quoted: it may be a credential.
        if not isinstance(name, str) or not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"headers must be named by HTTP tokens, not {name!r}")
        if not isinstance(value, str) or not _HEADER_VALUE.fullmatch(value):
            raise ValueError(f"headers: the value of {name} must be a str of latin-1 on one line")


def _context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(
            cafile=DEFAULT_CA_BUNDLE_PATH if ca_file is None else ca_file
        )
    except OSError as error:
        raise ValueError(f"ca_file must be a file of certificates: {ca_file}: {error}") from error
