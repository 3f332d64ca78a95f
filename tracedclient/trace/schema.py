"""``TraceResult`` ⇄ JSON: one line out, one line in, its JSON Schema, and the cut to size.

A line has at most 15,000 bytes: container runtimes split longer ones at 16 KiB, and the second half
is then found by no grep. What is cut is said in ``truncated`` and the ``…_dropped`` counts.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.trace.model import SCHEMA, Attempt, TraceResult

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_LINE = 15_000
"""Bytes of one line, its newline included."""

_FIRST_ATTEMPTS = 2
_LAST_ATTEMPTS = 6
_SHORT = 100
"""Characters of each text when nothing else is left to cut: all texts together fit in a line."""
_ENVELOPE = 1_000
"""Bytes left for what the logger adds: timestamp, level and the application's bound context."""

_encoder = msgspec.json.Encoder()


@cache
def _decoder() -> msgspec.json.Decoder[TraceResult]:
    # Of no use to who only writes traces, and it costs more than the module itself.
    return msgspec.json.Decoder(TraceResult)


class UnknownSchema(ValueError):
    """The line is no trace of a schema that this version can read."""


def to_json(result: TraceResult) -> bytes:
    """Return ``result`` as one line of JSON, without a newline."""
    return _encoder.encode(result)


def json_text(noun: msgspec.Struct | tuple[msgspec.Struct, ...]) -> str:
    """Return a part of a trace as it stands in its line."""
    return _encoder.encode(noun).decode()


def from_json(line: bytes | str) -> TraceResult:
    """Return the trace of one log line; keys that this version does not know are ignored.

    Raises ``UnknownSchema`` for JSON of another schema, ``msgspec.DecodeError`` for what is no
    JSON at all and ``msgspec.ValidationError`` for a record of the wrong shape.
    """
    found = msgspec.json.decode(line, type=_AnySchema).schema
    if found != SCHEMA:
        raise UnknownSchema(f"schema must be {SCHEMA!r}, not {found!r}")
    return _decoder().decode(line)


class _AnySchema(msgspec.Struct):
    schema: str | None = None


def to_dict(result: TraceResult) -> dict[str, Any]:
    """Return ``result`` as the plain dicts, tuples, strings and numbers behind its JSON."""
    builtins: dict[str, Any] = msgspec.to_builtins(result)
    return builtins


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the log line."""
    return msgspec.json.schema(TraceResult)


def fit(result: TraceResult, limit: int = MAX_LINE - _ENVELOPE) -> TraceResult:
    """Return ``result``, cut as little as needed for its JSON to have at most ``limit`` bytes.

    In this order: the events, the attempts between the first two and the last six, the details of
    redirects between an attempt's first and last exchange, all attempts, long texts.
    """
    return fit_json(result, limit)[0]


def fit_json(result: TraceResult, limit: int = MAX_LINE - _ENVELOPE) -> tuple[TraceResult, bytes]:
    """Do as ``fit``, and return the JSON too."""
    line = to_json(result)
    for cut in _CUTS:
        if len(line) <= limit:
            break
        result = cut(result)
        line = to_json(result)
    return result, line


def fits(line: str, limit: int = MAX_LINE - _ENVELOPE) -> bool:
    """Whether ``fit`` would leave a record with this JSON as it is."""
    # A character has four bytes at most.
    return 4 * len(line) <= limit or len(line.encode()) <= limit


def _without_events(result: TraceResult) -> TraceResult:
    return _with_attempts(
        result,
        [
            _replace(attempt, exchanges=tuple(_replace(e, events=()) for e in attempt.exchanges))
            for attempt in result.attempts
        ],
    )


def _without_middle_attempts(result: TraceResult) -> TraceResult:
    kept = _FIRST_ATTEMPTS + _LAST_ATTEMPTS
    dropped = len(result.attempts) - kept
    if dropped <= 0:
        return result
    attempts = (*result.attempts[:_FIRST_ATTEMPTS], *result.attempts[-_LAST_ATTEMPTS:])
    return _replace(_with_attempts(result, list(attempts)), attempts_dropped=dropped)


def _without_middle_exchanges(result: TraceResult) -> TraceResult:
    return _with_attempts(result, [_ends_of(attempt) for attempt in result.attempts])


def _ends_of(attempt: Attempt) -> Attempt:
    dropped = len(attempt.exchanges) - 2
    if dropped <= 0:
        return attempt
    ends = (attempt.exchanges[0], attempt.exchanges[-1])
    return _replace(attempt, exchanges=ends, exchanges_dropped=dropped)


def _without_attempts(result: TraceResult) -> TraceResult:
    return _replace(_with_attempts(result, []), attempts_dropped=result.attempt_count)


def _with_short_texts(result: TraceResult) -> TraceResult:
    texts = {name: getattr(result, name) for name in _TEXTS}
    return _replace(result, **{name: text and text[:_SHORT] for name, text in texts.items()})


def _with_attempts(result: TraceResult, attempts: list[Attempt]) -> TraceResult:
    return _replace(result, attempts=tuple(attempts), truncated=True)


_CUTS: tuple[Callable[[TraceResult], TraceResult], ...] = (
    _without_events,
    _without_middle_attempts,
    _without_middle_exchanges,
    _without_attempts,
    _with_short_texts,
)
_TEXTS = tuple(
    field.name
    for field in msgspec.structs.fields(TraceResult)
    if field.type in (str, str | None) and field.name not in ("schema", "trace_id")
)
_replace = msgspec.structs.replace
