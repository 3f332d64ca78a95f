"""What is usual: the recent medians of each origin, to compare a long call with.

They come from the calls that were traced, in this process, since it began: where nothing is traced,
nothing is learnt, and nothing is spent.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from tracedclient.trace.model import PHASES, Usual
from tracedclient.trace.verdict import UNUSUAL_MS

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tracedclient.trace.model import TraceResult

WINDOW = 31
"""The last calls of which the median is taken; of a phase, the last that had it."""

MIN_CALLS = 8
"""With fewer, nothing is usual yet."""

MIN_OF_PHASE = 3
"""The same for a phase, which need not take place in every call."""

MAX_ORIGINS = 128
"""The origin that was called longest ago is forgotten for one more."""

_BATCH = 64
"""Calls that are sorted in together, if nobody asks before."""

_INDEX = {phase: index for index, phase in enumerate(PHASES, 1)}


class Baseline:
    """The recent medians of one client. Safe to use from several threads, and after a fork."""

    def __init__(self) -> None:
        self.after_fork()

    def after_fork(self) -> None:
        """Begin with nothing: another thread may have held the lock at the fork."""
        # A signal handler may make a call while its thread learns from one.
        self._lock = threading.RLock()
        self._origins: OrderedDict[str, tuple[deque[float], ...]] = OrderedDict()
        self._counted: deque[tuple[str, float, Mapping[str, float]]] = deque()

    def learn(self, origin: str, result: TraceResult) -> None:
        """Count a call that went well, on its first attempt."""
        if result.outcome != "ok" or result.attempt_count != 1:
            return
        phases = {phase: getattr(result, f"{phase}_ms") for phase in PHASES}
        taken = {phase: ms for phase, ms in phases.items() if ms is not None}
        self.count(origin, result.duration_ms, taken)

    def count(self, origin: str, duration_ms: float, phases: Mapping[str, float]) -> None:
        """Count a call that went well, and had these phases, which must not change any more."""
        counted = self._counted
        # Without the lock: what is usual is asked for once in many calls.
        counted.append((origin, duration_ms, phases))
        if len(counted) >= _BATCH:
            with self._lock:
                self._sort_in()

    def usual(self, origin: str, duration_ms: float) -> Usual | None:
        """Return what is usual for a call that took ``duration_ms``; ``None`` while too little is
        known, and for a call so short that nobody will ask.
        """
        if duration_ms < UNUSUAL_MS:
            return None
        with self._lock:
            self._sort_in()
            found = self._origins.get(origin)
            if found is None or len(found[0]) < MIN_CALLS:
                return None
            durations, *phases = (tuple(recent) for recent in found)
        medians = {
            f"{phase}_ms": _median(recent)
            for phase, recent in zip(PHASES, phases, strict=True)
            if len(recent) >= MIN_OF_PHASE
        }
        return Usual(calls=len(durations), duration_ms=_median(durations), **medians)

    @property
    def origins(self) -> int:
        """How many it knows."""
        with self._lock:
            self._sort_in()
            return len(self._origins)

    def _sort_in(self) -> None:
        # Not by their number: a signal handler may ask in the middle, and take the rest.
        while (counted := self._next()) is not None:
            origin, duration_ms, phases = counted
            recent = self._recent(origin)
            recent[0].append(duration_ms)
            for phase, ms in phases.items():
                recent[_INDEX[phase]].append(ms)

    def _next(self) -> tuple[str, float, Mapping[str, float]] | None:
        try:
            return self._counted.popleft()
        except IndexError:
            return None

    def _recent(self, origin: str) -> tuple[deque[float], ...]:
        recent = self._origins.get(origin)
        if recent is None:
            recent = tuple(deque(maxlen=WINDOW) for _ in range(len(PHASES) + 1))
            self._origins[origin] = recent
            if len(self._origins) > MAX_ORIGINS:
                self._origins.popitem(last=False)
        else:
            self._origins.move_to_end(origin)
        return recent


def _median(recent: Collection[float]) -> float:
    """The lower one of the two in the middle, where there are two: a figure that was measured."""
    return sorted(recent)[(len(recent) - 1) // 2]
