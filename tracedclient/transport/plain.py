"""requests' words for a plain exchange: its request → what goes on the wire, the answer → its response."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from requests.utils import get_encoding_from_headers
from urllib3.util import Retry

from tracedclient.transport.answer import WholeResponse
from tracedclient.transport.head import request_head
from tracedclient.transport.headers import made
from tracedclient.transport.prepared import is_plain_url
from tracedclient.transport.writing import Plain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from requests import PreparedRequest

    from tracedclient.transport.exchange import Answered

_MAX_TYPES = 256
_MAX_HOSTS = 1024
_NUMBERS = frozenset({int, float})
_FOREVER = math.inf
_DEFAULT_PORTS = {"http": 80, "https": 443}


MAX_BODY = 1024 * 1024
"""Bytes of an answer that is read in one piece."""


def may_repeat(retries: Retry) -> bool:
    """Whether urllib3 is to judge every answer. Of a total of ``None``, the other counts decide."""
    return retries.total != 0 or bool(retries.status_forcelist) or type(retries) is not Retry


def plain_request(
    request: PreparedRequest, timeout: Any, pool: Any, max_body: int | None
) -> Plain | None:
    """Return ``request`` as it goes to ``pool``; ``None`` when there is anything unusual about it."""
    body, url, method = request.body, request.url, request.method
    if type(url) is not str or type(method) is not str:
        return None
    if not (body is None or type(body) is bytes):
        return None
    connect, read = timeout if type(timeout) is tuple and len(timeout) == 2 else (timeout, timeout)
    for seconds in (connect, read):
        if seconds is not None and not (type(seconds) in _NUMBERS and 0 < seconds < _FOREVER):
            return None
    start = url.find("/", 8)  # behind "https://"
    before = url[:start]
    # Without a path, as somebody has set it, its first slash is in the query, if there is one; and
    # an empty query, requests leaves out.
    is_plain = start > 0 and "?" not in before and "#" not in before and url[-1] != "?"
    target = url[start:] if is_plain else ""
    host, origin = _host(pool.scheme, pool.host, pool.port), ""
    if pool.proxy is not None:
        if not _is_forwarded_plainly(url, pool):
            return None
        host, origin = url[len("http://") : start], before
    head = request_head(method, target, host, request.headers, body, origin=origin)
    if head is None:
        return None
    limit = MAX_BODY if max_body is None or max_body > MAX_BODY else max_body
    # `Plain(…)` would be a call in Python, to the same.
    return tuple.__new__(Plain, (method, head, body, connect, read, limit))


@lru_cache(maxsize=_MAX_HOSTS)
def _host(scheme: str, host: str, port: int) -> str:
    """The value of ``Host`` as http.client and urllib3 make it (RFC 9110 §7.2): without the dot that
    ends a full name, and an IPv6 address in brackets, without its scope (RFC 6874 §4).
    """
    host = host.rstrip(".")
    if ":" in host:
        host = f"[{host.partition('%')[0]}]"
    return host if port == _DEFAULT_PORTS[scheme] else f"{host}:{port}"


def _is_forwarded_plainly(url: str, pool: Any) -> bool:
    """Whether a request through the proxy of ``pool`` differs from any other in its target alone, which
    is ``url`` as it stands (RFC 9112 §3.2.2).
    """
    if pool.proxy_headers or not url.startswith("http://") or not is_plain_url(url):
        return False
    # requests takes the URL apart for the proxy, and loses these.
    return ";" not in url


def whole_response(request: PreparedRequest, answered: Answered, adapter: Any) -> WholeResponse:
    """Return what requests would make of this answer."""
    head = answered.head
    response = WholeResponse(
        head.fields, answered.body, answered.content, sets_cookies=head.sets_cookies
    )
    response.status_code = head.status
    response.reason = head.reason
    response.headers = made(head.named)
    content_type = head.named.get("content-type")
    response.encoding = _encoding(None if content_type is None else content_type[1])
    response.url = request.url or ""
    response.request = request
    response.connection = adapter
    response.peer = answered.peer
    if head.sets_cookies and _are_dated(head.fields):
        # How long they are good for is counted from now on.
        response.cookies  # noqa: B018
    return response


def _are_dated(fields: Sequence[tuple[str, str]]) -> bool:
    cookies = [value.lower() for name, value in fields if name.lower() == "set-cookie"]
    return any("max-age" in cookie or "expires" in cookie for cookie in cookies)


@lru_cache(maxsize=_MAX_TYPES)
def _encoding(content_type: str | None) -> str | None:
    return get_encoding_from_headers({} if content_type is None else {"content-type": content_type})  # type: ignore[arg-type]
