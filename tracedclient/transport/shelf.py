"""Where a pool keeps its connections: the standard library's ``LifoQueue`` without its ceremony.

Taking one of its idle connections, and putting it back, is what nearly every request does. The
queue's conditions check who owns their lock and wake who waits to put something in: nobody does.
"""

from __future__ import annotations

import queue
from typing import Any


class Shelf(queue.LifoQueue[Any]):
    """A ``LifoQueue`` for many who take and wait, and for who puts without waiting.

    ``join`` and a ``put`` that waits for room are not for it: nothing would end them.
    """

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._waiting = 0

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Take what was put there last; wait for it where there is nothing.

        Raises ``queue.Empty`` when there is nothing in time.
        """
        with self.mutex:
            if self.queue:
                return self.queue.pop()
            if not block:
                raise queue.Empty
            self._waiting += 1
        try:
            return super().get(block, timeout)
        finally:
            with self.mutex:
                self._waiting -= 1

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002
        """Put ``item`` there. Raises ``queue.Full`` when there is no room, whatever ``block`` says."""
        with self.mutex:
            if 0 < self.maxsize <= len(self.queue):
                raise queue.Full
            self.queue.append(item)
            if self._waiting:
                self.not_empty.notify()

    def idle(self) -> int:
        """Return how many connections are there; a ``None`` is room for one."""
        with self.mutex:
            return len(self.queue) - self.queue.count(None)

    def has_room(self) -> bool:
        """Whether there is room for one more at the moment."""
        return not 0 < self.maxsize <= len(self.queue)
