"""Zipkin's JSON (version 2): one array of spans, as ``POST /api/v2/spans`` and its upload take it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracedclient.cli.convert.sound import sound
from tracedclient.instruments.zipkin.spans import ids_of, spans

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.trace.model import TraceResult


def to_zipkin(traces: Iterable[TraceResult]) -> Iterator[bytes]:
    """Yield one JSON array of the spans of ``traces``, in pieces, one span a line.

    Raises ``ValueError`` when a ``started_at`` is not an ISO 8601 time.
    """
    separator = b"[\n"
    for result in sound(traces):
        for span in spans(result, ids_of(result)):
            yield separator + msgspec.json.encode(span)
            separator = b",\n"
    yield b"\n]\n" if separator == b",\n" else b"[]\n"
