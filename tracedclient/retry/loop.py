"""The loop around the attempts of one call, turned by tenacity.

tenacity is held so that its traps stay shut: one ``Retrying`` per call (its statistics are shared
and not thread-safe otherwise), no exception of ours inside its callbacks, no ``RetryError``, the
last answer or error as it was, and no sleep that would end after the deadline.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Generic, TypeVar

from tracedclient._value import Value
from tracedclient.retry import testmode
from tracedclient.retry.policy import (
    THROTTLE_STATUSES,
    AttemptFacts,
    Decision,
    RetryPolicy,
    decide,
)
from tracedclient.retry.retry_after import retry_after

if TYPE_CHECKING:
    from collections.abc import Callable

    from tenacity import RetryCallState

Answer = TypeVar("Answer")


def _always() -> bool:
    return True


class Attempted(Generic[Answer]):
    """A try that has ended: with an answer, or with ``facts.error``."""

    __slots__ = ("answer", "facts", "retry_after")

    def __init__(
        self, facts: AttemptFacts, answer: Answer | None = None, retry_after: str | None = None
    ) -> None:
        self.facts = facts
        self.answer = answer
        self.retry_after = retry_after
        """The answer's ``Retry-After`` header."""


class Next(Value):
    """What follows a try."""

    decision: Decision
    sleep: float
    """Seconds until the next try; 0 when there is none."""
    asked: float | None = None
    """Seconds that the answer's ``Retry-After`` asked for."""


class RetryLoop(Generic[Answer]):
    """Tries, decides, sleeps; for one call.

    ``remaining`` gives the seconds until the call's deadline, ``None`` for no deadline.
    ``sleep`` may raise to end the call. ``withdraw`` says whether the budget has room for one more
    try, and takes it. ``done`` hears what follows each try.
    """

    def __init__(
        self,
        policy: RetryPolicy,
        *,
        remaining: Callable[[], float | None],
        sleep: Callable[[float], None] = time.sleep,
        withdraw: Callable[[], bool] = _always,
        done: Callable[[int, Attempted[Answer], Next], None] | None = None,
    ) -> None:
        self._policy = policy
        self._remaining = remaining
        self._sleep = sleep
        self._withdraw = withdraw
        self._done = done
        self._decision = Decision(retry=False, reason="")
        self._asked: float | None = None
        self._throttled = False
        self._free = 0
        self._started = 0.0

    def run(
        self,
        attempt: Callable[[int], Attempted[Answer]],
        first: Attempted[Answer] | None = None,
        started: float | None = None,
    ) -> Attempted[Answer]:
        """Call ``attempt`` with 1, 2, … until there is nothing left to try; return the last.

        ``first`` is what came of the first one already, which had begun at ``started`` on
        ``time.monotonic``.
        """
        self._started = time.monotonic() if started is None else started
        if first is None:
            first = attempt(1)
        self._consider(first)
        if self._decision.retry:
            return self._go_on(attempt, first)
        self._tell(1, first, 0.0)
        return first

    def _go_on(
        self, attempt: Callable[[int], Attempted[Answer]], first: Attempted[Answer]
    ) -> Attempted[Answer]:
        """Let tenacity take over, for which the first try is its own. Most calls need no second."""
        number = 0

        def once() -> Attempted[Answer]:
            nonlocal number
            number += 1
            return first if number == 1 else attempt(number)

        import tenacity  # noqa: PLC0415 - it loads asyncio's part too, and most calls need no second try

        retrying = tenacity.Retrying(
            retry=self._should_retry,
            wait=self._wait,
            stop=self._stop,
            sleep=self._sleep,
            before_sleep=self._before_sleep,
            retry_error_callback=self._give_up,
        )
        last: Attempted[Answer] = retrying(once)
        if not self._decision.retry:
            self._tell(number, last, 0.0)
        return last

    def _should_retry(self, state: RetryCallState) -> bool:
        # A policy's wait and stop may ask how long it has been.
        state.start_time = self._started
        self._consider(_result(state))
        return self._decision.retry

    def _consider(self, attempted: Attempted[Answer]) -> None:
        self._decision = decide(attempted.facts, self._policy)
        self._asked = None
        self._throttled = attempted.facts.status in THROTTLE_STATUSES
        if self._throttled or attempted.facts.told_when:
            self._asked = retry_after(attempted.retry_after, now=time.time())

    def _wait(self, state: RetryCallState) -> float:
        if self._decision.free or testmode.current is not None:
            return 0.0
        if self._asked is None:
            wait = self._policy.wait_throttled if self._throttled else self._policy.wait
            return float(wait(state))
        # Never earlier than told, and not all clients at the same moment.
        return self._asked + random.uniform(0, min(1, 0.1 * self._asked + 0.05))  # noqa: S311

    def _stop(self, state: RetryCallState) -> bool:
        obstacle = self._obstacle(state)
        if obstacle is not None:
            self._decision = Decision(retry=False, reason=f"{self._decision.reason}; {obstacle}")
        return obstacle is not None

    def _obstacle(self, state: RetryCallState) -> str | None:
        """Why there is no other try although there may be one; tenacity has set the sleep by now."""
        if self._decision.free:
            self._free += 1
            return None
        if state.attempt_number - self._free >= self._max_attempts():
            return "no attempts left"
        if self._policy.stop is not None and self._policy.stop(state):
            return "the policy's stop says so"
        if self._asked is not None and self._asked > self._policy.retry_after_max:
            return f"Retry-After of {self._asked:.0f} s is too long"
        remaining = self._remaining()
        if remaining is not None and state.upcoming_sleep >= remaining:
            return "no time left"
        # Last: what is withdrawn is spent.
        return None if testmode.current is not None or self._withdraw() else "no budget left"

    def _max_attempts(self) -> int:
        mode, limit = testmode.current, self._policy.max_attempts
        return limit if mode is None or mode.attempts is None else min(limit, mode.attempts)

    def _before_sleep(self, state: RetryCallState) -> None:
        self._tell(state.attempt_number, _result(state), state.upcoming_sleep)

    @staticmethod
    def _give_up(state: RetryCallState) -> Attempted[Answer]:
        return _result(state)

    def _tell(self, number: int, attempted: Attempted[Answer], sleep: float) -> None:
        if self._done is not None:
            self._done(number, attempted, Next(self._decision, sleep, self._asked))


def _result(state: RetryCallState) -> Attempted[Answer]:
    assert state.outcome is not None
    result: Attempted[Answer] = state.outcome.result()
    return result
