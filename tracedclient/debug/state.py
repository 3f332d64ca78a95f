"""What this process knows of the flag: the outcome of each fetch → the decision and the status.

No thread and no I/O but the log. One thread at a time brings news; any thread may read.
"""

from __future__ import annotations

import threading
from math import inf
from typing import TYPE_CHECKING, Protocol

import msgspec
from msgspec.structs import replace

from tracedclient.debug.document import InvalidDocument, Snapshot, excerpt, parse
from tracedclient.debug.journal import Journal
from tracedclient.debug.source import Absent, Document, Fetched, NotModified, SourceError
from tracedclient.debug.status import FlagStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.debug.status import StateName


class Clock(Protocol):
    """The module ``time``, or a stand-in."""

    def time(self) -> float: ...
    def monotonic(self) -> float: ...


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One consistent view, replaced as a whole so that no reader sees half a change."""

    snapshot: Snapshot = Snapshot()
    deadline: float = inf
    """On the monotonic clock: the wall clock may be set back, and must not prolong anything."""
    revision: str | None = None
    contact: float | None = None
    """When the source last answered, on the monotonic clock."""
    error: str | None = None


class FlagState:
    """The flag as last heard of. ``known`` and ``watched`` are read by every request."""

    __slots__ = (
        "_clock",
        "_constant",
        "_journal",
        "_name",
        "_patience",
        "failures",
        "known",
        "ready",
        "retry_after",
        "subscribers",
        "watched",
        "watched_since",
    )

    def __init__(self, name: str, *, clock: Clock, patience: float, constant: bool) -> None:
        self._name = name
        self._clock = clock
        self._constant = constant
        self._patience = patience
        self._journal = Journal(name)
        self.known = Known()
        self.failures = 0
        self.retry_after = 0.0
        self.ready = threading.Event()
        self.subscribers: dict[object, Callable[[FlagStatus], object]] = {}
        self.watched = constant
        """A thread keeps this up to date, or none needs to."""
        self.watched_since: float | None = None

    def is_on(self) -> bool:
        known = self.known
        return known.snapshot.is_on(self._clock.time()) and self._clock.monotonic() < known.deadline

    def status(self) -> FlagStatus:
        known = self.known
        now = self._clock.monotonic()
        return FlagStatus(
            source=self._name,
            state=self._state_of(known, now),
            on=self.is_on(),
            until=known.snapshot.until,
            revision=known.revision,
            age_s=None if known.contact is None else max(0.0, now - known.contact),
            last_error=known.error,
        )

    def _state_of(self, known: Known, now: float) -> StateName:
        if self._is_overdue(known, now):
            return "STALE"
        if known.error is not None:
            return "ERROR"
        if known.contact is None:
            return "DEFAULT"
        return "ABSENT" if known.revision is None else "READY"

    def _is_overdue(self, known: Known, now: float) -> bool:
        # Nothing is overdue in a process whose first request has not come yet.
        if known.contact is None or self.watched_since is None:
            return False
        return now - max(known.contact, self.watched_since) > self._patience

    def learn(self, fetched: Fetched) -> None:
        """The source answered. Raises ``TypeError`` when that is not one of the three answers."""
        known = self.known
        if isinstance(fetched, Document) and fetched.revision != known.revision:
            self._received(fetched)
        elif isinstance(fetched, Absent):
            self._vanished()
        elif isinstance(fetched, (Document, NotModified)):
            self._accept(known)
        else:
            kind = type(fetched).__name__
            raise TypeError(f"fetch() returned {kind}, not Document, NotModified or Absent")
        if self.known.error is None:
            self.ready.set()

    def failed(self, error: BaseException) -> None:
        """The source did not answer, or not sensibly."""
        self.failures += 1
        asked_for = error.retry_after if isinstance(error, SourceError) else None
        self.retry_after = asked_for or 0.0
        self._complain(self.known, _in_words(error))

    def expire(self) -> None:
        """Tell, once, that the time is up; and make reading cheap again."""
        known = self.known
        if known.snapshot.on and not self.is_on():
            self.known = replace(known, snapshot=replace(known.snapshot, on=False))
            self._journal.expired()
            self._notify()

    def watching(self) -> None:
        """A thread is about to keep this up to date."""
        self.watched = True
        self.watched_since = self._clock.monotonic()

    def after_fork(self) -> None:
        """Forget the parent's thread, and a lock that it may have held."""
        ready, self.ready = self.ready, threading.Event()
        if ready.is_set():
            self.ready.set()
        self.watched = False
        self.watched_since = None

    def _received(self, document: Document) -> None:
        now, before = self._clock.time(), self.known.revision
        try:
            snapshot = parse(document.body, now=now)
        except InvalidDocument as error:
            self.failures = 0
            self._complain(replace(self.known, contact=self._clock.monotonic()), str(error))
            return
        if self._constant:
            self._accept(Known(snapshot=Snapshot(on=snapshot.on), revision=document.revision))
            return
        until = inf if snapshot.until is None else snapshot.until
        deadline = self._clock.monotonic() + until - now
        self._accept(Known(snapshot=snapshot, deadline=deadline, revision=document.revision))
        self._journal.changed(before, document.revision, snapshot)
        self._notify()

    def _vanished(self) -> None:
        was_on, before = self.is_on(), self.known.revision
        self._accept(Known())
        if was_on:
            self._journal.gone()
        if before is not None:
            self._notify()

    def _accept(self, known: Known) -> None:
        self.failures = 0
        self.known = replace(known, contact=self._clock.monotonic(), error=None)
        self._journal.well()

    def _complain(self, known: Known, problem: str) -> None:
        self.known = replace(known, error=problem)
        self._journal.problem(problem, on=self.is_on())

    def _notify(self) -> None:
        status = self.status()
        for callback in list(self.subscribers.values()):
            self._tell(callback, status)

    def _tell(self, callback: Callable[[FlagStatus], object], status: FlagStatus) -> None:
        try:
            callback(status)
        except Exception as error:  # noqa: BLE001 - a listener must not stop the flag
            self._journal.subscriber_raised(error)


def _in_words(error: BaseException) -> str:
    text = excerpt(str(error), 200)
    return text if isinstance(error, SourceError) else f"{type(error).__name__}: {text}"
