"""The secrets corpus: a canary in every place of a call, or of an answer, where a credential can be.

The path of a URL is no such place, but for its parameters: it is shown, because it tells one call from
another.
"""

from __future__ import annotations

import base64
import urllib.parse
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CANARY = "c4n4ry"
_RAW = f"{CANARY}/+&=%"
USER = f"user:{CANARY}"
FORMS = (
    CANARY,
    CANARY.encode().hex(),
    "".join(f"%{ord(letter):02X}" for letter in CANARY),
    base64.b64encode(USER.encode()).decode(),
)
"""What to look for: the canary as it is, and as the encodings of HTTP have it."""

HEADERS = (
    "Authorization",
    "Proxy-Authorization",
    "Cookie",
    "X-Api-Key",
    "X-Auth-Token",
    "X-Amz-Security-Token",
    "Idempotency-Key",
    "X-Csrf-Token",
    "X-Something-Of-Ours",
)

PARAMETERS = (
    "token",
    "sig",
    "signature",
    "password",
    "access_token",
    "api_key",
    "X-Amz-Signature",
    "code",
    "something_of_ours",
)

ANSWERS: dict[str, bytes] = {
    "Set-Cookie": f"HTTP/1.1 200 OK\r\nSet-Cookie: s={CANARY}; Path=/\r\n".encode(),
    "WWW-Authenticate": f'HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm="{CANARY}"\r\n'.encode(),
    "Authentication-Info": f'HTTP/1.1 200 OK\r\nAuthentication-Info: nextnonce="{CANARY}"\r\n'.encode(),
    "Location, relative": f"HTTP/1.1 302 Go\r\nLocation: /?token={CANARY}\r\n".encode(),
    "Location, a path's parameter": f"HTTP/1.1 302 Go\r\nLocation: /a;s={CANARY}/b\r\n".encode(),
    "Location, with a user": f"HTTP/1.1 302 Go\r\nLocation: http://{USER}@127.0.0.1:1/\r\n".encode(),
    "Location, another scheme": f"HTTP/1.1 302 Go\r\nLocation: ftp://h/?t={CANARY}\r\n".encode(),
    "Location, malformed": f"HTTP/1.1 302 Go\r\nLocation: http://[{CANARY}\r\n".encode(),
    "Refresh": f"HTTP/1.1 200 OK\r\nRefresh: 0; url=/?token={CANARY}\r\n".encode(),
    "Retry-After": f"HTTP/1.1 503 No\r\nRetry-After: {CANARY}\r\n".encode(),
    "Content-Type": f"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset={CANARY}\r\n".encode(),
    "Content-Encoding": f"HTTP/1.1 200 OK\r\nContent-Encoding: {CANARY}\r\n".encode(),
    "the reason": f"HTTP/1.1 500 token={CANARY}\r\n".encode(),
    "an interim answer": f"HTTP/1.1 103 Hints\r\nLink: </?token={CANARY}>\r\n\r\n".encode()
    + b"HTTP/1.1 200 OK\r\n",
}
"""Heads of answers, but for their framing."""

MALFORMED: dict[str, bytes] = {
    "the status line": f"HTTP/1.1 token={CANARY} OK\r\n\r\n".encode(),
    "the version": f"HTTP/{CANARY} 200 OK\r\n\r\n".encode(),
    "garbage": f"Authorization: Bearer {CANARY}\r\n\r\n".encode(),
    "the length of a chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + f"{CANARY}\r\n".encode(),
    "the length of the body": f"HTTP/1.1 200 OK\r\nContent-Length: {CANARY}\r\n\r\n".encode(),
    "a broken body": b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + CANARY.encode(),
    "an undecodable body": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n"
    + f"Content-Length: 6\r\n\r\n{CANARY}".encode(),
}
"""Whole answers that are none."""

MISSPELT = (
    f"orders.internal/?token={CANARY}",
    f"orders.internal/a;token={CANARY}",
    f"//{USER}@orders.internal/",
    f"http:///?token={CANARY}",
    f"http://{USER}@/",
    f"http://{USER}@[::1/",
    f"http://{USER}@orders.internal:port/",
    f" http://*.internal/?token={CANARY}",
    f"http://{USER}@{'x' * 64}.internal/?token={CANARY}",
    f"ftp://{USER}@orders.internal/?token={CANARY}",
    f"http:///a;token={CANARY}",
)
"""URLs that requests objects to."""

NO_HEADER = f"HTTP/1.1 200 OK\r\nSet-Cookie s={CANARY}\r\nContent-Length: 0\r\n\r\n".encode()
"""A header without its colon, which urllib3 says in a warning of its own."""


@dataclass(frozen=True)
class Place:
    """Where the canary stands in a call: ``url`` is put behind, or into, the server's."""

    name: str
    after: str = ""
    """What follows the host and port."""
    user: bool = False
    """Whether a user and password stand before the host."""
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def url(self, host_port: str) -> str:
        return f"http://{USER + '@' if self.user else ''}{host_port}/{self.after}"


def places() -> Iterator[Place]:
    """Every place of a request."""
    quoted = urllib.parse.quote(_RAW, safe="")
    yield Place("user and password", user=True)
    yield Place("fragment", f"#{CANARY}")
    yield Place("a query without names", f"?{CANARY}")
    yield Place("a query, encoded", f"?q={quoted}")
    yield Place("a query, twice", f"?a=1&a={CANARY}&a=2")
    yield Place("a query with semicolons", f"?a=1;b={CANARY}")
    yield Place("a path's parameter", f"orders;jsessionid={CANARY}")
    yield Place("a path's parameter without a name", f"orders;{CANARY}/7;v=1?x=1")
    yield Place("user and query", f"?p={CANARY}", user=True)
    for name in PARAMETERS:
        yield Place(f"query: {name}", f"?x=1&{name}={CANARY}")
        yield Place(f"params: {name}", arguments={"params": {name: _RAW}})
    for name in HEADERS:
        yield Place(f"header: {name}", arguments={"headers": {name: CANARY}})
        yield Place(f"bad header: {name}", arguments={"headers": {name: f"{CANARY}\n"}})
    yield Place("auth", arguments={"auth": ("user", CANARY)})
    yield Place("cookies", arguments={"cookies": {"session": CANARY}})
    yield Place("idempotency_key", arguments={"idempotency_key": CANARY})
    yield Place("data", arguments={"data": CANARY})
    yield Place("form", arguments={"data": {"password": CANARY}})
    yield Place("json", arguments={"json": {"password": CANARY}})
    yield Place("files", arguments={"files": {"key": (CANARY, CANARY)}})
