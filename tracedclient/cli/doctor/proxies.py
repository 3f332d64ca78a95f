"""Which proxy would a request take? What the environment says, as requests reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tracedclient.cli.doctor.finding import attention, good, problem
from tracedclient.redaction import redact_text, redact_url
from tracedclient.transport.environment import Environment

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tracedclient.cli.doctor.finding import Finding

_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_SCHEMES = frozenset(["http", "https", "socks4", "socks4a", "socks5", "socks5h"])
_REWRITE = "write it as scheme://host:port"


def check_proxies(environ: Mapping[str, str], urls: Iterable[str]) -> Iterator[Finding]:
    """Say what is set in ``environ``, which must be this process's, and what it means for ``urls``."""
    environment = Environment.capture()
    for scheme, url in environment.proxies:
        yield _proxy(scheme, url)
    if not environment.proxies:
        yield good("proxy", "the environment names no proxy")
    yield from _contradictions(environ)
    if environment.proxies and environment.no_proxy:
        yield from _bypasses(environment.no_proxy)
    yield from (_way(environment, url) for url in urls)


def _proxy(scheme: str, url: str) -> Finding:
    shown = _shown(url)
    what = f"{scheme}_proxy is {shown}"
    try:
        parts = urlsplit(shown)
        usable = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        return problem("proxy", f"{what}, which is no proxy's URL", _REWRITE)
    if parts.port is None:
        return attention(
            "proxy", f"{what}, without a port", "a proxy is seldom at 80 or 443; add it"
        )
    return good("proxy", what)


def _shown(url: str) -> str:
    # As requests completes it.
    return redact_url(url if "://" in url else f"http://{url}")


def _contradictions(environ: Mapping[str, str]) -> Iterator[Finding]:
    for name in _VARIABLES:
        lower, upper = environ.get(name), environ.get(name.upper())
        if lower is not None and upper is not None and lower != upper:
            said = f"{name} and {name.upper()} differ; {name} counts"
            yield attention("proxy", said, "set both to the same, or unset one: programs differ")
    if environ.get("REQUEST_METHOD") and environ.get("HTTP_PROXY"):
        said = "HTTP_PROXY is not used, because REQUEST_METHOD is set, as in CGI"
        yield attention("proxy", said, "set http_proxy in its place")


def _bypasses(no_proxy: str) -> Iterator[Finding]:
    entries = [entry.strip() for entry in no_proxy.split(",") if entry.strip()]
    if "*" in entries:
        advice = "take the * out of no_proxy, if there is a proxy for a reason"
        yield attention("proxy", "no_proxy is *: no host is reached through a proxy", advice)
        return
    named = ", ".join(map(redact_text, entries))
    yield good("proxy", f"not through it: {named}, and hosts that end so")
    for entry in entries:
        said = f"no_proxy has {redact_text(entry)!r}, which matches no host"
        if "://" in entry:
            yield attention("proxy", said, "write the host alone")
        elif "*" in entry:
            end = redact_text(entry.replace("*", "").lstrip("."))
            yield attention("proxy", said, f"write {end!r}: the ends of names are compared")


def _way(environment: Environment, url: str) -> Finding:
    parts = urlsplit(url)
    proxies = environment.proxies_for(url)
    found = proxies.get(parts.scheme) or proxies.get("all")
    way = f"through {_shown(found)}" if found else "directly"
    return good("proxy", f"{parts.scheme}://{parts.netloc.rpartition('@')[2]} is reached {way}")
