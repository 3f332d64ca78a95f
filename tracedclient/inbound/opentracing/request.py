"""A request before it is served, the same from WSGI and from ASGI."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# RFC 3986, §3.3: what a path may hold as it is.
_IN_PATHS = "/:@!$&'()*+,;=~"
_UNPREFIXED = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


class ServedRequest(NamedTuple):
    """A request that is about to be served. All of it is its sender's word."""

    method: str
    url: str
    """Path and query, as in Go: the query's values included, do not show them."""
    headers: Mapping[str, str]
    """By their names in lower case; several of a name are joined by commas."""
    scope: Mapping[str, Any]
    """WSGI's ``environ``, or ASGI's ``scope``."""


def of_environ(environ: Mapping[str, Any]) -> ServedRequest:
    """Return the request of a WSGI server."""
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return ServedRequest(
        str(environ.get("REQUEST_METHOD", "GET")),
        _url(quote(path, safe=_IN_PATHS, encoding="latin-1"), environ.get("QUERY_STRING", "")),
        dict(_of_variables(environ)),
        environ,
    )


def of_scope(scope: Mapping[str, Any]) -> ServedRequest:
    """Return the request, or the WebSocket's handshake, of an ASGI server."""
    raw = scope.get("raw_path")
    path = raw.decode("latin-1") if raw else quote(scope.get("path", ""), safe=_IN_PATHS)
    return ServedRequest(
        str(scope.get("method", "GET")),
        _url(path, scope.get("query_string", b"").decode("latin-1")),
        _joined(scope["headers"]),
        scope,
    )


def _url(path: str, query: str) -> str:
    return f"{path or '/'}?{query}" if query else path or "/"


def _of_variables(environ: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for variable, value in environ.items():
        if variable.startswith("HTTP_"):
            yield variable[5:].replace("_", "-").lower(), value
        elif variable in _UNPREFIXED and value:
            yield _UNPREFIXED[variable], value


def _joined(headers: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw, value in headers:
        name, text = raw.decode("latin-1").lower(), value.decode("latin-1")
        found[name] = f"{found[name]},{text}" if name in found else text
    return found
