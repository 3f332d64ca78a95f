"""How many retries an origin is worth, so that those of all calls together are no second outage.

The shape is Finagle's ``RetryBudget``: a first attempt deposits, a retry withdraws, both are
forgotten after ``ttl`` seconds, and a small reserve lets a quiet client retry too. When all calls
fail three attempts then cost a server 1.2 times its load instead of 3 times.

What keeps a count per origin, here and in ``breaker``, stands at the end: ``PerOrigin`` and
``SlidingCount``.
"""

from __future__ import annotations

import functools
import math
import os
import threading
import time
import weakref
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tracedclient._value import Value

if TYPE_CHECKING:
    from collections.abc import Callable

Entry = TypeVar("Entry")
Told = TypeVar("Told")

MAX_ORIGINS = 1024

_BUCKETS = 10
# 0.29 * 100 is a little less than 29; the hundredth call must not cost a retry for that.
_ROUNDING = 1e-9


class RetryBudget(Value):
    """How many retries may go to one origin, by how many calls go there.

    Raises ``TypeError`` or ``ValueError``, naming the field, for a value that cannot be meant.
    """

    ratio: float = 0.2
    """Retries for each first attempt: 0 to 1."""
    min_per_second: float = 1.0
    """Retries a second that are there without any call: 0 to 1000. The reserve is ``ttl`` times
    as many."""
    ttl: float = 10.0
    """Seconds after which a first attempt, or a retry, counts no more: 0.001 to 3600."""

    def __post_init__(self) -> None:
        check_number("ratio", self.ratio, 0, 1)
        check_number("min_per_second", self.min_per_second, 0, 1000)
        check_number("ttl", self.ttl, 0.001, 3600)


class Budgets:
    """The budgets of one process's origins; safe to use from several threads and after a fork.

    ``config`` of ``None`` is no limit. At most ``max_origins`` budgets are kept; the one used least
    recently is forgotten first, and is full when its origin comes back.
    """

    def __init__(
        self,
        config: RetryBudget | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        max_origins: int = MAX_ORIGINS,
    ) -> None:
        self._clock = clock
        self._accounts: PerOrigin[_Account] | None = None
        if config is not None:
            self._accounts = PerOrigin(functools.partial(_Account, config), max_origins)

    def deposit(self, origin: str) -> None:
        """Count a first attempt."""
        accounts = self._accounts
        if accounts is None:
            return
        with accounts.lock:
            accounts.of(origin).deposits.add(self._clock())

    def withdraw(self, origin: str) -> bool:
        """Return whether a retry may be made, and count it; False when the budget is empty."""
        accounts = self._accounts
        if accounts is None:
            return True
        with accounts.lock:
            return accounts.of(origin).withdraw(self._clock())

    def balances(self) -> dict[str, float]:
        """Return the retries left to each origin, the least recently used one first."""
        if self._accounts is None:
            return {}
        return self._accounts.each(lambda account: max(0.0, account.balance(self._clock())))


class _Account:
    """One origin's budget. Who uses it holds the lock."""

    __slots__ = ("_ratio", "_reserve", "_withdrawals", "deposits")

    def __init__(self, config: RetryBudget) -> None:
        self._ratio = config.ratio
        self._reserve = config.min_per_second * config.ttl
        width = config.ttl / _BUCKETS
        # A deposit lives for ttl at most and a withdrawal for ttl at least: buckets are coarse,
        # and in doubt there are fewer retries, never more than the budget allows within a ttl.
        self.deposits = SlidingCount(width, _BUCKETS - 1)
        self._withdrawals = SlidingCount(width, _BUCKETS)

    def balance(self, now: float) -> float:
        """Retries left; less than 0 when deposits were forgotten before what they paid for."""
        earned = self._ratio * self.deposits.total(now)
        return earned + self._reserve - self._withdrawals.total(now)

    def withdraw(self, now: float) -> bool:
        if self.balance(now) < 1 - _ROUNDING:
            return False
        self._withdrawals.add(now)
        return True


class _Bucket:
    __slots__ = ("begun", "count", "last")

    def __init__(self, begun: float) -> None:
        self.begun = self.last = begun
        self.count = 0


class SlidingCount:
    """How often something happened lately, in constant memory.

    What happened counts for at least ``width * buckets`` seconds, and for less than ``width`` more;
    after ``width * buckets`` seconds without anything the count is 0.
    """

    __slots__ = ("_buckets", "_current", "_span", "_width")

    def __init__(self, width: float, buckets: int) -> None:
        self._width = width
        self._span = width * buckets
        self._current = _Bucket(-math.inf)
        # One that this many others have followed, each begun a width or more after the one before
        # it, is too old to count.
        self._buckets: deque[_Bucket] = deque(maxlen=buckets + 1)

    def add(self, now: float) -> None:
        """Count one more at ``now``, which must not go back."""
        bucket = self._current
        if now - bucket.begun >= self._width:
            bucket = self._current = _Bucket(now)
            self._buckets.append(bucket)
        bucket.count += 1
        bucket.last = now

    def total(self, now: float) -> int:
        """Return how many still count at ``now``."""
        return sum(bucket.count for bucket in self._buckets if now - bucket.last < self._span)


class PerOrigin(Generic[Entry]):
    """What is kept for each origin: the ``max_origins`` used last, and the one lock for them."""

    def __init__(self, make: Callable[[], Entry], max_origins: int) -> None:
        # Reentrant: a signal handler or a finalizer that makes a call may run while it is held.
        self.lock = threading.RLock()
        self._make = make
        self._max_origins = max_origins
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        _follow_forks(self)

    def of(self, origin: str) -> Entry:
        """Return the entry of ``origin``, made if need be. Who calls this holds the lock."""
        entry = self._entries.get(origin)
        if entry is None:
            return self._add(origin)
        self._entries.move_to_end(origin)
        return entry

    def _add(self, origin: str) -> Entry:
        entry = self._entries[origin] = self._make()
        if len(self._entries) > self._max_origins:
            self._entries.popitem(last=False)
        return entry

    def each(self, tell: Callable[[Entry], Told]) -> dict[str, Told]:
        """Return what ``tell`` says of every entry."""
        with self.lock:
            entries = list(self._entries.items())
        return {origin: self._tell(tell, entry) for origin, entry in entries}

    def _tell(self, tell: Callable[[Entry], Told], entry: Entry) -> Told:
        # One by one: a thousand origins under one hold of the lock would stop every call.
        with self.lock:
            return tell(entry)

    def after_fork(self) -> None:
        """Replace the lock: a thread that is not in this process may have held it."""
        self.lock = threading.RLock()


def check_number(name: str, value: object, low: float, high: float) -> None:
    """Raise ``TypeError`` or ``ValueError`` for what is no number from ``low`` to ``high``."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, not {value!r}")
    if not low <= value <= high:
        raise ValueError(f"{name} must be from {low} to {high}, not {value!r}")


_forked_along: weakref.WeakSet[PerOrigin[Any]] = weakref.WeakSet()


def _follow_forks(origins: PerOrigin[Any]) -> None:
    _register_once()
    _forked_along.add(origins)


@functools.cache
def _register_once() -> None:
    os.register_at_fork(after_in_child=_after_fork_in_child)


def _after_fork_in_child() -> None:
    for origins in list(_forked_along):
        origins.after_fork()
