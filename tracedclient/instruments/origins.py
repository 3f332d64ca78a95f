"""Servers as labels of a figure: a monitor keeps a series for each, so there are only so many."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Sequence

_DEFAULT_PORTS = {"http": 80, "https": 443}


class Server(NamedTuple):
    """What is written as ``server.address`` and ``server.port``."""

    address: str
    port: int | None


OTHER = Server("other", None)
UNKNOWN = Server("", None)


class Origins:
    """Names the server of a URL, as itself, by its template, or as ``other``.

    limit      servers that get a label; those met later are ``other``.
    templates  such as ``*.shards.internal``: hosts that match have the template for their label.

    Raises ``TypeError`` or ``ValueError`` that names the argument.
    """

    def __init__(self, limit: int, templates: Sequence[str]) -> None:
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
            raise ValueError(f"max_origins must be an int of 1 or more, not {limit!r}")
        if isinstance(templates, str) or not all(isinstance(text, str) for text in templates):
            raise TypeError(
                f'origin_templates must be a sequence such as ("*.internal",), not {templates!r}'
            )
        self._limit = limit
        self._templates = tuple(text.lower() for text in templates)
        self._labels: set[Server] = set()

    def of(self, url: str) -> Server:
        """Return the label for ``url``'s server."""
        # Of origins there are few, of URLs there are not.
        server = _server(_origin(url))
        return server if server is UNKNOWN else self._bounded(self._by_template(server))

    def _by_template(self, server: Server) -> Server:
        for template in self._templates:
            if fnmatchcase(server.address, template):
                return Server(template, server.port)
        return server

    def _bounded(self, server: Server) -> Server:
        if server in self._labels:
            return server
        # Without a lock, which a fork could leave locked: of two threads that add the last one, both
        # may be refused, and the next is not.
        self._labels.add(server)
        if len(self._labels) > self._limit:
            self._labels.discard(server)
            return OTHER
        return server


def _origin(url: str) -> str:
    end = url.find("/", url.find("//") + 2)
    return url if end < 0 else url[:end]


@lru_cache(maxsize=256)
def _server(origin: str) -> Server:
    try:
        parts = urlsplit(origin)
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return UNKNOWN
    return Server(parts.hostname, port) if parts.hostname else UNKNOWN


def server_of(url: str) -> Server:
    """Return the server of ``url`` itself; ``UNKNOWN`` when it names none."""
    return _server(_origin(url))
