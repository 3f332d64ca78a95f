"""The newest calls, and those that failed or were slow, as a screen that is drawn again and again."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING

from tracedclient.cli.columns import clip
from tracedclient.cli.page import BOLD, DIM
from tracedclient.cli.quantities import counted, duration
from tracedclient.cli.tailing.oneline import is_error, is_slow, one_line
from tracedclient.cli.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.page import Page
    from tracedclient.trace.model import TraceResult

_HELD = 500
"""Calls that the figures are about, and that a screen may have lines for."""
_FRAME = 5
"""Lines that are no calls."""


class Board:
    """What there was, and what there was last. ``slow_ms`` is from when on a call is slow."""

    def __init__(self, slow_ms: float) -> None:
        self.calls = 0
        self.errors = 0
        self.slow = 0
        self._slow_ms = slow_ms
        self._newest: deque[TraceResult] = deque(maxlen=_HELD)
        self._bad: deque[TraceResult] = deque(maxlen=_HELD)

    def add(self, trace: TraceResult) -> None:
        """Take a call that has ended."""
        failed, slow = is_error(trace), is_slow(trace, self._slow_ms)
        self.calls += 1
        self.errors += failed
        self.slow += slow
        self._newest.append(trace)
        if failed or slow:
            self._bad.append(trace)

    def summary(self) -> str:
        """Return the counts in words."""
        return (
            f"{counted(self.calls, 'call', 'calls')}, "
            f"{counted(self.errors, 'error', 'errors')}, "
            f"{self.slow} of {duration(self._slow_ms)} or longer"
        )

    def lines(self, page: Page, height: int, notes: Iterable[str] = ()) -> Iterator[str]:
        """Yield at most ``height`` lines of at most the page's width."""
        rooms = max(1, (height - _FRAME) // 3), max(1, height - _FRAME - (height - _FRAME) // 3)
        yield page.style.paint(clip(self._figures(), page.width), BOLD)
        yield page.style.paint(clip(escape("; ".join(notes)), page.width), DIM)
        titles = "Failed or slow, the last first", "All, the last first"
        for title, traces, room in zip(titles, (self._bad, self._newest), rooms, strict=True):
            yield page.style.paint(clip(title, page.width), BOLD)
            for trace in list(traces)[: -room - 1 : -1]:
                yield one_line(trace, page, self._slow_ms, cut=True)

    def _figures(self) -> str:
        times = sorted(trace.duration_ms for trace in self._newest)
        if not times:
            return "waiting for traces"
        p50, p95 = (times[math.ceil(share * len(times)) - 1] for share in (0.5, 0.95))
        last = f"last {len(times)}: p50 {duration(p50)}, p95 {duration(p95)}"
        return f"{self.summary()}; {last}"
