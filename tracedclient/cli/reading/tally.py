"""What was read, and what was left out or is not what it seems; both are said in the end."""

from __future__ import annotations

from collections import Counter

from tracedclient.cli.reading.inputs import STDIN, Unreadable

HALF = "half a record (the rest is missing)"
MISSHAPEN = "no trace, though it says so"
FUTURE = "of a schema that this version cannot read"
NOT_NUMBERS = "with NaN or infinity (taken as absent)"
TWICE = "with a key twice (the last counts)"
NOT_UTF8 = "not UTF-8 (the bytes are shown as \\x..)"
BINARY = "binary (not shown)"
TOO_LONG = "too long (only the beginning is shown)"
PIECES = "with pieces missing"
BACKWARDS = "with a clock that ran backwards"

_DAMAGE = frozenset({HALF, MISSHAPEN, FUTURE, NOT_NUMBERS, BINARY, TOO_LONG, PIECES, BACKWARDS})


class Tally:
    """Counts of one search."""

    def __init__(self) -> None:
        self.files = 0
        self.bytes = 0
        """Plain bytes that were looked at."""
        self.bytes_left = 0
        """Bytes outside of the span of time, not read."""
        self.hits = 0
        self.traces = 0
        self.files_with_hits = 0
        self.unordered: list[str] = []
        self.unreadable: list[Unreadable] = []
        self.oddities: Counter[str] = Counter()

    def cannot_read(self, name: str, error: Exception) -> None:
        """Note that ``name`` could not be read, or not to its end."""
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        self.unreadable.append(Unreadable("standard input" if name == STDIN else name, why))

    @property
    def damaged(self) -> bool:
        """Whether something that was found is not whole."""
        return any(self.oddities[kind] for kind in _DAMAGE)
