"""A line that was found → the trace that it is, or a line of the application's own.

Slower than ``trace.schema.from_json`` and more patient: a search finds few lines, and what is wrong
with one of them matters to who reads it.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.cli.reading import tally
from tracedclient.cli.reading.entries import Entry, as_text
from tracedclient.cli.timeline import rows
from tracedclient.trace.model import SCHEMA, TraceResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.reading.wrapping import Line
    from tracedclient.cli.timeline import Row

_ABSENT = object()
"""Stands for a number that is none, until the key it belongs to is dropped."""
_AGE_MS = 1e12
"""Thirty years: no call lasts as long, and no screen could draw it."""
_FAMILY = "tracedclient.trace/"
_SIGN = re.compile(r'"schema"\s*:\s*"tracedclient\.trace/')


def understood(line: Line, file: str, ids: tuple[str, ...]) -> Entry:
    """Return what ``line`` says."""
    entry = as_text(line, file, ids)
    return entry if entry.is_binary else _with_record(entry, list(entry.oddities))


def _with_record(entry: Entry, notes: list[str]) -> Entry:
    parsed = _Parsed(entry.text)
    if parsed.fields is None:
        cut = _SIGN.search(entry.text) is not None and not notes
        return entry._replace(oddities=(*notes, *([tally.HALF] if cut else [])))
    trace, wrong = _trace(parsed.fields)
    said = [*notes, *parsed.oddities, *wrong] if _is_ours(parsed.fields) else notes
    return entry._replace(fields=parsed.fields, trace=trace, oddities=tuple(said))


def _is_ours(fields: dict[str, Any]) -> bool:
    return str(fields.get("schema")).startswith(_FAMILY)


def _trace(fields: dict[str, Any]) -> tuple[TraceResult | None, list[str]]:
    if not _is_ours(fields):
        return None, []
    if fields["schema"] != SCHEMA:
        return None, [tally.FUTURE]
    try:
        trace = msgspec.convert(fields, TraceResult)
        # Every time in it has to be one, or nothing can be drawn.
        lasting = [trace.duration_ms, *_lasting(rows(trace))]
    except (ValueError, OverflowError):
        return None, [tally.MISSHAPEN]
    if max(lasting) > _AGE_MS:
        return None, [tally.MISSHAPEN]
    return (None, [tally.BACKWARDS]) if min(lasting) < 0 else (trace, [])


def _lasting(bars: Iterable[Row]) -> Iterator[float]:
    for bar in bars:
        yield bar.start_ms
        yield bar.duration_ms
        yield from (segment.ms for segment in bar.segments)


class _Parsed:
    """The JSON object in a line, with or without a text before it, and what is odd about it."""

    def __init__(self, text: str) -> None:
        self.oddities: list[str] = []
        self.fields: dict[str, Any] | None = None
        begin = text.find('{"')
        if begin < 0:
            return
        try:
            # Not msgspec: it takes no NaN and no lone surrogate, and does not tell of a key twice.
            found = json.loads(
                text[begin:],
                object_pairs_hook=self._object,
                parse_constant=self._not_a_number,
                parse_float=self._number,
            )
        except (ValueError, RecursionError):
            return
        self.fields = found if isinstance(found, dict) else None

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = {key: value for key, value in pairs if value is not _ABSENT}
        if len({key for key, _ in pairs}) < len(pairs):
            self._note(tally.TWICE)
        return made

    def _not_a_number(self, _: str) -> object:
        self._note(tally.NOT_NUMBERS)
        return _ABSENT

    def _number(self, text: str) -> object:
        number = float(text)
        return number if math.isfinite(number) else self._not_a_number(text)

    def _note(self, oddity: str) -> None:
        if oddity not in self.oddities:
            self.oddities.append(oddity)
