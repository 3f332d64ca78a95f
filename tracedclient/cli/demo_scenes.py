"""What ``tracedclient demo`` calls, and what its traces must then say."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.demo_servers import FAILURES, SLOW_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.cli.demo_servers import Servers
    from tracedclient.trace.model import TraceResult

NOWHERE = "http://nowhere.invalid/"
"""RFC 6761 §6.4: no resolver has an address for it."""


class Scene(NamedTuple):
    title: str
    url: str
    intended: str
    """In words, for when it is not so."""
    as_intended: Callable[[TraceResult], bool]


def scenes(servers: Servers) -> list[Scene]:
    """Return them in the order in which they are shown."""
    return [
        _plain(servers.plain),
        *([_https(servers.https)] if servers.https else []),
        _slow(servers.slow),
        _flaky(servers.flaky),
        _redirected(servers.redirecting),
        _unresolvable(),
    ]


def _plain(url: str) -> Scene:
    return Scene(
        "An ordinary request",
        url,
        "200 at the first attempt",
        lambda trace: _ok(trace) and trace.attempt_count == 1,
    )


def _https(url: str) -> Scene:
    return Scene(
        "Over TLS: the handshake is timed by itself",
        url,
        "200 over TLS",
        lambda trace: _ok(trace) and trace.tls_protocol_version is not None,
    )


def _slow(url: str) -> Scene:
    return Scene(
        "A slow server: the verdict says that it is the server",
        url,
        f"200 after waiting {SLOW_SECONDS} s for the server",
        lambda trace: _ok(trace) and trace.verdict_culprit == "server",
    )


def _flaky(url: str) -> Scene:
    return Scene(
        "A server that fails twice: the client tries again, and says so",
        url,
        f"200 after {FAILURES + 1} attempts",
        lambda trace: _ok(trace) and trace.attempt_count == FAILURES + 1,
    )


def _redirected(url: str) -> Scene:
    return Scene(
        "A redirect: each hop has a bar, and a connection of the pool is used again",
        url,
        "200 after one redirect",
        lambda trace: _ok(trace) and trace.redirect_count == 1 and trace.conn_reused is True,
    )


def _unresolvable() -> Scene:
    return Scene(
        "A name that does not exist: requests.ConnectionError, with a trace",
        NOWHERE,
        "requests.ConnectionError in the phase dns",
        lambda trace: (trace.error_type, trace.error_phase) == ("ConnectionError", "dns"),
    )


def _ok(trace: TraceResult) -> bool:
    return trace.http_response_status_code == 200
