"""The parts of a source's URL: path and query byte for byte, and nothing secret in what is shown."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import NamedTuple
from urllib.parse import SplitResult, unquote_to_bytes, urlsplit

_URL = re.compile(r"(https?)://([^/?#]*)([^#]*)", re.IGNORECASE)
_PORTS = {"http": 80, "https": 443}


class Target(NamedTuple):
    """Where a request goes."""

    scheme: str
    host: str
    port: int
    path: str
    """With the query, as it was given."""
    userinfo: str | None
    """``user:password``, still percent-encoded."""

    @property
    def basic(self) -> str | None:
        """The value of ``Authorization`` that the userinfo stands for (RFC 7617)."""
        if self.userinfo is None:
            return None
        return f"Basic {b64encode(unquote_to_bytes(self.userinfo)).decode()}"

    @property
    def peer(self) -> str:
        """``host`` or ``host:port``, for words."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def shown(self) -> str:
        """The URL without userinfo and query: for names and logs."""
        return f"{self.scheme}://{self.peer}{self.path.partition('?')[0]}"


def parse_url(url: str, *, argument: str = "url") -> Target:
    """Take ``url`` apart. Raises ``TypeError`` and ``ValueError``, which do not show it."""
    if not isinstance(url, str):
        raise TypeError(f"{argument} must be a str, not {type(url).__name__}")
    if not url.isascii() or not url.isprintable() or " " in url:
        raise ValueError(f"{argument} must be percent-encoded ASCII, and a host in its xn-- form")
    match = _URL.match(url)
    if match is None:
        raise ValueError(f"{argument} must begin with http:// or https://")
    scheme, authority, path = match[1].lower(), match[2], match[3]
    userinfo, at, _ = authority.rpartition("@")
    host, port = _address(authority, argument)
    path = path if path.startswith("/") else f"/{path}"
    return Target(scheme, host, port or _PORTS[scheme], path, userinfo if at else None)


def _address(authority: str, argument: str) -> tuple[str, int | None]:
    try:
        parts: SplitResult = urlsplit(f"//{authority}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host:
        raise ValueError(f"{argument} must have a host, and a port that is a number if it has one")
    return host, port
