"""Leave an origin alone while most of what it is asked fails; ask it again with one call.

closed     every call goes, its end is counted
open       too many of them failed: none goes for ``open_for`` seconds
half-open  one call, the probe, goes. Its success closes the breaker, its failure opens it again

No lock is held while a call is on its way, so a slow one delays no other. A call that was on its
way when the breaker opened says nothing of what came after it. A probe that never reports is given
up after ``open_for`` seconds, and another one goes.
"""

from __future__ import annotations

import functools
import time
from random import random as random_unit
from typing import TYPE_CHECKING, Literal, NamedTuple

from tracedclient._value import Value
from tracedclient.errors import CircuitOpen
from tracedclient.retry.budget import MAX_ORIGINS, PerOrigin, SlidingCount, check_number

if TYPE_CHECKING:
    from collections.abc import Callable

_BUCKETS = 10


class CircuitBreaker(Value):
    """When an origin is left alone, and for how long.

    Raises ``TypeError`` or ``ValueError``, naming the field, for a value that cannot be meant.
    """

    window: float = 10.0
    """Seconds for which the end of a call counts: 0.001 to 3600."""
    min_calls: int = 20
    """Calls within the window below which nothing is concluded: 1 to 1,000,000."""
    failure_ratio: float = 0.5
    """Failed calls of all calls within the window at which it opens: 0.01 to 1."""
    open_for: float = 5.0
    """Seconds until a probe goes, and until one that did not report is given up: 0.001 to 3600."""
    jitter: float = 0.2
    """By which part ``open_for`` is longer or shorter at random, so that clients of a failed
    server do not return in step: 0 to 1."""

    def __post_init__(self) -> None:
        check_number("window", self.window, 0.001, 3600)
        check_number("min_calls", self.min_calls, 1, 1_000_000)
        if not isinstance(self.min_calls, int):
            raise TypeError(f"min_calls must be an int, not {self.min_calls!r}")
        check_number("failure_ratio", self.failure_ratio, 0.01, 1)
        check_number("open_for", self.open_for, 0.001, 3600)
        check_number("jitter", self.jitter, 0, 1)


class BreakerState(NamedTuple):
    """Where one origin's breaker stands."""

    state: Literal["closed", "open", "half_open"]
    failure_ratio: float
    """Of the calls that ended within the window; 0 when there are none."""
    calls: int
    """Calls that ended within the window. Those that end while it is not closed do not count."""
    probe_in: float | None
    """Seconds until a call may go; ``None`` when it is closed and all may."""


class Permit:
    """Leave to make one call. Say how it ended, once: a second word is not heard.

    It may be said in any thread, and late. Nothing said is as good as ``ignored``, but for a probe
    it takes ``open_for`` seconds.
    """

    __slots__ = ("_circuit", "_origins", "_reported", "opening")

    def __init__(self, origins: PerOrigin[_Circuit], circuit: _Circuit) -> None:
        self._origins = origins
        self._circuit = circuit
        self._reported = False
        self.opening = circuit.openings
        """How often the breaker had opened when this call began."""

    def succeeded(self) -> None:
        """The origin has answered."""
        self._report(_Circuit.succeeded)

    def failed(self) -> None:
        """It has not, or not in time, or with one of 502, 503 and 504."""
        self._report(_Circuit.failed)

    def ignored(self) -> None:
        """The end says nothing of the origin: a 4xx, cancelled by the caller, not even begun."""
        self._report(_Circuit.ignored)

    def _report(self, end: Callable[[_Circuit, Permit], None]) -> None:
        with self._origins.lock:
            if not self._reported:
                self._reported = True
                end(self._circuit, self)


class _Unguarded(Permit):
    """The permit of a breaker that is off."""

    __slots__ = ()

    def __init__(self) -> None:
        """Without an origin."""

    def succeeded(self) -> None:
        """Tell nobody."""

    failed = ignored = succeeded


_UNGUARDED = _Unguarded()


class Breakers:
    """The breakers of one process's origins; safe to use from several threads and after a fork.

    ``config`` of ``None`` lets every call go. ``random`` gives a number from 0 to 1. At most
    ``max_origins`` breakers are kept; the one used least recently is forgotten first, and is closed
    when its origin comes back.
    """

    def __init__(
        self,
        config: CircuitBreaker | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random_unit,
        max_origins: int = MAX_ORIGINS,
    ) -> None:
        self._origins: PerOrigin[_Circuit] | None = None
        if config is not None:
            make = functools.partial(_Circuit, config, clock, random)
            self._origins = PerOrigin(make, max_origins)

    def ask(self, origin: str) -> Permit:
        """Return leave to make a call. Raises ``CircuitOpen`` when it must not be made now."""
        if self._origins is None:
            return _UNGUARDED
        with self._origins.lock:
            circuit = self._origins.of(origin)
            permit = Permit(self._origins, circuit)
            wait = circuit.admit(permit)
            cause = circuit.cause
        if wait > 0:
            raise CircuitOpen(
                f"{origin} is left alone: {cause}; a call may go again in {wait:.1f} s",
                retry_after=wait,
            )
        return permit

    def states(self) -> dict[str, BreakerState]:
        """Return where each origin's breaker stands, the least recently used one first."""
        return {} if self._origins is None else self._origins.each(_Circuit.state)


class _Circuit:
    """One origin's breaker. Who uses it holds the lock."""

    def __init__(
        self, config: CircuitBreaker, clock: Callable[[], float], random: Callable[[], float]
    ) -> None:
        self._config = config
        self._clock = clock
        self._random = random
        self.openings = 0
        self.cause = ""
        """Why it opened."""
        self._close()

    def _close(self) -> None:
        width = self._config.window / _BUCKETS
        self._successes = SlidingCount(width, _BUCKETS)
        self._failures = SlidingCount(width, _BUCKETS)
        self._next_probe: float | None = None
        """When a call may go; ``None`` when it is closed."""
        self._probe: Permit | None = None

    def _open(self, cause: str) -> None:
        self.openings += 1
        self.cause = cause
        spread = self._config.jitter * (2 * self._random() - 1)
        self._next_probe = self._clock() + self._config.open_for * (1 + spread)
        self._probe = None

    def admit(self, permit: Permit) -> float:
        """Return 0 when the call may go, else the seconds until one may."""
        if self._next_probe is None:
            return 0.0
        now = self._clock()
        if now < self._next_probe:
            return self._next_probe - now
        self._probe = permit
        self._next_probe = now + self._config.open_for
        return 0.0

    def succeeded(self, permit: Permit) -> None:
        if permit.opening != self.openings:
            return
        if self._next_probe is None:
            self._count(self._successes)
        else:
            # Of a probe that was given up too: were it not heard, an origin that takes longer than
            # open_for to answer would be left alone for ever.
            self._close()

    def failed(self, permit: Permit) -> None:
        if permit.opening != self.openings:
            return
        if self._next_probe is None:
            self._count(self._failures)
        elif permit is self._probe:
            self._open("the call that was to probe it failed")

    def ignored(self, permit: Permit) -> None:
        if permit is self._probe:
            self._next_probe = self._clock()

    def _count(self, ends: SlidingCount) -> None:
        now = self._clock()
        ends.add(now)
        failures = self._failures.total(now)
        calls = failures + self._successes.total(now)
        if calls >= self._config.min_calls and failures / calls >= self._config.failure_ratio:
            self._open(f"{failures} of {calls} calls failed within {self._config.window:g} s")

    def state(self) -> BreakerState:
        now = self._clock()
        failures = self._failures.total(now)
        calls = failures + self._successes.total(now)
        ratio = failures / calls if calls else 0.0
        if self._next_probe is None:
            return BreakerState("closed", ratio, calls, None)
        probe_in = max(0.0, self._next_probe - now)
        is_open = self._probe is None and probe_in > 0
        return BreakerState("open" if is_open else "half_open", ratio, calls, probe_in)
