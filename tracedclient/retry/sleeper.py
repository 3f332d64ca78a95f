"""Sleeping between two tries, in a way that somebody can end: ``client.close()``, or the process.

At exit, Python joins every thread that is no daemon before it runs ``atexit`` hooks. A call that
sleeps for seconds would hold the process for as long. The hook that runs earlier has no public name;
where it is missing, such a process just ends a little later.
"""

from __future__ import annotations

import threading
import weakref


class Woken(Exception):
    """Somebody ended the sleep."""


class Sleeper:
    """Sleeps, until it is woken for good."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._is_known = False

    def sleep(self, seconds: float) -> None:
        """Sleep for ``seconds``. Raises ``Woken`` when ``wake`` is, or has been, called."""
        if not self._is_known:
            self._is_known = True
            _wake_at_exit(self)
        if self._woken.wait(seconds):
            raise Woken

    def wake(self) -> None:
        """End every sleep, and every later one at once."""
        self._woken.set()

    def after_fork(self) -> None:
        """Start anew: a thread that is no more may have held the lock."""
        self._woken = threading.Event()


_sleepers: weakref.WeakSet[Sleeper] = weakref.WeakSet()
_is_registered = False


def _wake_at_exit(sleeper: Sleeper) -> None:
    global _is_registered  # noqa: PLW0603 - hooks of the interpreter cannot be taken back
    _sleepers.add(sleeper)
    if not _is_registered:
        _is_registered = True
        register = getattr(threading, "_register_atexit", None)
        if register is not None:
            # Before the first of these hooks that waits for its own threads: they run last first.
            import concurrent.futures.thread  # noqa: F401, PLC0415

            register(_wake_all)


def _wake_all() -> None:
    for sleeper in list(_sleepers):
        sleeper.wake()
