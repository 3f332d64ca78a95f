"""``FlagUpdater``: is debug on for this request? One attribute test when it is not.

It owns the one thread per flag. Constructing starts none; the first question does, in this process
and in every child forked from it.
"""

from __future__ import annotations

import functools
import random
import threading
import time
import weakref
from typing import TYPE_CHECKING, Any

from tracedclient.debug.known import Known
from tracedclient.debug.override import from_environment, override
from tracedclient.debug.poller import Poller, longest_wait
from tracedclient.debug.registry import enrol, follow_forks
from tracedclient.debug.source import FlagSource
from tracedclient.debug.state import FlagState

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tracedclient.debug.known import Clock
    from tracedclient.debug.override import Override
    from tracedclient.debug.status import FlagStatus
    from tracedclient.trace.decision import Decision

MAX_INTERVAL = 3600.0
MISSED = 3
"""Intervals without an answer after which the flag is STALE."""
SETTLE = 5.0
JOIN = 1.0


class FlagUpdater:
    """Keeps one flag up to date.

    source    where it is kept
    interval  seconds between two looks at it
    clock     the module ``time``, or a stand-in with its ``time()`` and ``monotonic()``
    settle    seconds from one change to the next at least, so that a flag that flaps does so
              slowly; a first change never waits. By default five, or two and a half intervals
              if that is less
    jitter    draws a number between 0 and 1, by which a pause after a failure is multiplied

    Raises ``TypeError`` and ``ValueError`` for arguments that cannot work; never because of what
    the source says, or fails to.
    """

    __slots__ = (
        "__weakref__",
        "_clock",
        "_closed",
        "_finalizer",
        "_lock",
        "_monotonic",
        "_new_poller",
        "_poller",
        "_source",
        "_state",
        "_thread",
        "_wall",
    )

    def __init__(
        self,
        source: FlagSource,
        *,
        interval: float = 1.5,
        settle: float | None = None,
        clock: Clock = time,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        _check(source, interval, settle)
        if settle is None:
            settle = min(SETTLE, 2.5 * interval)
        self._source = source
        patience = MISSED * max(interval, longest_wait(source))
        self._clock = clock
        self._wall, self._monotonic = clock.time, clock.monotonic
        self._state = FlagState(
            source.name, clock=clock, patience=patience, constant=source.constant, settle=settle
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
        enrol(self)
        self._override(from_environment(clock))

    @property
    def name(self) -> str:
        """The source's name."""
        return self._source.name

    def is_on(self) -> bool:
        """Whether a call may be traced now. Never blocks, never raises; False once closed."""
        return not self.is_quiet() and self._state.is_on()

    def is_quiet(self) -> bool:
        """Whether no call at all is to be traced, which can be told without a look at the clock.

        True for nearly every call of a service's life: the shortest way to "no".
        """
        state = self._state
        if not state.watched and not self._watch():
            return True
        return state.override is None and not state.known.snapshot.on

    def decide(self, method: str, host: str, path: str, trace_id: str) -> Decision | None:
        """Whether and how to trace a call; ``None``: not at all. Never blocks, never raises.

        ``host`` in lower case without its port, ``path`` without the query, as ``target`` gives.
        """
        state = self._state
        if not state.watched and not self._watch():
            return None
        snapshot, override = state.known.snapshot, state.override
        if override is None and not snapshot.on:
            return None
        try:
            since = self._monotonic()
            if override is not None:
                snapshot = state.in_force(since)
            return snapshot.book.first(method, host, path, trace_id, self._wall(), since)
        except Exception:  # noqa: BLE001 - a request is never harmed by the wish to watch it
            return None

    def admit(self, decision: Decision) -> bool:
        """Whether one more trace may be logged now, by the document's ``max_per_second``.

        What code decided is not counted: ``debug=True``, and ``StaticFlag``.
        """
        return decision.rule is None or self._state.bucket.take()

    def override(self, document: bool | bytes | str | Mapping[str, Any], ttl: float) -> None:
        """Put ``document`` in the place of the source's, in this process, for ``ttl`` seconds.

        For when the config centre is down. ``True``, ``False``, or a flag document as JSON or as
        a mapping; it has the same limits as one of the config centre. It ends after ``ttl``, which
        is at most four hours, or with ``end_override()``.

        Raises ``InvalidDocument`` (a ``ValueError``), ``TypeError`` and ``ValueError``.
        """
        self._override(override(document, ttl, by="call", clock=self._clock))

    def end_override(self) -> None:
        """Let the source decide again."""
        self._override(None)

    def is_overridden(self) -> bool:
        """Whether an override is in force."""
        found = self._state.override
        return found is not None and self._clock.monotonic() < found.ends

    def override_by_signal(self, ttl: float | None) -> None:
        """Trace every call for ``ttl`` seconds, or with ``None`` let the source decide again.

        For signal handlers: takes no lock, and leaves the log line to the next call.
        """
        by_signal = None if ttl is None else override(True, ttl, by="signal", clock=self._clock)
        self._state.override = by_signal

    def _override(self, by: Override | None) -> None:
        if by is not None:
            follow_forks()
        self._state.override = by
        self._state.tick()

    def status(self) -> FlagStatus:
        """How the flag stands. Starts nothing."""
        return self._state.status()

    def subscribe(self, callback: Callable[[FlagStatus], object]) -> Callable[[], None]:
        """Call ``callback(status)`` after each change, in the updater's thread.

        An override's beginning and end are told in the thread that meets them first, which may be
        that of a request: be quick.

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
        self._state.override = None

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
        follow_forks()
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

    def after_fork(self) -> None:
        """Forget the parent's thread. Called by itself, in every forked child."""
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


def _check(source: FlagSource, interval: float, settle: float | None) -> None:
    if not isinstance(source, FlagSource):
        raise TypeError(
            f"source must be a FlagSource such as FileSource(path), not {type(source).__name__}; "
            "for a fixed answer use StaticFlag(True) or StaticFlag(False)"
        )
    if not isinstance(getattr(source, "name", None), str):
        raise TypeError(f"source must have a name: set {type(source).__name__}.name to a str")
    _check_seconds("interval", interval)
    if settle is not None:
        _check_seconds("settle", settle, or_zero=True)


def _check_seconds(name: str, given: object, *, or_zero: bool = False) -> None:
    if isinstance(given, bool) or not isinstance(given, (int, float)):
        raise TypeError(f"{name} must be a number of seconds, not {type(given).__name__}")
    if not 0 < given <= MAX_INTERVAL and not (or_zero and given == 0):
        least = "at least" if or_zero else "above"
        raise ValueError(f"{name} must be {least} 0 and at most {MAX_INTERVAL:.0f} s: {given}")


def _forget(subscribers: dict[object, Callable[[FlagStatus], object]], key: object) -> None:
    subscribers.pop(key, None)
