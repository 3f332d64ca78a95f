"""A token bucket: so many a second, and no more."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class TokenBucket:
    """Gives ``rate`` tokens a second, of which ``capacity`` can be saved up; starts full.

    now  the monotonic clock
    """

    __slots__ = ("_at", "_lock", "_now", "_tokens", "capacity", "rate", "refused")

    def __init__(self, rate: float, capacity: float, now: Callable[[], float]) -> None:
        self.rate = rate
        self.capacity = capacity
        self.refused = 0
        """Tokens asked for in vain, ever."""
        self._now = now
        self._lock = threading.RLock()
        self._tokens = capacity
        self._at = now()

    def limit(self, rate: float) -> None:
        """Give ``rate`` a second from now on, and save up one second's worth, or one."""
        self.rate, self.capacity = rate, max(1.0, rate)

    def fill(self) -> None:
        """Save up as many as can be."""
        with self._lock:
            self._tokens = self.capacity

    def take(self) -> bool:
        """Take one; False when there is none."""
        with self._lock:
            now = self._now()
            # A clock that stands still or goes back gives nothing.
            gained = max(0.0, now - self._at) * self.rate
            self._tokens = min(self.capacity, self._tokens + gained)
            self._at = now
            if self._tokens < 1:
                self.refused += 1
                return False
            self._tokens -= 1
            return True

    def after_fork(self) -> None:
        """Forget a lock that a thread of the parent may have held."""
        self._lock = threading.RLock()
