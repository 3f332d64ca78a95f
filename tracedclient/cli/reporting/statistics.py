"""Calls → counts: by group, over time, by verdict. Both engines fill the same object."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tracedclient.cli.reading.tally import Tally
from tracedclient.cli.reporting.calls import FIELDS, MEASURED, epoch
from tracedclient.cli.reporting.histogram import Histogram
from tracedclient.cli.reporting.timeline import Timeline

if TYPE_CHECKING:
    from tracedclient.cli.reporting.calls import Call
    from tracedclient.trace.model import TraceResult

OK = "ok"
OTHERS = "(others)"
MAX_HELD = 300
"""Groups that are told apart while reading; a log can name any number of hosts."""
MAX_SHOWN = 100
"""Groups that are left in the end, the largest; the rest are one group of their own."""
_MAX_WORDS = 40
"""Different outcomes, or culprits, that are told apart."""


class Group:
    """Calls that have something in common."""

    def __init__(self) -> None:
        self.calls = 0
        self.errors = 0
        self.retried = 0
        self.outcomes: Counter[str] = Counter()
        self.culprits: Counter[str] = Counter()
        self.times: dict[str, Histogram] = {name: Histogram() for name in MEASURED}

    def merge(self, other: Group) -> None:
        """Count all that ``other`` has counted."""
        self.calls += other.calls
        self.errors += other.errors
        self.retried += other.retried
        for words, more in ((self.outcomes, other.outcomes), (self.culprits, other.culprits)):
            for word, count in more.items():
                count_word(words, word, count)
        for name, histogram in other.times.items():
            self.times[name].merge(histogram)


class Reading:
    """What was read, with what, and what was left out."""

    def __init__(self) -> None:
        self.engine = ""
        self.files: list[str] = []
        self.tally = Tally()
        self.tells_half = True
        """Whether a line that is not whole would be in the tally."""


class Statistics:
    """All that a report says of a set of calls, but for the traces it shows whole."""

    def __init__(self, by: str = "host") -> None:
        self.by = by
        self.reading = Reading()
        self.groups: dict[str, Group] = {}
        self.timeline = Timeline()
        self.slowest: list[TraceResult] = []
        """The slowest calls, and the slowest of each culprit; the longest first."""
        self._whole: Group | None = None

    @property
    def whole(self) -> Group:
        """All calls as one group."""
        if self._whole is None:
            self._whole = Group()
            for group in self.groups.values():
                self._whole.merge(group)
        return self._whole

    def group(self, name: str) -> Group:
        """Return the group called ``name``, to count in; the others' when there are too many."""
        self._whole = None
        found = self.groups.get(name)
        if found is None:
            name = name if len(self.groups) < MAX_HELD else OTHERS
            found = self.groups.setdefault(name, Group())
        return found

    def add(self, call: Call) -> None:
        """Count ``call``.

        Raises ``NotCounted``, and counts nothing, when its time is none.
        """
        began = self.timeline.at(epoch(call.started_at))
        group = self.group(call.group(self.by))
        failed, retried = call.outcome != OK, call.retry_count > 0
        for counted in (group, began):
            counted.calls += 1
            counted.errors += failed
            counted.retried += retried
        count_word(group.outcomes, call.outcome)
        count_word(group.culprits, call.verdict_culprit)
        began.durations.add(call.duration_ms)
        for name, field in zip(MEASURED, FIELDS, strict=True):
            ms = getattr(call, field)
            if ms is not None:
                group.times[name].add(ms)

    def settle(self) -> None:
        """Put the smallest groups together, and the slices of time, as a reader can take them in."""
        self.timeline.settle()
        named = sorted(
            (name for name in self.groups if name != OTHERS),
            key=lambda name: (-self.groups[name].calls, name),
        )
        for name in named[MAX_SHOWN:]:
            self.groups.setdefault(OTHERS, Group()).merge(self.groups.pop(name))
        rest = [OTHERS] if OTHERS in self.groups else []
        self.groups = {name: self.groups[name] for name in (*named[:MAX_SHOWN], *rest)}


def count_word(words: Counter[str], word: str, count: int = 1) -> None:
    """Count ``word``, or the others' word when there are too many different ones."""
    if word not in words and len(words) >= _MAX_WORDS:
        word = OTHERS
    words[word] += count
