"""``FlagUpdater``: is debug on for this request? One attribute test when it is not.

It owns the one thread per flag. Constructing starts none; the first question does, in this process
and in every child forked from it.
"""

from __future__ import annotations

import functools
import os
import random
import threading
import time
import weakref
from typing import TYPE_CHECKING

from tracedclient.debug.poller import Poller, longest_wait
from tracedclient.debug.source import FlagSource
from tracedclient.debug.state import FlagState, Known
from tracedclient.trace.decision import Decision

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.debug.state import Clock
    from tracedclient.debug.status import FlagStatus

MAX_INTERVAL = 3600.0
MISSED = 3
"""Intervals without an answer after which the flag is STALE."""
JOIN = 1.0


class FlagUpdater:
    """Keeps one flag up to date.

    source    where it is kept
    interval  seconds between two looks at it
    clock     the module ``time``, or a stand-in with its ``time()`` and ``monotonic()``
    jitter    draws a number between 0 and 1, by which a pause after a failure is multiplied

    Raises ``TypeError`` and ``ValueError`` for arguments that cannot work; never because of what
    the source says, or fails to.
    """

    __slots__ = (
        "__weakref__",
        "_closed",
        "_finalizer",
        "_lock",
        "_new_poller",
        "_poller",
        "_source",
        "_state",
        "_thread",
    )

    def __init__(
        self,
        source: FlagSource,
        *,
        interval: float = 2.0,
        clock: Clock = time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        _check(source, interval)
        self._source = source
        patience = MISSED * max(interval, longest_wait(source))
        self._state = FlagState(
            source.name, clock=clock, patience=patience, constant=source.constant
        )
        self._new_poller = functools.partial(
            Poller, source, self._state, interval=interval, clock=clock, jitter=jitter
        )
        self._lock = threading.Lock()
        self._closed = False
        self._thread: threading.Thread | None = None
        self._poller: Poller | None = None
        self._finalizer: weakref.finalize[[], FlagUpdater] | None = None
        if source.immediate:
            self._new_poller().poll()

    @property
    def name(self) -> str:
        """The source's name."""
        return self._source.name

    def is_on(self) -> bool:
        """Whether debug is on now. Never blocks, never raises; False once closed."""
        state = self._state
        if not state.watched and not self._watch():
            return False
        return state.known.snapshot.on and state.is_on()

    def decide(self, method: str, host: str, path: str, trace_id: str) -> Decision | None:  # noqa: ARG002
        """Whether and how to trace a call; ``None``: not at all. Never blocks, never raises.

        ``host`` in lower case without its port, ``path`` without the query, as ``target`` gives.
        """
        if not self.is_on():
            return None
        return Decision(source=self.name, revision=self._state.known.revision)

    def status(self) -> FlagStatus:
        """How the flag stands. Starts nothing."""
        return self._state.status()

    def subscribe(self, callback: Callable[[FlagStatus], object]) -> Callable[[], None]:
        """Call ``callback(status)`` after each change, in the updater's thread.

        Returns a function that ends it. What the callback raises is logged and goes no further.
        Raises ``TypeError`` when ``callback`` cannot be called.
        """
        if not callable(callback):
            raise TypeError(f"callback must be callable, not {type(callback).__name__}")
        key = object()
        subscribers = self._state.subscribers
        subscribers[key] = callback
        return lambda: _forget(subscribers, key)

    def wait_ready(self, timeout: float) -> bool:
        """Wait until the source has answered once. False after ``timeout`` seconds without."""
        return (self._state.watched or self._watch()) and self._state.ready.wait(timeout)

    def close(self) -> None:
        """Switch off, end the thread (waiting for it at most a second), close the source."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._state.watched = False
        self._stop()
        self._tell_source(self._source.close)
        self._state.known = Known()

    def _stop(self) -> None:
        if self._poller is None or self._thread is None:
            return
        self._poller.cancel.set()
        if self._thread is not threading.current_thread():
            self._thread.join(JOIN)

    def _watch(self) -> bool:
        """See to it that a thread runs. False when closed."""
        if self._closed:
            return False
        _follow_forks(self)
        # Whoever has the lock is starting the thread, or closing: no request waits for that.
        if self._lock.acquire(blocking=False):
            try:
                self._start()
            finally:
                self._lock.release()
        return not self._closed

    def _start(self) -> None:
        if self._closed or self._state.watched:
            return
        self._poller = self._new_poller()
        self._thread = threading.Thread(
            target=self._poller.run, name=f"tracedclient-{self.name}", daemon=True
        )
        self._drop_finalizer()
        self._finalizer = weakref.finalize(self, self._poller.cancel.set)
        self._state.watching()
        try:
            self._thread.start()
        except RuntimeError as error:
            # No more threads in this process, or it is about to end.
            self._thread = None
            self._state.watched = False
            self._state.failed(error)

    def _drop_finalizer(self) -> None:
        if self._finalizer is not None:
            self._finalizer.detach()

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        self._thread = self._poller = None
        # The parent's event may be locked for ever in this copy; the finalizer would wait for it.
        self._drop_finalizer()
        self._state.after_fork()
        self._tell_source(self._source.after_fork)

    def _tell_source(self, event: Callable[[], None]) -> None:
        try:
            event()
        except Exception as error:  # noqa: BLE001 - neither a fork nor a close may fail for a flag
            self._state.failed(error)

    def __repr__(self) -> str:
        status = self.status()
        return f"<FlagUpdater {self.name} {status.state} {'on' if status.on else 'off'}>"


def _check(source: FlagSource, interval: float) -> None:
    if not isinstance(source, FlagSource):
        raise TypeError(
            f"source must be a FlagSource such as FileSource(path), not {type(source).__name__}; "
            "for a fixed answer use StaticFlag(True) or StaticFlag(False)"
        )
    if not isinstance(getattr(source, "name", None), str):
        raise TypeError(f"source must have a name: set {type(source).__name__}.name to a str")
    if isinstance(interval, bool) or not isinstance(interval, (int, float)):
        raise TypeError(f"interval must be a number of seconds, not {type(interval).__name__}")
    if not 0 < interval <= MAX_INTERVAL:
        raise ValueError(f"interval must be above 0 and at most {MAX_INTERVAL:.0f} s: {interval}")


def _forget(subscribers: dict[object, Callable[[FlagStatus], object]], key: object) -> None:
    subscribers.pop(key, None)


_forked_along: weakref.WeakSet[FlagUpdater] = weakref.WeakSet()


def _follow_forks(updater: FlagUpdater) -> None:
    _register_once()
    _forked_along.add(updater)


@functools.cache
def _register_once() -> None:
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _after_fork_in_child() -> None:
    for updater in list(_forked_along):
        updater._after_fork()  # noqa: SLF001 - this module's own
