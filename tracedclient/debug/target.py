"""Where a request goes, as rules see it: host and path of a URL nobody has checked yet."""

from __future__ import annotations


def target(url: str | None) -> tuple[str, str]:
    """Return the host in lower case, without port and userinfo, and the path, without the query.

    Takes any string and raises for none: a bad URL is the request's own error, told later.
    """
    _, slashes, rest = (url or "").partition("://")
    if not slashes:
        return "", ""
    rest = rest.partition("#")[0].partition("?")[0]
    authority, _, path = rest.partition("/")
    host = authority.rpartition("@")[2]
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return name.lower(), f"/{path}"
