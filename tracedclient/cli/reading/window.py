"""The part of a time-ordered file that a span of time lies in, by bisection: a few dozen reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.reading.clock import time_of

if TYPE_CHECKING:
    from tracedclient.cli.reading.compression import Source

SLACK_S = 60.0
"""Lines are written when a call ends, by many threads, and clocks are corrected: so far a line may
lie from its place, and so much wider is the window that is read."""

_NEAR = 64 * 1024
"""Bytes between two probes below which reading costs less than bisecting."""
_PROBE = 64 * 1024
_PATIENCE = 16
"""Probes that may pass without any time, in a long traceback, say."""


class Span(NamedTuple):
    """From when to when, in seconds since the epoch; ``None`` is open."""

    since: float | None = None
    until: float | None = None

    def holds(self, moment: float | None, slack: float = SLACK_S) -> bool:
        """Whether ``moment`` is in the span, give or take; an unknown one is given the benefit."""
        if moment is None:
            return True
        return not (
            (self.since is not None and moment < self.since - slack)
            or (self.until is not None and moment > self.until + slack)
        )


class Window(NamedTuple):
    """Bytes to read: from a line's beginning up to another's."""

    start: int
    end: int
    ordered: bool = True
    """False when the file is not in order of time, so that all of it has to be read."""


class _Probe(NamedTuple):
    at: int
    moment: float


class _Unordered(Exception):
    pass


def window(source: Source, size: int, span: Span) -> Window:
    """Return where in a seekable ``source`` of ``size`` bytes the lines of ``span`` are.

    It is wider than the span by ``SLACK_S`` on both sides. Lines without a time belong to the one
    before them. That a file is in order is concluded from the lines that were looked at.
    """
    try:
        search = _Bisection(source, size)
        start = 0 if span.since is None else search.before(span.since - SLACK_S)
        end = size if span.until is None else search.after(span.until + SLACK_S)
    except _Unordered:
        return Window(0, size, ordered=False)
    return Window(start, max(start, end))


class _Bisection:
    def __init__(self, source: Source, size: int) -> None:
        self._source = source
        self._size = size
        self._buffer = bytearray(_PROBE)
        self._known: list[_Probe] = []
        for edge in (0, max(0, size - _NEAR)):
            self._probe(edge)

    def before(self, moment: float) -> int:
        """Return the beginning of a line that is earlier than ``moment``, and near to it."""
        return self._around(moment)[0]

    def after(self, moment: float) -> int:
        """Return the beginning of a line that is later, and near; the size where there is none."""
        return self._around(moment)[1]

    def _around(self, moment: float) -> tuple[int, int]:
        low, high = 0, self._size
        earlier, later = 0, self._size
        if self._known and self._known[-1].moment < moment:
            # Nothing but the tail can be later, and the tail has been looked at.
            low = earlier = self._known[-1].at
        while high - low > _NEAR:
            middle = (low + high) // 2
            probe = self._probe(middle)
            if probe is None or probe.moment > moment:
                high, later = middle, probe.at if probe else later
            else:
                low, earlier = max(middle, min(probe.at, high)), probe.at
        return earlier, later

    def _probe(self, offset: int) -> _Probe | None:
        """Return the first line with a time that begins at ``offset`` or later."""
        at = offset
        for _ in range(_PATIENCE):
            self._source.seek(at)
            count = self._source.readinto(self._buffer) or 0
            if not count:
                return None
            begin = 0 if at == 0 else self._buffer.find(b"\n", 0, count) + 1
            while (end := self._buffer.find(b"\n", begin, count) + 1) > 0:
                moment = time_of(bytes(self._buffer[begin:end]))
                if moment is not None:
                    return self._noted(_Probe(at + begin, moment))
                begin = end
            at += begin - 1 if begin > 1 else count
        raise _Unordered

    def _noted(self, probe: _Probe) -> _Probe:
        self._known = sorted({*self._known, probe})
        moments = [known.moment for known in self._known]
        highest = moments[0]
        for moment in moments:
            if moment < highest - SLACK_S:
                raise _Unordered
            highest = max(highest, moment)
        return probe
