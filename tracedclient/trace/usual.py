"""The line of a usual call, without its record.

Nearly every call that is traced is alike: one attempt, one exchange on a connection that was there or
was opened at the first try, an answer that is no error, and nothing slow. To make its record and encode
it costs as much as sending it. What such lines have in common is therefore encoded once, and the figures
of each are put in between.

Nothing here knows what a line looks like: each text is made from the record that ``TraceResult``'s own
way gave for the first call of its shape, and is used only if it gives that very line. So a figure that
is missing in ``_PLACES``, or in the shape, is a slow line and never a wrong one.
``tests/trace/test_usual.py`` holds both ways to the same bytes.
"""

from __future__ import annotations

import re
import time
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from tracedclient.trace.schema import to_dict, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.trace.model import TCP, TraceResult

MAX_SHAPES = 256

_FORGET_EVERY_SECONDS = 60.0


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


_NAMES = (*Figures._fields, *Opening._fields)
_EXCHANGE = ("attempts", 0, "exchanges", 0)
_CONNECTION = (*_EXCHANGE, "connection")
_TEXTS = frozenset(
    ("trace_id", "parent_span_id", "span_id", "url", "slowest", "peer", "local", "remote")
)
_JSON = frozenset(("dns", "connects", "tls"))
_EVENTS = {
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
_MOMENTS: dict[tuple[str | int, ...], str] = {
    ("started_at",): "call_start",
    ("attempts", 0, "started_at"): "attempt_start",
    (*_EXCHANGE, "started_at"): "exchange_start",
}
_PLACES: dict[tuple[str | int, ...], str] = {
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


Like = tuple[object, ...]
"""A ``Shape``."""
Filling = tuple[object, ...]
"""``Figures``, or those with ``Opening``'s after them."""


class Lines:
    """Writes the lines of usual calls. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._full_until = float("-inf")
        self._texts: dict[Like, _Text | None] = {}

    def line(self, shape: Like, figures: Filling, record: Callable[[], TraceResult]) -> str:
        """Return the JSON of ``record()``, without making it if such a call has been seen before."""
        try:
            text = self._texts[shape]
        except KeyError:
            return self._first(shape, figures, record())
        return to_json(record()).decode() if text is None else text.filled(figures)

    @property
    def shapes(self) -> int:
        """How many it knows."""
        return len(self._texts)

    def _first(self, shape: Like, figures: Filling, record: TraceResult) -> str:
        line = to_json(record).decode()
        if not self._has_room():
            return line
        text = _Text(record)
        self._texts[shape] = text if text.filled(figures) == line else None
        return line

    def _has_room(self) -> bool:
        if len(self._texts) < MAX_SHAPES:
            return True
        # To learn a shape takes longer than a record: where there are too many, not all the time.
        now = self._clock()
        if now < self._full_until:
            return False
        self._full_until = now + _FORGET_EVERY_SECONDS
        self._texts.clear()
        return True


class _Text:
    """What the lines of one shape have in common, and in which order the figures come between."""

    def __init__(self, record: TraceResult) -> None:
        plain = to_dict(record)
        for path, name in {**_MOMENTS, **_PLACES}.items():
            _mark(plain, path, name)
        for event in plain["attempts"][0]["exchanges"][0]["events"]:
            event["at"] = _marked(_EVENTS[event["event"]])
        line = msgspec.json.encode(plain).decode()
        places = _MARK.findall(line)
        texts, moments, others = _sorted(places)
        self._line = _MARK.sub(lambda mark: _slot(mark[1]), line)
        self._texts, self._figures = _getter(texts), _getter([*moments, *others])
        self._first_commas, self._commas = len(moments) - 1, len(others)
        self._in_place = itemgetter(*map([*texts, *moments, *others].index, places))
        self._latest: tuple[object, list[str]] = (None, [])

    def filled(self, figures: Filling) -> str:
        """Return the line of a call with these."""
        # All at once, as the record would have them: each by itself takes longer than all.
        written = _encode(self._figures(figures)).decode()[2:-1]
        *moments, others = written.split(",1", self._first_commas)
        pieces = self._pieces(figures[_SECOND_AT]).copy()
        found = [*self._texts(figures), *moments, *others.split(",", self._commas)]
        pieces[1::2] = self._in_place(found)
        return "".join(pieces)

    def _pieces(self, second: object) -> list[str]:
        """Return what stands before, in and after each place, in the lines of ``second``."""
        latest, pieces = self._latest
        if latest != second:
            pieces = self._line.replace(_SECOND, str(second)).split(_PLACE)
            self._latest = second, pieces
        return pieces


_AT = frozenset(_MOMENTS.values()) | frozenset(_EVENTS.values())
_SECOND_AT = Figures._fields.index("second")
_MARK = re.compile('"\ue000([a-z_]+)\ue001"')

# No JSON has these as they are.
_PLACE = "\0"
_SECOND = "\1"

_encode = msgspec.json.Encoder().encode


def _sorted(places: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Return which texts, moments and others have a place, each once."""
    names = dict.fromkeys(places)
    texts = [name for name in names if name in _TEXTS or name in _JSON]
    moments = [name for name in names if name in _AT]
    others = [name for name in names if name not in (*texts, *moments)]
    # What has commas of its own comes last.
    return texts, moments, sorted(others, key="tcp".__eq__)


def _slot(name: str) -> str:
    """Return how a figure stands in a line: between two ``_PLACE``."""
    if name in _AT:
        return f'"{_SECOND}.{_PLACE}{_PLACE}Z"'
    return f'"{_PLACE}{_PLACE}"' if name in _TEXTS else f"{_PLACE}{_PLACE}"


def _getter(names: list[str]) -> itemgetter[Any]:
    return itemgetter(*map(_NAMES.index, names))


def _marked(name: str) -> str:
    return f"\ue000{name}\ue001"


def _mark(plain: Any, path: tuple[str | int, ...], name: str) -> None:
    """Put a mark in the place of a figure, if it is there."""
    *above, last = path
    for step in above:
        if isinstance(step, str) and step not in plain:
            return
        plain = plain[step]
    if last in plain:
        plain[last] = _marked(name)


def quoted(text: str) -> str:
    """Return ``text``, which is printable, as it stands between the quotes of a JSON string."""
    if '"' not in text and "\\" not in text:
        return text
    return msgspec.json.encode(text).decode()[1:-1]
