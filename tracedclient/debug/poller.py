"""``Poller``: what one updater thread does, from its start to its end.

It knows nothing of the updater, so that a client dropped without ``close()`` can be collected, and
its thread ended.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.debug.known import Clock
    from tracedclient.debug.source import FlagSource
    from tracedclient.debug.state import FlagState

BACKOFF_FIRST = 1.0
BACKOFF_LAST = 30.0
RETRY_AFTER_LAST = 300.0
"""Seconds of ``SourceError.retry_after`` that are obeyed at most."""


class Poller:
    """Fetches begin ``interval`` seconds apart; at once after a long poll that took longer, and
    where the first one begins.
    """

    def __init__(
        self,
        source: FlagSource,
        state: FlagState,
        *,
        interval: float,
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._source = source
        self._state = state
        self._interval = interval
        self._clock = clock
        self._jitter = jitter
        self._wait = longest_wait(source)
        self._due = clock.monotonic()
        self._recheck_at = self._due + source.recheck
        self.cancel = threading.Event()

    def run(self) -> None:
        """Poll until cancelled. Whatever ends it, the next request sees that it has ended."""
        try:
            while not self.cancel.wait(self._pause()):
                self.poll()
        except BaseException as error:  # noqa: BLE001 - SystemExit too; the next request restarts
            self._state.failed(error)
        finally:
            self._state.watched = False

    def poll(self) -> None:
        """Fetch once and pass on the outcome, whatever it is."""
        self._due = self._clock.monotonic() + self._interval
        self._state.tick()
        previous, wait = self._previous(), self._hold()
        try:
            fetched = self._source.fetch(previous, wait=wait, cancel=self.cancel)
            if not self.cancel.is_set():
                self._state.learn(fetched)
                self._listen_after(previous, wait)
        except Exception as error:  # noqa: BLE001 - a source may fail in any way, and is asked again
            if not self.cancel.is_set():
                self._state.failed(error)

    def _listen_after(self, previous: str | None, wait: float) -> None:
        # A fetch that had to answer at once heard of no change after it: the long poll that does
        # is not to wait for an interval. It follows a document only, so that none follows itself.
        was_held = previous is not None and wait > 0
        if self._wait and not was_held and self._state.known.revision is not None:
            self._due = self._clock.monotonic()

    def _hold(self) -> float:
        # After a failure, news that there is an answer again must not wait for a change.
        return 0.0 if self._state.failing else self._wait

    def _previous(self) -> str | None:
        now = self._clock.monotonic()
        if now < self._recheck_at:
            return self._state.known.revision
        self._recheck_at = now + self._source.recheck
        return None

    def _pause(self) -> float:
        if self._state.failing:
            asked_for = min(RETRY_AFTER_LAST, self._state.retry_after)
            return max(asked_for, backoff_limit(self._state.failures) * self._jitter())
        return max(0.0, self._due - self._clock.monotonic())


def longest_wait(source: FlagSource) -> float:
    """Seconds that a fetch from ``source`` may take for waiting alone."""
    return 0.0 if source.immediate else source.hold


def backoff_limit(failures: int) -> float:
    """Seconds below which the pause after that many failures in a row is drawn: full jitter."""
    return min(BACKOFF_LAST, BACKOFF_FIRST * 2.0 ** min(failures - 1, 10))
