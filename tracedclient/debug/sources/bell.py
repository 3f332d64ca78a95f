"""``Bell`` and ``BellSource``: a fetch that waits until another's thread says that there is news."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from math import inf

from tracedclient.debug.source import Absent, Document, Fetched, FlagSource

_LOOK_UP = 0.2
"""Seconds within which a cancel is noticed: one thread cannot wait for two events at once."""


class Bell:
    """Rung from any thread, waited for by one."""

    __slots__ = ("__weakref__", "_rung")

    def __init__(self) -> None:
        self._rung = threading.Event()

    def ring(self, *_: object) -> None:
        """Wake who waits, or who waits next. Takes whatever a callback is called with."""
        self._rung.set()

    def silence(self) -> None:
        """Forget earlier rings; do it before looking, so that none in between is lost."""
        self._rung.clear()

    def wait(self, until: float, cancel: threading.Event) -> None:
        """Return when rung or cancelled, or at ``until`` on the monotonic clock."""
        while not cancel.is_set() and (left := until - time.monotonic()) > 0:
            if self._rung.wait(min(left, _LOOK_UP)):
                return

    def after_fork(self) -> None:
        """Be a new one: a thread that the child does not have may have held the lock."""
        self._rung = threading.Event()


class BellSource(FlagSource):
    """A source that looks, and looks again when its bell rings. A subclass says how to ``_look``."""

    _every = inf
    """Seconds after which it looks again although nothing rang."""

    def __init__(self) -> None:
        self._bell = Bell()
        self._told_absent = False

    @abstractmethod
    def _look(self, previous: str | None, cancel: threading.Event) -> Fetched:
        """Ask once, and have the bell rung at the next change. Raises as ``fetch`` does."""

    def fetch(self, previous: str | None, *, wait: float, cancel: threading.Event) -> Fetched:
        """Look until there is news, ``wait`` seconds long. Raises ``SourceError``, or anything."""
        until = time.monotonic() + wait
        while True:
            self._bell.silence()
            found = self._look(previous, cancel)
            if self._is_news(found) or time.monotonic() >= until:
                break
            self._bell.wait(min(until, time.monotonic() + self._every), cancel)
            if cancel.is_set():
                break
        self._told_absent = isinstance(found, Absent)
        return found

    def _is_news(self, found: Fetched) -> bool:
        # The updater has no revision for a document that is absent: so that is remembered here.
        return isinstance(found, Document) or (isinstance(found, Absent) and not self._told_absent)

    def after_fork(self) -> None:
        """Forget the parent's bell, and what it was told."""
        self._bell.after_fork()
        self._told_absent = False
