"""W3C ids for a trace: its own where it has one, else derived, the same each time it is converted."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from tracedclient.trace.schema import to_json

if TYPE_CHECKING:
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
    """The span ids of one record, 16 hex digits each: hashes of it, as it names none itself."""

    def __init__(self, result: TraceResult) -> None:
        self._seed = hashlib.sha256(to_json(result)).digest()

    def of(self, *place: int) -> str:
        """Return the id of the call (no ``place``), of attempt n (n), or of its hop h (n, h)."""
        name = ".".join(map(str, place)).encode()
        return hashlib.sha256(self._seed + name).hexdigest()[:16]
