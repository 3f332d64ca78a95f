"""The times of one call: a wall-clock anchor and a monotonic clock."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tracedclient.trace.model import Event
from tracedclient.trace.moments import SECOND, utc_ns, utc_second
from tracedclient.trace.timings import WRITE_FAILED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.trace.timings import Mark


class Clock:
    """One wall-clock anchor and one monotonic clock: times that can be compared and subtracted."""

    __slots__ = ("anchor", "start")

    def __init__(self) -> None:
        self.start = time.perf_counter_ns()
        self.anchor = time.time_ns() - self.start

    @staticmethod
    def now() -> int:
        """Return nanoseconds on the monotonic clock."""
        return time.perf_counter_ns()

    def utc(self, at: int) -> str:
        """Return ``at`` as UTC, to the microsecond, always of the same width."""
        return utc_ns(self.anchor + at)

    def whole_second(self) -> tuple[str, int]:
        """Return the second in which the call began, and what to add to a monotonic time for the
        nanoseconds since then.
        """
        second = (self.anchor + self.start) // SECOND
        return utc_second(second), self.anchor - second * SECOND

    def events(self, marks: Sequence[Mark]) -> tuple[Event, ...]:
        """Return what happened, each with its time."""
        text, base = self.whole_second()
        events = []
        for mark in marks:
            since = base + mark.at
            # Nearly all of them are in the second in which the call began.
            moment = f"{text}.{since // 1_000:06d}Z" if 0 <= since < SECOND else self.utc(mark.at)
            if mark.hook != WRITE_FAILED:
                events.append(Event(event=mark.hook, at=moment))
        return tuple(events)
