"""Calls over time: buckets of a round width, which double up until a chart has room for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.reporting.histogram import Histogram

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_SHOWN = 120
"""Buckets of a chart."""
_MAX_HELD = 4 * MAX_SHOWN

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# Each divides the next, so that buckets can be put together.
_WIDTHS = (1, 5, 10, 30, _MINUTE, 5 * _MINUTE, 10 * _MINUTE, 30 * _MINUTE, _HOUR, 6 * _HOUR, _DAY)


class Slice:
    """The calls that began in one bucket of time."""

    __slots__ = ("calls", "durations", "errors", "retried")

    def __init__(self) -> None:
        self.calls = 0
        self.errors = 0
        self.retried = 0
        self.durations = Histogram()

    def merge(self, other: Slice) -> None:
        """Count all that ``other`` has counted."""
        self.calls += other.calls
        self.errors += other.errors
        self.retried += other.retried
        self.durations.merge(other.durations)


class Timeline:
    """Slices by their number: slice ``n`` begins at ``n * width_s`` seconds since 1970."""

    def __init__(self, width_s: int = 1) -> None:
        self.width_s = width_s
        self.slices: dict[int, Slice] = {}

    def __iter__(self) -> Iterator[tuple[int, Slice]]:
        """Yield when each slice begins, and the slice, in order of time."""
        for number in sorted(self.slices):
            yield number * self.width_s, self.slices[number]

    def at(self, seconds: int) -> Slice:
        """Return the slice of a time, to count in."""
        number = seconds // self.width_s
        found = self.slices.get(number)
        if found is None:
            found = self.slices[number] = Slice()
            if len(self.slices) > _MAX_HELD:
                self._widen(wider(self.width_s))
                return self.at(seconds)
        return found

    def merge(self, other: Timeline) -> None:
        """Count all that ``other`` has counted."""
        self._widen(max(self.width_s, other.width_s))
        for begins, counted in other:
            self.at(begins).merge(counted)

    def settle(self) -> None:
        """Widen the slices until a chart has room for the time from the first to the last."""
        if self.slices:
            begins = [number * self.width_s for number in self.slices]
            self._widen(width_for(min(begins), max(begins), self.width_s))

    def _widen(self, width_s: int) -> None:
        if width_s == self.width_s:
            return
        old = list(self)
        self.width_s, self.slices = width_s, {}
        for begins, counted in old:
            self.at(begins).merge(counted)


def wider(width_s: int) -> int:
    """Return the next width: of a list up to a day, then twice as wide."""
    return next((width for width in _WIDTHS if width > width_s), 2 * width_s)


def width_for(first: int, last: int, width_s: int = 1) -> int:
    """Return the least width, of at least ``width_s``, with at most ``MAX_SHOWN`` slices."""
    while last // width_s - first // width_s >= MAX_SHOWN:
        width_s = wider(width_s)
    return width_s
