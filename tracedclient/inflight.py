"""Calls that have not finished: whose they are, where they stand, and until when they may last.

The pool and the connection need to know for which call they work: to name who holds a connection
when another call waits for one, and to end it when its time is over. requests leaves no slot to
tell them, so the call stands in a context variable while its request is on its way.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from tracedclient._value import Value
from tracedclient.redaction import redact_url

if TYPE_CHECKING:
    from tracedclient.trace.model import TraceResult


class InFlight(Value):
    """A call that has not finished, at the moment it was asked for."""

    trace_id: str
    method: str
    url: str
    """Without credentials and query values."""
    attempt: int
    phase: str
    """``prepare``, ``sleep`` between two attempts, or a phase of ``trace.model.PHASES``."""
    age: float
    """Seconds since ``do`` was called."""


class WorkingConnection(Protocol):
    """What a call knows of the connection that works for it."""

    phase: str
    call: OngoingCall | None
    """Which it works for."""

    def set_deadline(self, deadline: float | None) -> None:
        """Bound the rest of the exchange, or no longer."""


class Watches(Protocol):
    """Who wants to know how a call went."""

    def done(self, result: TraceResult | None) -> None:
        """It has ended; ``None``: its trace was lost."""


class OngoingCall:
    """One ``do()``, from its beginning to its end."""

    __slots__ = (
        "__weakref__",
        "attempt",
        "connection",
        "deadline",
        "fresh",
        "method",
        "phase",
        "started",
        "trace_id",
        "url",
        "watches",
    )

    def __init__(
        self,
        trace_id: str,
        method: str | None,
        url: str | None,
        total: float | None,
        watches: Watches | None = None,
    ) -> None:
        self.trace_id = trace_id
        self.method = method
        self.url = url
        self.started = time.monotonic()
        self.deadline = None if total is None else self.started + total
        """On ``time.monotonic``; ``None`` when it may last for ever."""
        self.attempt = 0
        self.fresh = False
        """Whether no kept-alive connection may be used: one was stale, and others may be too."""
        self.phase: str | None = "prepare"
        """Where it stands when no connection works for it; ``None``: ask the connection."""
        self.connection: WorkingConnection | None = None
        """What works for this call; its pool says so."""
        self.watches = watches
        """What is told how it went, once its body has been read too."""

    def begins_now(self) -> None:
        """Begin only now: what has passed was none of this call's time."""
        now = time.monotonic()
        if self.deadline is not None:
            self.deadline += now - self.started
        self.started = now

    def starts(self, attempt: int, *, fresh: bool = False) -> None:
        """Another attempt begins, on a new connection if ``fresh``."""
        self.attempt = attempt
        self.fresh = fresh
        self.connection = None
        self.phase = None

    def sleeps(self) -> None:
        """It waits for its next attempt."""
        self.phase = "sleep"

    def is_handed_over(self) -> None:
        """The answer is its caller's, who reads the body in his own time: the deadline was met."""
        connection = self.connection
        # By now it may work for another call.
        if connection is not None and connection.call is self:
            connection.set_deadline(None)

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self.started

    def now(self) -> InFlight:
        """Return where it stands."""
        connection = self.connection
        phase = self.phase or (connection.phase if connection is not None else "blocked")
        return InFlight(
            trace_id=self.trace_id,
            method=self.method or "",
            url=redact_url(self.url or ""),
            attempt=self.attempt,
            phase=phase,
            age=self.age,
        )


current_call: ContextVar[OngoingCall | None] = ContextVar("tracedclient_call", default=None)
