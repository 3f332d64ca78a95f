"""``race``: several addresses at once, each begun a little after the one before (RFC 8305 §5)."""

from __future__ import annotations

import math
import selectors
import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.transport.candidate import Candidate, Terms


def race(candidates: Sequence[Candidate], terms: Terms, stagger: float) -> Candidate | None:
    """Return the first of ``candidates`` that connects; ``None`` when all of them have failed.

    The next one begins when the one begun before it has failed or ``stagger`` seconds have passed
    since that began; none begins past the deadline. Of several that connect at the same time, the
    one that began first is returned. The others that are still ``running`` are left to the caller.
    """
    with selectors.DefaultSelector() as selector:
        return _Race(candidates, terms, stagger, selector).run()


class _Race:
    """The candidates that wait, those that run, and when the next one begins."""

    def __init__(
        self,
        candidates: Sequence[Candidate],
        terms: Terms,
        stagger: float,
        selector: selectors.BaseSelector,
    ) -> None:
        self._waiting = deque(candidates)
        self._running: list[Candidate] = []
        self._terms = terms
        self._stagger = stagger
        self._selector = selector
        self._next_at = -math.inf

    def run(self) -> Candidate | None:
        winner = None
        while winner is None and (self._waiting or self._running):
            winner = self._wait()
            if winner is None and self._waiting and time.monotonic() >= self._next_at:
                winner = self._begin()
        return winner

    def _begin(self) -> Candidate | None:
        if not self._terms.in_time:
            self._waiting.clear()
            return None
        candidate = self._waiting.popleft()
        if candidate.begin():
            return candidate
        if candidate.running:
            self._running.append(candidate)
            self._selector.register(candidate.sock, selectors.EVENT_WRITE, candidate)
            self._next_at = time.monotonic() + self._stagger
        return None

    def _wait(self) -> Candidate | None:
        """Sleep until something is to be done, and end what has failed or had its time."""
        ready = [key.data for key, _ in self._selector.select(self._patience())]
        connected = [each for each in list(self._running) if each in ready and self._settle(each)]
        if connected:
            return connected[0]
        now = time.monotonic()
        for candidate in [each for each in self._running if each.ends_at <= now]:
            self._leave(candidate)
            candidate.fail(TimeoutError("timed out"))
        return None

    def _patience(self) -> float | None:
        moments = [each.ends_at for each in self._running]
        if self._waiting:
            moments.append(self._next_at)
        earliest = min(moments)
        return None if earliest == math.inf else max(0.0, earliest - time.monotonic())

    def _settle(self, candidate: Candidate) -> bool:
        # Before its socket is closed: the descriptor's number may be the next one's.
        self._leave(candidate)
        return candidate.settle()

    def _leave(self, candidate: Candidate) -> None:
        self._selector.unregister(candidate.sock)
        if candidate is self._running[-1]:
            self._next_at = -math.inf
        self._running.remove(candidate)
