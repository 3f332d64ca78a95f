"""Long polls: who waits for which release messages, and how they are woken."""

from __future__ import annotations

import threading


class Poll:
    """One held request. ``settle`` once; whoever comes second is late."""

    def __init__(self, keys):
        self.keys = keys
        self._settled = threading.Event()
        self._lock = threading.Lock()
        self.notification = None

    def settle(self, notification):
        with self._lock:
            if not self._settled.is_set():
                self.notification = notification
                self._settled.set()

    def wait(self, seconds):
        """Return ``(content, id)`` of the message that came, or ``None``."""
        self._settled.wait(seconds)
        return self.notification


class Notices:
    """The polls of one node. More than ``batch`` are woken in batches, ``pause`` seconds apart."""

    def __init__(self, *, batch=100, pause=0.1):
        self.batch = batch
        self.pause = pause
        self._waiting: list[Poll] = []
        self._changed = threading.Condition()

    def register(self, keys):
        poll = Poll(keys)
        with self._changed:
            self._waiting.append(poll)
            self._changed.notify_all()
        return poll

    def unregister(self, poll):
        with self._changed:
            self._waiting.remove(poll)
            self._changed.notify_all()

    def wait_until(self, count, seconds):
        """Whether ``count`` polls are held within that time."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._waiting) == count, seconds)

    def wake(self, content, number, stopping):
        with self._changed:
            waiting = [poll for poll in self._waiting if content in poll.keys]
        for start in range(0, len(waiting), self.batch):
            if start and stopping.wait(self.pause):
                return
            for poll in waiting[start : start + self.batch]:
                poll.settle((content, number))

    def interrupt(self):
        with self._changed:
            for poll in self._waiting:
                poll.settle(None)
