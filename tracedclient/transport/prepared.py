"""A usual ``Request`` → its ``PreparedRequest``, without asking what an unusual one would need.

requests takes every URL apart and puts it together again, merges settings that nobody made, and makes
jars for no cookies. A URL that would come out as it went in can be recognised by one regular
expression. ``tests/transport/test_prepared.py`` holds the result to be requests' own.
"""

from __future__ import annotations

import json as stdlib_json
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import requests
from requests.compat import json as complexjson  # type: ignore[attr-defined] # what requests writes with

from tracedclient._pattern import pattern
from tracedclient.transport.content import Unplain
from tracedclient.transport.headers import has, made, merged, pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from requests.structures import CaseInsensitiveDict

_PORT = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
# requests would undo the escape of what need not be escaped: letters, digits and -._~
_ESCAPE = r"%(?!2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])[0-9A-F]{2}"
_PATH = r"[A-Za-z0-9\-_~!$&'()*+,;=:@.]*"
_QUERY = r"[A-Za-z0-9\-_~!$&'()*+,;=:@./?]*"
_ORIGIN = pattern(rf"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::{_PORT})?")
_MAX_ORIGINS = 1024
_TARGET = pattern(
    # No segment begins with a dot: those that are one or two are worked out.
    rf"(?:/(?!\.){_PATH}(?:{_ESCAPE}{_PATH})*)+"
    rf"(?:\?{_QUERY}(?:{_ESCAPE}{_QUERY})*)?"
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NAME = pattern(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def prepared_plainly(
    request: requests.Request, session_headers: CaseInsensitiveDict[Any]
) -> requests.PreparedRequest | None:
    """Return what requests would prepare; ``None`` when anything of ``request`` is unusual.

    For a session without cookies, parameters, authentication and hooks of its own.
    """
    method, url = request.method, request.url
    if method not in _METHODS or type(url) is not str:
        return None
    if request.files or request.auth or request.cookies or request.hooks.get("response"):
        return None
    if request.params:
        url = _with_params(url, request.params)
    if url.find("/", 8) < 0:
        url = _with_path(url)
    named = merged(session_headers, request.headers)
    if not (is_plain_url(url) and _are_plain(named.values())):
        return None
    # Not by its `__init__`, which asks for the default hooks.
    prepared = requests.PreparedRequest.__new__(requests.PreparedRequest)
    prepared.method, prepared.url, prepared.headers = method, url, made(named)
    prepared.body = prepared._cookies = prepared._body_position = None  # noqa: SLF001
    prepared.hooks = {"response": []}
    if request.json is not None and not request.data:
        _set_json(prepared, request.json)
    elif request.data:
        prepared.prepare_body(request.data, None, None)
    elif method not in {"GET", "HEAD"}:
        prepared.headers["Content-Length"] = "0"
    return prepared


def _with_path(url: str) -> str:
    """``url``, which has no path, with the one that requests gives it."""
    place, mark, query = url.partition("?")
    return f"{place}/{mark}{query}"


def is_plain_url(url: str) -> bool:
    """Whether requests and urllib3 leave ``url`` as it is."""
    end = url.find("/", 8)  # behind "https://"
    try:
        return end > 0 and _is_origin(url[:end]) and _TARGET.fullmatch(url, end) is not None
    except Unplain:
        return False


@lru_cache(maxsize=_MAX_ORIGINS)
def _is_origin(text: str) -> bool:
    # Raises, for then the text is not remembered: it may have a password.
    if not _ORIGIN.fullmatch(text):
        raise Unplain
    return True


def _set_json(prepared: requests.PreparedRequest, json: Any) -> None:
    try:
        prepared.body = body = _as_json(json).encode()
    except ValueError:
        # Raises it again, in requests' words.
        prepared.prepare_body(None, None, json)
        return
    headers = prepared.headers
    headers["Content-Length"] = str(len(body))
    if not has(headers, "content-type"):
        headers["Content-Type"] = "application/json"


def _as_json(value: Any) -> str:
    """As requests writes it. ``dumps`` would make an encoder for each; somebody's own is asked."""
    if complexjson.dumps is _dumps:
        return _encoder.encode(value)
    return str(complexjson.dumps(value, allow_nan=False))


_dumps = stdlib_json.dumps
_encoder = stdlib_json.JSONEncoder(allow_nan=False)


def is_prepared_plainly(prepared: requests.PreparedRequest) -> bool:
    """Whether ``prepared_plainly`` has made it, and ``are_plain`` of its headers therefore."""
    return prepared._cookies is None  # noqa: SLF001 - requests always makes a jar


def _with_params(url: str, params: Any) -> str:
    if type(params) is not dict or "?" in url:
        return ""
    if not all(type(name) is str and type(value) in {str, int} for name, value in params.items()):
        return ""
    return f"{url}?{urlencode(params)}"


def are_plain(headers: Mapping[Any, Any]) -> bool:
    """Whether nobody could object to any of ``headers``."""
    return _are_plain(pairs(headers))


def _are_plain(fields: Iterable[tuple[Any, Any]]) -> bool:
    values = []
    for name, value in fields:
        if type(name) is not str or type(value) is not str:
            return False
        if value[:1] == " " or not _is_token(name):
            return False
        values.append(value)
    text = "".join(values)
    return text.isascii() and text.isprintable()


@lru_cache(maxsize=1024)
def _is_token(name: str) -> bool:
    return _NAME.fullmatch(name) is not None
