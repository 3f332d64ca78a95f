"""The attempts of one call: how many, when, and what comes out in the end."""

from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import pytest
import requests
import tenacity
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.retry import Attempted, AttemptFacts, RetryLoop, RetryPolicy
from tracedclient.retry.policy import decide

QUARTER = tenacity.wait_fixed(0.25)
POLICY = RetryPolicy(max_attempts=4, wait=QUARTER, wait_throttled=QUARTER)
REFUSED = requests.ConnectionError(ConnectionRefusedError(errno.ECONNREFUSED, "refused"))


class Call:
    """A call whose attempts end as ``script`` says, on a clock that only sleeping moves."""

    def __init__(self, *script, policy=POLICY, total=None):
        self.script = script
        self.numbers = []
        self.slept = []
        self.told = []
        self.left = total
        self.loop = RetryLoop(policy, remaining=lambda: self.left, sleep=self.sleep, done=self.hear)

    def sleep(self, seconds):
        self.slept.append(seconds)
        if self.left is not None:
            self.left -= seconds

    def hear(self, number, attempted, then):
        self.told.append((number, then.decision.retry, then.decision.reason, then.sleep))

    def attempt(self, number):
        self.numbers.append(number)
        end = self.script[min(number, len(self.script)) - 1]
        return end(number) if callable(end) else end

    def run(self):
        return self.loop.run(self.attempt)


def answered(status, retry_after=None, method="GET"):
    facts = AttemptFacts(method=method, replayable=True, status=status)
    return Attempted(facts, f"answer {status}", retry_after)


def stale(**facts):
    error = requests.ConnectionError(ConnectionResetError(errno.ECONNRESET, "reset"))
    return failed(error, phase="wait", sent=True, reused=True, **facts)


def failed(error=REFUSED, **facts):
    given = {"method": "GET", "replayable": True, "phase": "connect", "sent": False}
    return Attempted(AttemptFacts(error=error, **{**given, **facts}))


def test_good_answer_is_the_only_attempt():
    """An answer that is good is returned as it is, at once."""
    good = answered(200)
    call = Call(good)
    assert call.run() is good
    assert (call.numbers, call.slept) == ([1], [])
    assert call.told == [(1, False, "answered", 0.0)]


def test_attempts_go_on_until_an_answer_is_good():
    """Each attempt but the last is followed by its sleep, and each is told of, once and in order."""
    good = answered(200)
    call = Call(answered(503), failed(), good)
    assert call.run() is good
    assert call.numbers == [1, 2, 3]
    assert call.slept == [0.25, 0.25]
    assert call.told == [
        (1, True, "status 503", 0.25),
        (2, True, "connect failed, nothing sent", 0.25),
        (3, False, "answered", 0.0),
    ]


@pytest.mark.parametrize("last", [answered(503), failed()], ids=["answer", "error"])
def test_last_attempt_comes_out_as_it_was(last):
    """When no attempt is left, the last answer or error is returned, and why there is no other."""
    call = Call(last)
    assert call.run() is last
    assert call.numbers == [1, 2, 3, 4]
    assert len(call.slept) == 3
    assert call.told[-1][1] is False
    assert call.told[-1][2].endswith("; no attempts left")
    assert call.told[-1][3] == 0.0


def test_one_attempt_means_no_retry():
    """``max_attempts=1`` switches retries off."""
    call = Call(answered(503), policy=RetryPolicy(max_attempts=1))
    assert call.run().facts.status == 503
    assert (call.numbers, call.slept) == ([1], [])
    assert call.told == [(1, False, "status 503; no attempts left", 0.0)]


def test_refusal_to_retry_ends_the_call():
    """What must not be repeated is tried once, and the reason is told."""
    call = Call(answered(503, method="POST"))
    call.run()
    assert call.told == [(1, False, "status 503, POST is not idempotent", 0.0)]


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asked", ["0", "1", "10", "60"])
def test_server_is_never_asked_earlier_than_it_said(status, asked):
    """``Retry-After`` is waited for, and up to a second more, so that not all come at once."""
    policy = RetryPolicy(retry_after_max=60)
    call = Call(answered(status, asked), answered(200), policy=policy)
    call.run()
    (slept,) = call.slept
    assert float(asked) <= slept <= float(asked) + min(1, 0.1 * float(asked) + 0.05)
    assert call.told[0][3] == slept


def test_waits_for_retry_after_are_spread():
    """Clients that were sent away together do not come back together."""
    waits = set()
    for _ in range(50):
        call = Call(answered(503, "5"), answered(200))
        call.run()
        waits.update(call.slept)
    assert len(waits) > 40
    assert max(waits) - min(waits) > 0.2


def test_retry_after_of_another_status_does_not_count():
    """``Retry-After`` means something for 429 and 503 only: a 502 follows the policy's own wait."""
    call = Call(answered(502, "9"), answered(200))
    call.run()
    assert call.slept == [0.25]


def test_retry_after_counts_for_the_answer_it_came_with():
    """A wait that one answer asked for is not slept again after the next, which did not."""
    call = Call(answered(503, "3"), answered(503), answered(200))
    call.run()
    assert call.slept[0] >= 3
    assert call.slept[1] == 0.25


def test_throttled_answers_are_waited_for_longer():
    """A server that has too much to do gets the longer waits; any other failure the shorter ones."""
    policy = RetryPolicy(
        max_attempts=5, wait=tenacity.wait_fixed(0.5), wait_throttled=tenacity.wait_fixed(1.5)
    )
    call = Call(answered(503), answered(502), answered(429), failed(), answered(200), policy=policy)
    call.run()
    assert call.slept == [1.5, 0.5, 1.5, 0.5]


def test_work_in_progress_is_asked_for_when_told():
    """A 409 to a keyed request that says when to come back is waited for as told."""
    facts = AttemptFacts(method="POST", replayable=True, keyed=True, status=409, told_when=True)
    call = Call(Attempted(facts, "answer 409", "2"), answered(200))
    call.run()
    (slept,) = call.slept
    assert 2 <= slept <= 2.25


def test_stale_connection_is_tried_again_at_once_and_for_free():
    """The try after a stale connection comes without a sleep and counts as none."""
    policy = RetryPolicy(max_attempts=2, wait=QUARTER)
    call = Call(stale(), failed(), answered(200), policy=policy)
    assert call.run().answer == "answer 200"
    assert call.slept == [0.0, 0.25]
    assert call.told[0] == (1, True, "stale connection", 0.0)
    once = Call(stale(), answered(200), policy=RetryPolicy(max_attempts=1))
    assert once.run().answer == "answer 200"


def test_second_stale_connection_counts():
    """A call that meets one stale connection after another pays for the second."""
    call = Call(stale(), stale(stale_before=True), policy=RetryPolicy(max_attempts=2, wait=QUARTER))
    call.run()
    assert call.numbers == [1, 2, 3]
    assert call.told[-1][1:3] == (False, "wait failed; no attempts left")


def test_policy_can_stop_earlier():
    """tenacity's own stop conditions count besides ours."""
    policy = RetryPolicy(max_attempts=5, wait=QUARTER, stop=tenacity.stop_after_attempt(2))
    call = Call(failed(), policy=policy)
    call.run()
    assert call.numbers == [1, 2]
    assert call.told[-1][2].endswith("; the policy's stop says so")


@pytest.mark.parametrize("asked", ["11", "86400", "999999999"])
def test_too_long_a_retry_after_ends_the_call(asked):
    """Neither sleeping for hours nor asking earlier than told is right: the answer is returned."""
    call = Call(answered(503, asked))
    assert call.run().facts.status == 503
    assert (call.numbers, call.slept) == ([1], [])
    assert call.told[0][2] == f"status 503; Retry-After of {asked} s is too long"


@pytest.mark.parametrize("asked", ["soon", "-1", "inf", "nan", "9" * 5000, "", "٣"])
def test_senseless_retry_after_is_as_if_not_there(asked):
    """A hostile header neither raises nor makes us sleep."""
    call = Call(answered(503, asked), answered(200))
    call.run()
    assert call.slept == [0.25]


def test_no_sleep_ends_after_the_deadline():
    """A sleep that would outlast the call is not begun; the last answer is returned at once."""
    call = Call(answered(503), total=0.6)
    assert call.run().facts.status == 503
    assert call.slept == [0.25, 0.25]
    assert call.told[-1][1:] == (False, "status 503; no time left", 0.0)
    exact = Call(answered(503), total=0.25)
    exact.run()
    assert exact.slept == []


def test_retry_after_beyond_the_deadline_is_not_slept():
    """The deadline counts for the server's wait as for our own."""
    call = Call(answered(503, "5"), total=4.9)
    call.run()
    assert call.slept == []
    assert call.told[0][2] == "status 503; no time left"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_what_an_attempt_raises_comes_out_as_it_was(error):
    """An exception that an attempt did not catch is no RetryError, and ends the call."""
    thrown = error("now")

    def end(number):
        raise thrown

    call = Call(answered(503), end)
    with pytest.raises(error) as caught:
        call.run()
    assert caught.value is thrown
    assert call.numbers == [1, 2]


def test_sleep_that_raises_ends_the_call():
    """Whoever cancels the sleep is obeyed: no other attempt, and the exception as it was."""
    call = Call(answered(503))
    cancelled = TimeoutError("shutting down")

    def sleep(seconds):
        raise cancelled

    call.loop = RetryLoop(POLICY, remaining=lambda: None, sleep=sleep)
    with pytest.raises(TimeoutError) as caught:
        call.run()
    assert caught.value is cancelled
    assert call.numbers == [1]


def test_calls_in_many_threads_share_a_policy_and_nothing_else():
    """One policy serves all threads: each call has its own attempts, sleeps and result."""
    together = Barrier(8)

    def work(number):
        last = answered(503) if number % 2 else answered(200)
        together.wait(10)
        for _ in range(50):
            call = Call(answered(503), answered(502), last)
            assert call.run() is last
            assert call.numbers == ([1, 2, 3, 4] if number % 2 else [1, 2, 3])
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, range(8)))


ends = st.one_of(
    st.builds(
        answered,
        st.sampled_from([200, 404, 429, 502, 503]),
        st.none() | st.sampled_from(["0", "1", "3", "60", "soon"]),
    ),
    st.builds(failed, sent=st.booleans(), method=st.sampled_from(["GET", "POST"])),
)


@given(st.lists(ends, min_size=1, max_size=6), st.integers(1, 5), st.none() | st.floats(0, 20))
def test_any_call_keeps_its_limits(script, most, total):
    """Whatever happens: never too many attempts, never asleep past the deadline, one word on each."""
    policy = RetryPolicy(max_attempts=most, wait=tenacity.wait_random(0, 2))
    call = Call(*script, policy=policy, total=total)
    last = call.run()
    assert 1 <= len(call.numbers) <= most
    assert call.numbers == list(range(1, len(call.numbers) + 1))
    assert last is script[min(call.numbers[-1], len(script)) - 1]
    assert [number for number, *_ in call.told] == call.numbers
    assert [sleep for *_, sleep in call.told] == [*call.slept, 0.0]
    assert [retry for _, retry, *_ in call.told] == [True] * len(call.slept) + [False]
    assert total is None or sum(call.slept) < total or not call.slept


@pytest.mark.parametrize("first", [0.0, 0.2])
def test_time_of_the_first_attempt_counts(first):
    """A policy that stops by the time since the start is told of all of it, the first try included."""
    seen = []

    class Stop(tenacity.stop.stop_base):
        def __call__(self, retry_state):
            seen.append(retry_state.seconds_since_start)
            return True

    def slow(number):
        Event().wait(first)
        return failed()

    Call(slow, policy=RetryPolicy(wait=QUARTER, stop=Stop())).run()
    assert first <= seen[0] < first + 0.2


@given(
    st.lists(st.sampled_from([200, 404, 429, 500, 502, 503]), min_size=1, max_size=6),
    st.integers(1, 5),
    st.sampled_from(["GET", "POST"]),
)
def test_attempts_are_those_of_tenacity_alone(statuses, attempts, method):
    """The loop tries as often, sleeps as long and ends with the same answer as tenacity would."""
    policy = RetryPolicy(max_attempts=attempts, wait=QUARTER, wait_throttled=QUARTER)
    script = [answered(status, method=method) for status in statuses]
    ours = Call(*script, policy=policy)
    mine = ours.run()

    tried, slept = [], []
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_result(lambda a: decide(a.facts, policy).retry),
        wait=QUARTER,
        stop=tenacity.stop_after_attempt(attempts),
        sleep=slept.append,
        retry_error_callback=lambda state: state.outcome.result(),
    )

    def attempt():
        tried.append(len(tried) + 1)
        return script[min(len(tried), len(script)) - 1]

    assert retrying(attempt) is mine
    assert (ours.numbers, ours.slept) == (tried, slept)
