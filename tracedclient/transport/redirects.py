"""What a redirect may take along. A company's client must not carry one origin's secrets to another
because that origin said so.

requests drops ``Authorization`` on the way to another host and forwards the rest: API keys, cookies
given with the request, idempotency keys, and the body of a 307.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from requests.exceptions import InvalidSchema, RequestException

from tracedclient._value import Value

if TYPE_CHECKING:
    from requests import PreparedRequest, Response

MAX_BODY = 64 * 1024
"""Bytes of a redirect's body that are read and kept."""

_CHUNK = 8 * 1024
_HARMLESS = frozenset({"accept", "accept-encoding", "accept-language", "user-agent", "connection"})
_TRAVELLER = "_tracedclient_traveller"
_DEFAULT_PORTS = {"http": 80, "https": 443}


class RedirectPolicy(Value):
    """What goes along to another origin (scheme, host and port). Within one, everything does."""

    headers: frozenset[str] = frozenset()
    """Names of headers, besides ``Accept`` and ``User-Agent``, that may cross."""
    body: bool = False
    """Whether the body of a 307 or 308 may cross; if not, such a redirect is refused."""
    downgrade: bool = False
    """Whether https may fall to http; if not, such a redirect is refused."""
    limit: int = 5
    """How many are followed for one request."""

    def __post_init__(self) -> None:
        for name in ("body", "downgrade"):
            if not isinstance(getattr(self, name), bool):
                raise TypeError(f"{name} must be True or False, not {getattr(self, name)!r}")
        if isinstance(self.limit, bool) or not isinstance(self.limit, int) or self.limit < 0:
            raise ValueError(f"limit must be an int of 0 or more, not {self.limit!r}")
        self._set(headers=_names(self.headers))

    def apply(self, request: PreparedRequest, came_from: str) -> None:
        """Take off ``request`` what may not go to its URL from ``came_from``.

        Raises ``RedirectRefused`` when it may not go there at all.
        """
        old, new = _origin(came_from), _origin(request.url or "")
        if old == new:
            return
        if old[0] == "https" and new[0] == "http" and not self.downgrade:
            raise RedirectRefused("the redirect leads from https to http", request=request)
        if request.body is not None and not self.body:
            raise RedirectRefused(
                "the redirect would carry the request's body to another origin", request=request
            )
        for name in list(request.headers):
            if str(name).lower() not in _HARMLESS | self.headers and not _frames(name, request):
                del request.headers[name]


def settle(response: Response) -> None:
    """Read a redirect's body, which nobody wants, up to a bound.

    requests reads and decompresses all of it: a small one on the wire may be huge in memory.
    """
    kept = bytearray()
    try:
        for chunk in response.iter_content(_CHUNK):
            kept += chunk
            if len(kept) > MAX_BODY:
                response.close()
                break
    except RequestException:
        response.close()
    response._content = bytes(kept)  # noqa: SLF001 - requests has no other place for it
    response._content_consumed = True  # noqa: SLF001


class Traveller(Protocol):
    """What goes along with one call's requests."""

    def follow(self, request: PreparedRequest) -> None:
        """Alter ``request``, which a redirect led to, after the redirect policy has seen it."""

    def leave(self, request: PreparedRequest) -> None:
        """Take its own off ``request``, a copy that belongs to another call."""


def carry_on(traveller: Traveller, request: PreparedRequest) -> None:
    """Have ``traveller`` follow ``request`` wherever redirects lead it."""
    setattr(request, _TRAVELLER, traveller)


def follow(request: PreparedRequest, came_from: PreparedRequest) -> None:
    """Have what travels with ``came_from`` follow on to ``request``."""
    traveller: Traveller | None = getattr(came_from, _TRAVELLER, None)
    if traveller is not None:
        carry_on(traveller, request)
        traveller.follow(request)


def copied(request: PreparedRequest) -> PreparedRequest:
    """Return a copy of ``request`` for another call, also of one that was sent: ``answer.request``."""
    copy = request.copy()
    traveller: Traveller | None = getattr(request, _TRAVELLER, None)
    if traveller is not None:
        traveller.leave(copy)
    return copy


class RedirectRefused(InvalidSchema):
    """A redirect leads where its request must not go. Say so to whoever runs the server."""


def _names(headers: Any) -> frozenset[str]:
    is_one = isinstance(headers, str) or not isinstance(headers, Iterable)
    names: list[Any] = [None] if is_one else list(headers)
    if not all(isinstance(name, str) for name in names):
        hint = f"; for their number, RedirectPolicy(limit={headers})"
        raise TypeError(
            'headers must be a collection of names such as {"X-Trace-Id"}, '
            f"not {headers!r}{hint if isinstance(headers, int) else ''}"
        )
    return frozenset(name.lower() for name in names)


def _frames(name: str, request: PreparedRequest) -> bool:
    return request.body is not None and str(name).lower().startswith(("content-", "transfer-"))


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or _DEFAULT_PORTS.get(parts.scheme)
