"""What this process knows of the flag: the outcome of each fetch → the decision and the status.

No thread and no I/O but the log. One thread at a time brings news; any thread may read.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tracedclient.bucket import TokenBucket
from tracedclient.debug.document import DEFAULT_RATE, InvalidDocument, excerpt
from tracedclient.debug.journal import Journal
from tracedclient.debug.known import Known
from tracedclient.debug.snapshot import Snapshot, always, parse
from tracedclient.debug.source import Absent, Document, Fetched, NotModified, SourceError
from tracedclient.debug.status import FlagStatus

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.debug.known import Clock
    from tracedclient.debug.override import Override

HEALTHY = 60.0
"""Seconds without a failure after which the next one is the first again."""


class FlagState:
    """The flag as last heard of. ``known``, ``override``, ``watched`` are read by every request."""

    __slots__ = (
        "_announced",
        "_changed_at",
        "_clock",
        "_constant",
        "_journal",
        "_name",
        "_patience",
        "_settle",
        "_turning",
        "_well_since",
        "bucket",
        "changes",
        "changes_held",
        "failing",
        "failures",
        "known",
        "override",
        "ready",
        "retry_after",
        "subscribers",
        "watched",
        "watched_since",
    )

    def __init__(
        self, name: str, *, clock: Clock, patience: float, constant: bool, settle: float
    ) -> None:
        self._name = name
        self._clock = clock
        self._constant = constant
        self._patience = patience
        self._settle = settle
        self._journal = Journal(name, clock.monotonic)
        self._changed_at: float | None = None
        self._well_since: float | None = None
        self._turning = threading.Lock()
        self._announced: Override | None = None
        self.known = Known()
        self.override: Override | None = None
        self.bucket = TokenBucket(DEFAULT_RATE, DEFAULT_RATE, clock.monotonic)
        self.changes = 0
        self.changes_held = 0
        self.failing = False
        self.failures = 0
        self.retry_after = 0.0
        self.ready = threading.Event()
        self.subscribers: dict[object, Callable[[FlagStatus], object]] = {}
        self.watched = constant
        """A thread keeps this up to date, or none needs to."""
        self.watched_since: float | None = None

    # --- what is asked ------------------------------------------------------------------------

    def is_on(self) -> bool:
        wall, since = self._clock.time(), self._clock.monotonic()
        return self.in_force(since).is_on(wall, since)

    def status(self) -> FlagStatus:
        now = self._clock.monotonic()
        snapshot = self.in_force(now)
        known, override = self.known, self.override
        return FlagStatus(
            source=self._name,
            state=known.state(now, watched_since=self.watched_since, patience=self._patience),
            on=snapshot.is_on(self._clock.time(), now),
            until=snapshot.until,
            revision=known.revision,
            age_s=None if known.contact is None else max(0.0, now - known.contact),
            last_error=known.error,
            updated_by=snapshot.updated_by,
            reason=snapshot.reason,
            overridden_by=None if override is None else override.by,
            changes=self.changes,
            changes_held=self.changes_held,
            dropped=self.bucket.refused,
            pid=os.getpid(),
        )

    # --- what is heard from the source --------------------------------------------------------

    def learn(self, fetched: Fetched) -> None:
        """The source answered. Raises ``TypeError`` when that is not one of the three answers."""
        if isinstance(fetched, Document):
            if fetched == self.known.document:
                self._accept(self.known)
            else:
                self._received(fetched)
        elif isinstance(fetched, Absent):
            self._vanished()
        elif isinstance(fetched, NotModified):
            self._accept(self.known)
        else:
            kind = type(fetched).__name__
            raise TypeError(f"fetch() returned {kind}, not Document, NotModified or Absent")
        if self.known.error is None:
            self.ready.set()

    def failed(self, error: BaseException) -> None:
        """The source did not answer, or not sensibly."""
        now = self._clock.monotonic()
        if self._well_since is not None and now - self._well_since >= HEALTHY:
            self.failures = 0
        self._well_since = None
        self.failing = True
        self.failures += 1
        asked_for = error.retry_after if isinstance(error, SourceError) else None
        self.retry_after = asked_for or 0.0
        self._complain(self.known, _in_words(error))

    def tick(self) -> None:
        """Tell, once, that the time is up; and make reading cheap again."""
        known = self.known
        since = self._clock.monotonic()
        self.in_force(since)
        if known.snapshot.on and not known.snapshot.is_on(self._clock.time(), since):
            self.known = replace(known, snapshot=replace(known.snapshot, on=False))
            self._journal.expired()
            self._notify()
        self._journal.catch_up(self.known.revision, self.known.snapshot)

    def watching(self) -> None:
        """A thread is about to keep this up to date."""
        self.watched = True
        self.watched_since = self._clock.monotonic()

    def after_fork(self) -> None:
        """Forget the parent's thread, and the locks that it may have held."""
        ready, self.ready = self.ready, threading.Event()
        if ready.is_set():
            self.ready.set()
        self._turning = threading.Lock()
        self.bucket.after_fork()
        self._journal.after_fork()
        self.watched = False
        self.watched_since = None

    def _received(self, document: Document) -> None:
        before = self.known
        seen = (self._clock.time(), self._clock.monotonic())
        is_news = before.document is None or before.document.body != document.body
        first_seen = seen if is_news else before.first_seen
        try:
            snapshot = self._parsed(document, first_seen)
        except InvalidDocument as error:
            self._well()
            self._complain(replace(before, contact=seen[1]), str(error))
            return
        after = Known(snapshot=snapshot, document=document, first_seen=first_seen)
        if not is_news:
            # Its end, once told, is not told again.
            on = snapshot.on and before.snapshot.on
            self._accept(replace(after, snapshot=replace(snapshot, on=on)))
        elif self._may_change(seen[1]):
            self.bucket.limit(snapshot.max_per_second)
            self._accept(after)
            if not self._constant:
                self._journal.changed(before.revision, document.revision, snapshot)
            self._notify()

    def _parsed(self, document: Document, first_seen: tuple[float, float]) -> Snapshot:
        now, since = first_seen
        snapshot = parse(
            document.body, now=now, since=since, source=self._name, revision=document.revision
        )
        if self._constant:
            return always(self._name) if snapshot.on else Snapshot()
        return snapshot

    def _vanished(self) -> None:
        known = self.known
        if known.document is None:
            self._accept(Known())
        elif self._may_change(self._clock.monotonic()):
            was_on = self.is_on()
            self._accept(Known())
            if was_on:
                self._journal.gone()
            self._notify()

    def _may_change(self, now: float) -> bool:
        """Whether a change may be applied already; the source is asked for it again if not."""
        if self._changed_at is not None and now - self._changed_at < self._settle:
            self.changes_held += 1
            self._accept(self.known)
            return False
        # What a process finds when it starts is no flip.
        if self.known.contact is not None:
            self._changed_at = now
        self.changes += 1
        return True

    def _accept(self, known: Known) -> None:
        self._well()
        self.known = replace(known, contact=self._clock.monotonic(), error=None)
        self._journal.well()

    def _well(self) -> None:
        self.failing = False
        if self._well_since is None:
            self._well_since = self._clock.monotonic()

    def _complain(self, known: Known, problem: str) -> None:
        self.known = replace(known, error=problem)
        self._journal.problem(problem, on=self.is_on())

    # --- the override -------------------------------------------------------------------------

    def in_force(self, since: float) -> Snapshot:
        """What counts now: the override's, as long as it lasts."""
        override = self.override
        if override is not self._announced or (override is not None and since >= override.ends):
            self._turn(since)
            override = self.override
        return self.known.snapshot if override is None else override.snapshot

    def _turn(self, since: float) -> None:
        """Begin or end an override, and tell of it. Whoever comes second waits for nothing."""
        if not self._turning.acquire(blocking=False):
            return
        try:
            override, before = self.override, self._announced
            if override is not None and since >= override.ends:
                # A signal may just have put another in its place.
                self.override = override = None if self.override is override else self.override
            if override is before:
                return
            self._announced = override
            self.bucket.limit((override or self.known).snapshot.max_per_second)
            if override is not None:
                self._journal.overridden(override.by, override.snapshot)
            elif before is not None:
                self._journal.override_ended(before.by, on=self.known.snapshot.on)
        finally:
            self._turning.release()
        self._notify()

    # --- listeners ----------------------------------------------------------------------------

    def _notify(self) -> None:
        if not self.subscribers:
            return
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
