"""A line of a log → the few fields that a report counts. The attempts are not even decoded."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from functools import lru_cache
from typing import NoReturn

import msgspec

from tracedclient.trace.model import PHASES, SCHEMA

SIGN = b"tracedclient.trace/"
"""What every trace, of whatever version, has in its line."""
DURATION = "duration"
MEASURED = (DURATION, *PHASES, "retry_sleep", "unaccounted")
"""What a report has percentiles of; ``NAME_ms`` are the fields."""
FIELDS = tuple(f"{name}_ms" for name in MEASURED)
UNKNOWN = "(unknown)"

# A segment that begins with a digit, or has two in a row, names one thing: an id, a date, a page.
# DuckDB's RE2 reads it too.
ID_SEGMENT = "/(?:[0-9][^/]*|[^/]*[0-9][0-9][^/]*)"
ORIGIN = "^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*"
_ID_SEGMENT = re.compile(ID_SEGMENT)
_ORIGIN = re.compile(ORIGIN)

BY = {
    "host": "server_address",
    "service": "service_name",
    "instance": "host_name",
    "method": "http_request_method",
    "outcome": "outcome",
    "path": "url_full",
}
"""What calls can be grouped by, and the field that says it."""


class Call(msgspec.Struct, gc=False):
    """The summary of a trace, as far as it is counted."""

    schema: str
    trace_id: str
    outcome: str
    verdict_culprit: str
    started_at: str
    duration_ms: float
    retry_count: int
    unaccounted_ms: float
    server_address: str | None = None
    service_name: str | None = None
    host_name: str | None = None
    http_request_method: str | None = None
    url_full: str | None = None
    blocked_ms: float | None = None
    dns_ms: float | None = None
    connect_ms: float | None = None
    proxy_ms: float | None = None
    tls_ms: float | None = None
    send_ms: float | None = None
    wait_ms: float | None = None
    receive_ms: float | None = None
    retry_sleep_ms: float | None = None

    def group(self, by: str) -> str:
        """Return the value of one of ``BY`` that this call is counted under."""
        value = getattr(self, BY[by]) or UNKNOWN
        return path_of(value) if by == "path" else value


class NotCounted(ValueError):
    """A line that says that it is a trace, and is none that can be counted."""


class Future(NotCounted):
    """A trace of a schema that this version does not know."""


_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799
_decoder = msgspec.json.Decoder(Call)


def call_of(line: bytes) -> Call:
    """Return the call of a ``line`` that has ``SIGN`` in it.

    Raises ``NotCounted`` for half a line, a record of the wrong shape, a negative duration or an
    impossible time; ``Future`` for one of another schema.
    """
    try:
        call = _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        _explain(line)
    if call.schema != SCHEMA:
        raise Future(call.schema)
    if not 0 <= call.duration_ms < float("inf"):
        raise NotCounted("duration_ms")
    return call


def epoch(started_at: str) -> int:
    """Return the whole seconds since 1970 of an ISO 8601 time in UTC.

    Raises ``NotCounted`` when it is none.
    """
    return _epoch(started_at[:19])


def iso(seconds: float) -> str:
    """Return whole seconds since 1970 as ``2026-11-20T22:27:58Z``."""
    # A slice of time may begin before the first year that there is, and end after the last.
    within = min(max(seconds, _FIRST_SECOND), _LAST_SECOND)
    moment = datetime.fromtimestamp(within, tz=timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def path_of(url: str) -> str:
    """Return the path of ``url`` with ``*`` for each segment that looks like an id."""
    path = re.split(r"[?#]", _ORIGIN.sub("", url), maxsplit=1)[0]
    return _ID_SEGMENT.sub("/*", path) or "/"


@lru_cache(maxsize=1024)
def _epoch(moment: str) -> int:
    try:
        parsed = datetime.strptime(moment, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError:
        raise NotCounted("started_at") from None
    return int(parsed.timestamp())


class _AnySchema(msgspec.Struct):
    schema: str | None = None


def _explain(line: bytes) -> NoReturn:
    try:
        schema = msgspec.json.decode(line, type=_AnySchema).schema or ""
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise NotCounted("no whole record") from None
    if schema.encode().startswith(SIGN) and schema != SCHEMA:
        raise Future(schema) from None
    raise NotCounted("not of the shape of its schema")
