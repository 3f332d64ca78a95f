"""What is different in each usual call, and where in its record it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from tracedclient.trace.model import TCP


class Shape(NamedTuple):
    """What decides which fields a line has, and what of it repeats. Two calls alike in all of these
    differ in their ``Figures`` alone.
    """

    constants: tuple[object, ...]
    """Of the process, the client, the origin and the method."""
    has: tuple[bool, ...]
    """Which of the figures that need not be there are."""
    words: tuple[str | None, ...]
    """What was said of the attempt and of the connection."""
    before: tuple[str, ...]
    """The hooks up to the connection, one of ``timings.OPENINGS``."""


class Figures(NamedTuple):
    """What is different in each call. Texts are as JSON has them, ``quoted``; times are microseconds
    of ``second``, and a million: so each has seven digits, the last six of which are to be written.
    """

    trace_id: str
    parent_span_id: str | None
    span_id: str | None
    url: str
    second: str
    """UTC, ``2026-11-20T22:27:58``."""
    call_start: int
    attempt_start: int
    exchange_start: int
    started: int
    get_conn: int
    got_conn: int
    wrote: int
    first_byte: int
    head: int
    put: int
    done: int
    call_ms: float
    attempt_ms: float
    exchange_ms: float
    send: float
    wait: float
    receive: float
    unaccounted: float
    call_unaccounted: float
    slowest: str | None
    status: int
    peer: str | None
    peer_port: int | None
    conn_id: int
    age: float
    uses: int
    idle: float | None
    local: str | None
    remote: str | None
    pool_in_use: int
    pool_idle: int
    pool_limit: int
    bytes_sent: int | None
    bytes_received: int
    reads: int | None
    silence: float
    buffered: float | None
    tcp: TCP | None
    cpu: float | None
    throttled: float | None


class Opening(NamedTuple):
    """What else is different in each call that opened its connection; ``None`` is for what that did
    not take.
    """

    dns_start: int | None
    dns_done: int | None
    connect_start: int | None
    connect_done: int | None
    tls_start: int | None
    tls_done: int | None
    dns_ms: float | None
    connect_ms: float | None
    tls_ms: float | None
    dns: str | None
    """JSON, as the next two."""
    connects: str
    tls: str


Like = tuple[object, ...]
"""A ``Shape``."""
Filling = tuple[object, ...]
"""``Figures``, or those with ``Opening``'s after them."""

NAMES = (*Figures._fields, *Opening._fields)
"""Of the figures, as they lie in a ``Filling``."""
TEXTS = frozenset(
    ("trace_id", "parent_span_id", "span_id", "url", "slowest", "peer", "local", "remote")
)
"""Those that stand between quotes, when they are there."""
JSON = frozenset(("dns", "connects", "tls"))
"""Those that are JSON already."""

_EXCHANGE = ("attempts", 0, "exchanges", 0)
_CONNECTION = (*_EXCHANGE, "connection")
EVENTS = {
    "exchange_start": "started",
    "get_conn": "get_conn",
    "dns_start": "dns_start",
    "dns_done": "dns_done",
    "connect_start": "connect_start",
    "connect_done": "connect_done",
    "tls_handshake_start": "tls_start",
    "tls_handshake_done": "tls_done",
    "got_conn": "got_conn",
    "wrote_headers": "wrote",
    "wrote_request": "wrote",
    "got_first_response_byte": "first_byte",
    "response_head": "head",
    "put_idle_conn": "put",
    "body_done": "done",
}
"""Whose moment is which figure."""
MOMENTS: dict[tuple[str | int, ...], str] = {
    ("started_at",): "call_start",
    ("attempts", 0, "started_at"): "attempt_start",
    (*_EXCHANGE, "started_at"): "exchange_start",
}
"""Where in the record which other moment stands."""
PLACES: dict[tuple[str | int, ...], str] = {
    ("trace_id",): "trace_id",
    ("parent_span_id",): "parent_span_id",
    ("url_full",): "url",
    (*_EXCHANGE, "url"): "url",
    (*_EXCHANGE, "span_id"): "span_id",
    ("http_response_status_code",): "status",
    ("attempts", 0, "status"): "status",
    (*_EXCHANGE, "status"): "status",
    ("duration_ms",): "call_ms",
    ("attempts", 0, "duration_ms"): "attempt_ms",
    (*_EXCHANGE, "duration_ms"): "exchange_ms",
    ("dns_ms",): "dns_ms",
    (*_EXCHANGE, "ms", "dns"): "dns_ms",
    (*_EXCHANGE, "dns"): "dns",
    ("connect_ms",): "connect_ms",
    (*_EXCHANGE, "ms", "connect"): "connect_ms",
    (*_EXCHANGE, "connects"): "connects",
    ("tls_ms",): "tls_ms",
    (*_EXCHANGE, "ms", "tls"): "tls_ms",
    (*_EXCHANGE, "tls"): "tls",
    ("send_ms",): "send",
    (*_EXCHANGE, "ms", "send"): "send",
    ("wait_ms",): "wait",
    (*_EXCHANGE, "ms", "wait"): "wait",
    ("receive_ms",): "receive",
    (*_EXCHANGE, "ms", "receive"): "receive",
    (*_EXCHANGE, "ms", "unaccounted"): "unaccounted",
    ("unaccounted_ms",): "call_unaccounted",
    ("slowest_phase",): "slowest",
    ("network_peer_address",): "peer",
    ("network_peer_port",): "peer_port",
    (*_CONNECTION, "id"): "conn_id",
    (*_CONNECTION, "age_ms"): "age",
    (*_CONNECTION, "uses"): "uses",
    (*_CONNECTION, "idle_ms"): "idle",
    (*_CONNECTION, "local"): "local",
    (*_CONNECTION, "remote"): "remote",
    (*_EXCHANGE, "pool", "in_use"): "pool_in_use",
    (*_EXCHANGE, "pool", "idle"): "pool_idle",
    (*_EXCHANGE, "pool", "limit"): "pool_limit",
    (*_EXCHANGE, "bytes_sent"): "bytes_sent",
    (*_EXCHANGE, "bytes_received"): "bytes_received",
    (*_EXCHANGE, "reads"): "reads",
    (*_EXCHANGE, "longest_silence_ms"): "silence",
    (*_EXCHANGE, "buffered_ms"): "buffered",
    (*_EXCHANGE, "cpu_ms"): "cpu",
    (*_EXCHANGE, "throttled_ms"): "throttled",
    (*_EXCHANGE, "tcp"): "tcp",
}
"""Where in the record which figure stands that is no moment."""


def quoted(text: str) -> str:
    """Return ``text``, which is printable, as it stands between the quotes of a JSON string."""
    if '"' not in text and "\\" not in text:
        return text
    return msgspec.json.encode(text).decode()[1:-1]
