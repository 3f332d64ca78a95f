"""The flag behind a URL: nginx, a bucket, an admin service, the agent of a config centre.

By content, not by time: nginx makes an ETag of the size and of whole seconds, so that two edits of
one second share it. Bodies are hashed, and a young ETag is not asked about.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Literal
from urllib.parse import urljoin

from tracedclient.debug.fetching.arguments import check_headers
from tracedclient.debug.fetching.url import parse_url
from tracedclient.debug.fetching.web import Answer, Web, refusal
from tracedclient.debug.source import (
    Absent,
    Document,
    Fetched,
    FlagSource,
    NotModified,
    SourceError,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping

_YOUNG = timedelta(seconds=2)
"""Age of a content below which its ETag may come to stand for another content as well."""
_MAX_ETAG = 1024


class HTTPSource(FlagSource):
    """A URL at which a flag document is found. 404 and 410: off.

    headers    sent with each request, such as ``{"Authorization": "Bearer …"}``
    long_poll  how a server that can hold a request until the flag changes is asked to: "prefer"
               sends ``Prefer: wait=30`` (RFC 7240 §4.3), "query" adds ``wait=30`` to the query;
               both with ``If-None-Match``. ``None``: not at all.
    connect    seconds for a connection to one address
    total      seconds for a whole answer, besides those that the server may hold it
    verify     ``True``, ``False``, or the path of a bundle of certificate authorities
    proxy      ``http://host:port``; proxies of the environment are not used

    ``user:password@`` in the URL is sent as Basic. Neither it nor the query is in ``name``, in a
    log or in an error. No redirect is followed.

    Raises ``TypeError`` and ``ValueError`` for arguments that cannot work.
    """

    recheck = 60.0

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        long_poll: Literal["prefer", "query"] | None = None,
        connect: float = 1.0,
        total: float = 5.0,
        verify: bool | str = True,
        proxy: str | None = None,
    ) -> None:
        if long_poll not in {None, "prefer", "query"}:
            raise ValueError(f"long_poll must be None, 'prefer' or 'query', not {long_poll!r}")
        self.name = parse_url(url).shown
        self._url = url.partition("#")[0]
        self._long_poll = long_poll
        if long_poll is None:
            self.hold = 0.0
        fields = {
            "Cache-Control": "no-cache",
            "Accept": "application/json, */*",
            **check_headers(headers),
        }
        self._web = Web(connect=connect, total=total, headers=fields, verify=verify, proxy=proxy)
        self._seen: tuple[str, str] | None = None
        """The ETag that stands for a revision."""

    def fetch(self, previous: str | None, *, wait: float, cancel: threading.Event) -> Fetched:
        """Ask the server. Raises ``SourceError`` for whatever is no flag document."""
        etag = self._etag_of(previous)
        if etag is None:
            return self._learned(self._web.request("GET", self._url, cancel=cancel), previous)
        url, fields = self._url, {"If-None-Match": etag}
        if self._long_poll is None:
            wait = 0.0
        elif self._long_poll == "prefer":
            fields["Prefer"] = f"wait={wait:.0f}"
        else:
            url += f"{'&' if '?' in url else '?'}wait={wait:.0f}"
        answer = self._web.request("GET", url, headers=fields, wait=wait, cancel=cancel)
        return NotModified() if answer.status == 304 else self._learned(answer, previous)

    def _etag_of(self, revision: str | None) -> str | None:
        if self._seen is None or self._seen[1] != revision:
            return None
        return self._seen[0]

    def _learned(self, answer: Answer, previous: str | None) -> Fetched:
        if answer.status in {404, 410}:
            return Absent()
        if answer.status != 200:
            raise self._refusal(answer)
        if answer.body.lstrip().startswith(b"<"):
            raise SourceError(
                f"{parse_url(self._url).peer} answered with a page instead of a flag document: "
                "a log-in, a captive portal, or another URL"
            )
        revision = hashlib.sha256(answer.body).hexdigest()
        etag = _trusted_etag(answer.headers)
        self._seen = None if etag is None else (etag, revision)
        return NotModified() if revision == previous else Document(answer.body, revision)

    def _refusal(self, answer: Answer) -> SourceError:
        error = refusal(self._url, answer)
        location = answer.headers.get("Location")
        if not 300 <= answer.status < 400 or location is None:
            return error
        return SourceError(f"{error}, a redirect to {self._other(location)}, and is not followed")

    def _other(self, location: str) -> str:
        try:
            return parse_url(urljoin(self._url, location)).peer
        except ValueError:
            return "no valid URL"

    def after_fork(self) -> None:
        """Forget the parent's connections."""
        self._web.after_fork()

    def close(self) -> None:
        """Close the connections."""
        self._web.close()


def _trusted_etag(headers: Mapping[str, str]) -> str | None:
    etag = headers.get("ETag", "")
    if not etag or len(etag) > _MAX_ETAG or not etag.isascii() or not etag.isprintable():
        return None
    modified, now = _date(headers.get("Last-Modified")), _date(headers.get("Date"))
    is_young = modified is not None and now is not None and now - modified < _YOUNG
    return None if is_young else etag


def _date(value: str | None) -> datetime | None:
    try:
        # Both are GMT, whatever they say (RFC 9110 §5.6.7).
        return None if value is None else parsedate_to_datetime(value).replace(tzinfo=None)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
