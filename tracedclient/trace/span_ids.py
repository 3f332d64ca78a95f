"""W3C ids for a record's trace and its spans: those that were sent where it has them, else derived,
the same each time.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from tracedclient.trace.b3 import is_span_id
from tracedclient.trace.schema import to_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.trace.model import TraceResult

_HEX = re.compile(r"(?!0+\Z)(?:[0-9a-f]{32}|[0-9a-f]{16})\Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def w3c_trace_id(trace_id: str) -> str:
    """Return 32 lower-case hex digits for ``trace_id``.

    32 hex digits stay, and so do a UUID's; 16 get zeros in front (OpenTelemetry's rule for B3's
    short ids). Of anything else it is a hash, so that all lines with that id are one trace again.
    """
    lower = trace_id.lower()
    plain = lower.replace("-", "") if _UUID.match(lower) else lower
    if _HEX.match(plain):
        return plain.rjust(32, "0")
    return hashlib.sha256(trace_id.encode(errors="surrogatepass")).hexdigest()[:32]


class SpanIds:
    """The span ids of one record, 16 hex digits each: an exchange's is the one that it was sent
    with; a call's, an attempt's and that of a request without one are hashes of the record.
    """

    def __init__(self, result: TraceResult) -> None:
        self._result = result
        self._seed = hashlib.sha256(to_json(result)).digest()
        self._sent = dict(_sent(result))

    @property
    def parent(self) -> str | None:
        """The span that the call was made for; ``None`` when the record names none."""
        span_id = self._result.parent_span_id
        return span_id if span_id is not None and is_span_id(span_id) else None

    def of(self, *place: int) -> str:
        """Return the id of the call (no ``place``), of attempt n (n), or of its hop h (n, h)."""
        sent = self._sent.get(place)
        if sent is not None:
            return sent
        name = ".".join(map(str, place)).encode()
        return hashlib.sha256(self._seed + name).hexdigest()[:16]


def _sent(result: TraceResult) -> Iterator[tuple[tuple[int, ...], str]]:
    # A `traceparent` of the caller's own goes out with each attempt: one id, and not two spans.
    known = {result.parent_span_id}
    for attempt in result.attempts:
        for hop, exchange in enumerate(attempt.exchanges):
            span_id = exchange.span_id
            if span_id is not None and span_id not in known and is_span_id(span_id):
                known.add(span_id)
                yield (attempt.number, hop), span_id
