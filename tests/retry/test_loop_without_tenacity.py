"""A call whose first attempt is the last does without tenacity. It must make no difference."""

from __future__ import annotations

import errno
import random
import time

import pytest
import requests
import tenacity
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.retry import Attempted, AttemptFacts, RetryLoop, RetryPolicy


class Turned(RetryLoop):
    """The loop as tenacity turns it from the first attempt on."""

    def run(self, attempt):
        self._started = time.monotonic()
        number = 0

        def once():
            nonlocal number
            number += 1
            return attempt(number)

        retrying = tenacity.Retrying(
            retry=self._should_retry,
            wait=self._wait,
            stop=self._stop,
            sleep=self._sleep,
            before_sleep=self._before_sleep,
            retry_error_callback=self._give_up,
        )
        last = retrying(once)
        if not self._decision.retry:
            self._tell(number, last, 0.0)
        return last


class Woken(Exception):
    """The sleep was ended."""


REFUSED = requests.ConnectionError(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))
RESET = requests.ConnectionError(ConnectionResetError(errno.ECONNRESET, "reset"))

facts = st.builds(
    AttemptFacts,
    method=st.sampled_from(["GET", "POST"]),
    replayable=st.sampled_from([True, True, False]),
    keyed=st.booleans(),
    status=st.sampled_from([200, 404, 409, 429, 500, 503]),
    error=st.sampled_from([None, None, REFUSED, RESET, ValueError("bad")]),
    phase=st.sampled_from([None, "connect", "wait"]),
    sent=st.booleans(),
    reused=st.booleans(),
    told_when=st.booleans(),
)
ends = st.one_of(
    st.builds(Attempted, facts, st.text(), st.sampled_from([None, "0", "2", "11", "no"])),
    st.sampled_from([KeyboardInterrupt, SystemExit, RuntimeError]),
)
waits = st.sampled_from(
    [
        tenacity.wait_fixed(0.5),
        tenacity.wait_random_exponential(multiplier=0.05, max=2),
        tenacity.wait_incrementing(0.1, 0.2),
        tenacity.wait_exponential_jitter(),
        tenacity.wait_chain(tenacity.wait_fixed(1), tenacity.wait_fixed(3)),
    ]
)
stops = st.sampled_from(
    [
        None,
        tenacity.stop_after_attempt(1),
        tenacity.stop_after_attempt(2),
        tenacity.stop_after_delay(0),
        tenacity.stop_after_delay(60),
        tenacity.stop_before_delay(1),
    ]
)
policies = st.builds(
    RetryPolicy,
    max_attempts=st.integers(1, 5),
    wait=waits,
    wait_throttled=waits,
    stop=stops,
)


def history(loop_class, policy, script, remaining, budget, woken_at):
    """All that a loop does, in order, as those around it see it."""
    random.seed(4)
    happened = []
    left = [remaining]

    def attempt(number):
        end = script[min(number, len(script)) - 1]
        happened.append(("attempt", number))
        if isinstance(end, type):
            raise end
        return end

    def sleep(seconds):
        happened.append(("sleep", seconds))
        if len(happened) > woken_at:
            raise Woken
        if left[0] is not None:
            left[0] -= seconds

    def withdraw():
        happened.append("withdraw")
        return happened.count("withdraw") <= budget

    def done(number, attempted, then):
        happened.append(("done", number, attempted, then))

    loop = loop_class(policy, remaining=lambda: left[0], sleep=sleep, withdraw=withdraw, done=done)
    try:
        happened.append(("returned", loop.run(attempt)))
    except (KeyboardInterrupt, SystemExit, RuntimeError, Woken) as error:
        happened.append(("raised", type(error)))
    return happened


@given(
    policies,
    st.lists(ends, min_size=1, max_size=6),
    st.none() | st.floats(0, 20),
    st.integers(0, 4),
    st.integers(0, 20),
)
def test_the_short_way_is_the_long_way(policy, script, remaining, budget, woken_at):
    """Whatever the policy, the attempts, the time left and the budget: the same attempts, sleeps,
    withdrawals, words and outcome, in the same order."""
    told = [policy, script, remaining, budget, woken_at]
    assert history(RetryLoop, *told) == history(Turned, *told)


@pytest.mark.parametrize("loop_class", [RetryLoop, Turned])
def test_a_stop_counts_from_the_beginning_of_the_first_attempt(loop_class):
    """tenacity's ``stop_after_delay`` measures the first attempt too, although tenacity has not
    seen it begin."""
    policy = RetryPolicy(stop=tenacity.stop_after_delay(0.02))
    numbers = []

    def attempt(number):
        numbers.append(number)
        time.sleep(0.03)
        return Attempted(AttemptFacts(method="GET", replayable=True, status=503), "no")

    loop_class(policy, remaining=lambda: None, sleep=lambda _: None).run(attempt)

    assert numbers == [1]


def test_one_that_succeeds_at_once_asks_tenacity_nothing():
    """A wait or a stop that cannot be asked does not matter to a call that needs none."""

    class Unaskable(tenacity.wait.wait_base, tenacity.stop.stop_base):
        def __call__(self, _):
            raise AssertionError

    policy = RetryPolicy(wait=Unaskable(), wait_throttled=Unaskable(), stop=Unaskable())
    good = Attempted(AttemptFacts(method="GET", replayable=True, status=200), "yes")

    assert RetryLoop(policy, remaining=lambda: 0.0).run(lambda _: good) is good
