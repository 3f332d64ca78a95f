"""Where a pool keeps its connections: of a ``LifoQueue`` what urllib3 uses, without the ceremony.

Taking one of its idle connections, and putting it back, is what nearly every request does. The
queue's conditions check who owns their lock and wake who waits to put something in: nobody does.
Nor is it made from the queue, in whose place gevent puts another.
"""

from __future__ import annotations

import queue
import threading
from typing import Any


class Shelf:
    """A ``LifoQueue`` for many who take and wait, and for who puts without waiting."""

    def __init__(self, maxsize: int = 0) -> None:
        self.maxsize = maxsize
        self.queue: list[Any] = []
        self._lock = threading.Lock()
        self._has_come = threading.Condition(self._lock)
        self._waiting = 0

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take what was put there last; wait for it where there is nothing.

        Raises ``queue.Empty`` when there is nothing in time.
        """
        try:
            # Without the lock, which is for who waits: a list gives each of its items to one only.
            return self.queue.pop()
        except IndexError:
            taken = self._waited_for(timeout) if block else ()
        if not taken:
            raise queue.Empty
        return taken[0]

    def _waited_for(self, timeout: float | None) -> tuple[Any, ...]:
        with self._lock:
            self._waiting += 1
            try:
                return self._has_come.wait_for(self._taken, timeout)
            finally:
                self._waiting -= 1

    def _taken(self) -> tuple[Any, ...]:
        try:
            return (self.queue.pop(),)
        except IndexError:
            return ()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002
        """Put ``item`` there. Raises ``queue.Full`` when there is no room, whatever ``block`` says."""
        with self._lock:
            if 0 < self.maxsize <= len(self.queue):
                raise queue.Full
            self.queue.append(item)
            if self._waiting:
                self._has_come.notify()

    def put_back(self, item: Any) -> None:
        """Undo a ``get``. There is always room for what was there a moment ago."""
        with self._lock:
            self.queue.append(item)
            if self._waiting:
                self._has_come.notify()

    def idle(self) -> int:
        """Return how many connections are there; a ``None`` is room for one."""
        with self._lock:
            return len(self.queue) - self.queue.count(None)

    def qsize(self) -> int:
        """How many things are there."""
        return len(self.queue)

    def empty(self) -> bool:
        """Whether nothing is there."""
        return not self.queue

    def full(self) -> bool:
        """Whether there is no room."""
        return 0 < self.maxsize <= len(self.queue)
