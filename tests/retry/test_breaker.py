"""When an origin is left alone, and how it comes back."""

from __future__ import annotations

import gc
import os
import pickle
import signal
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.errors import CircuitOpen
from tracedclient.retry.breaker import Breakers, BreakerState, CircuitBreaker

A, B = "https://a.test", "https://b.test"


class Clock:
    """A clock that only the test moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def breakers(clock):
    # 0.5 is the middle: open for 5 seconds, neither more nor less.
    return Breakers(CircuitBreaker(), clock=clock, random=lambda: 0.5)


class Yielding(float):
    """A time; whoever reckons with it lets another thread go first."""

    def __add__(self, other):
        time.sleep(1e-6)
        return float(self) + other

    def __sub__(self, other):
        time.sleep(1e-6)
        return float(self) - other


def side_by_side(threads, work):
    """Do ``work`` in that many threads at the same moment; return what they returned."""
    together = threading.Barrier(threads)

    def start(_):
        together.wait()
        return work()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(start, range(threads)))


def calls(breakers, *, failed=0, succeeded=0, ignored=0, origin=A):
    """Make calls that end so, one after the other."""
    for _ in range(succeeded):
        breakers.ask(origin).succeeded()
    for _ in range(ignored):
        breakers.ask(origin).ignored()
    for _ in range(failed):
        breakers.ask(origin).failed()


def state(breakers, origin=A):
    return breakers.states()[origin].state


def refused(breakers, origin=A):
    """Return the seconds that a refusal names."""
    with pytest.raises(CircuitOpen) as refusal:
        breakers.ask(origin)
    return refusal.value.retry_after


@pytest.fixture
def opened(breakers):
    """Breakers of which that of ``A`` has just opened."""
    calls(breakers, succeeded=10, failed=10)
    return breakers


@pytest.fixture
def half_open(opened, clock):
    """Breakers of which that of ``A`` waits for a probe."""
    clock.now += 5
    return opened


def test_default_breaker():
    """Half of at least 20 calls in 10 seconds; then 5 seconds, a fifth more or less."""
    assert CircuitBreaker() == CircuitBreaker(
        window=10.0, min_calls=20, failure_ratio=0.5, open_for=5.0, jitter=0.2
    )


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"window": 0}, ValueError, "window must be from 0.001 to 3600, not 0"),
        ({"window": "10"}, TypeError, "window must be a number, not '10'"),
        ({"min_calls": 0}, ValueError, "min_calls must be from 1 to 1000000, not 0"),
        ({"min_calls": 2.5}, TypeError, "min_calls must be an int, not 2.5"),
        ({"min_calls": True}, TypeError, "min_calls must be a number, not True"),
        ({"failure_ratio": 0}, ValueError, "failure_ratio must be from 0.01 to 1, not 0"),
        ({"failure_ratio": 50}, ValueError, "failure_ratio must be from 0.01 to 1, not 50"),
        ({"open_for": float("nan")}, ValueError, "open_for must be from 0.001 to 3600, not nan"),
        ({"open_for": None}, TypeError, "open_for must be a number, not None"),
        ({"jitter": 1.5}, ValueError, "jitter must be from 0 to 1, not 1.5"),
        ({"jitter": -0.1}, ValueError, "jitter must be from 0 to 1, not -0.1"),
    ],
)
def test_value_that_cannot_be_meant_is_refused(values, error, says):
    """A value that cannot be meant is an error when the breaker is made, naming the field."""
    with pytest.raises(error, match=says):
        CircuitBreaker(**values)


def test_config_is_a_frozen_value():
    """A breaker's configuration cannot be changed by one of those who share it."""
    with pytest.raises(AttributeError):
        CircuitBreaker().window = 1.0


@pytest.mark.parametrize("order", ["failed first", "failed last"])
def test_opens_at_half_of_twenty_calls(breakers, order):
    """The 20th call opens the breaker when 10 have failed, in whichever order; the 21st is refused."""
    ends = [True] * 10 + [False] * 10
    for good in ends if order == "failed last" else reversed(ends):
        permit = breakers.ask(A)
        permit.succeeded() if good else permit.failed()
    with pytest.raises(requests.ConnectionError) as refusal:
        breakers.ask(A)
    assert str(refusal.value) == (
        "https://a.test is left alone: 10 of 20 calls failed within 10 s; "
        "a call may go again in 5.0 s"
    )
    assert refusal.value.retry_after == 5.0


def test_few_calls_open_nothing(breakers):
    """Nineteen failures are too few to conclude anything from; the twentieth opens."""
    calls(breakers, failed=19)
    assert breakers.states() == {A: BreakerState("closed", 1.0, 19, None)}
    calls(breakers, failed=1)
    assert state(breakers) == "open"


def test_minority_of_failures_opens_nothing(breakers):
    """Nine failures of nineteen, then 499 of 1000, open nothing."""
    calls(breakers, succeeded=501, failed=499)
    assert breakers.states() == {A: BreakerState("closed", 0.499, 1000, None)}


def test_failures_of_long_ago_do_not_count(breakers, clock):
    """Failures that are more than a window apart do not add up."""
    for _ in range(10):
        calls(breakers, failed=15)
        clock.now += 10
    assert breakers.states() == {A: BreakerState("closed", 0.0, 0, None)}


def test_window_slides(breakers, clock):
    """Failures spread over the whole window add up."""
    for _ in range(19):
        calls(breakers, failed=1)
        clock.now += 0.5
    calls(breakers, failed=1)
    assert state(breakers) == "open"


def test_ignored_calls_never_open(breakers):
    """A thousand 4xx open nothing, and do not hide that the rest fails."""
    calls(breakers, ignored=1000, failed=19)
    assert breakers.states() == {A: BreakerState("closed", 1.0, 19, None)}
    calls(breakers, ignored=1000, failed=1)
    assert state(breakers) == "open"


@pytest.mark.parametrize(("drawn", "seconds"), [(0.0, 4.0), (0.5, 5.0), (0.75, 5.5), (1.0, 6.0)])
def test_time_open_is_jittered(clock, drawn, seconds):
    """It stays open for 5 seconds and at most a fifth more or less, at random."""
    breakers = Breakers(CircuitBreaker(), clock=clock, random=lambda: drawn)
    calls(breakers, failed=20)
    assert refused(breakers) == seconds
    clock.now += seconds
    breakers.ask(A)


def test_refusals_do_not_keep_it_open(opened, clock):
    """Callers who ask while it is open do not delay the probe; each is told what is left."""
    waits = []
    for _ in range(5):
        waits.append(refused(opened))
        clock.now += 1
    assert waits == [5, 4, 3, 2, 1]
    opened.ask(A)


def test_one_probe_of_twenty_threads(half_open, clock):
    """Of twenty threads that ask at the same moment in half-open, exactly one may call."""
    clock.now = Yielding(clock.now)

    def asks():
        try:
            return half_open.ask(A)
        except CircuitOpen:
            return None

    permits = [permit for permit in side_by_side(20, asks) if permit]
    assert len(permits) == 1
    assert state(half_open) == "half_open"


def test_opens_once_for_all_threads(clock):
    """Calls that fail at the same moment open the breaker once: it is open no longer for that."""
    clock.now, drawn = Yielding(clock.now), []
    breakers = Breakers(
        CircuitBreaker(min_calls=2), clock=clock, random=lambda: drawn.append(1) or 0.5
    )
    permits = [breakers.ask(A) for _ in range(16)]
    side_by_side(16, lambda: permits.pop().failed())
    assert len(drawn) == 1
    assert refused(breakers) == 5.0


def test_probes_success_closes(half_open):
    """A probe that succeeds lets all calls go, and what failed before is forgotten."""
    half_open.ask(A).succeeded()
    assert half_open.states() == {A: BreakerState("closed", 0.0, 0, None)}
    calls(half_open, failed=19)
    assert state(half_open) == "closed"


def test_probes_failure_opens_again(half_open, clock):
    """A probe that fails leaves the origin alone for another 5 seconds; then the next one goes."""
    half_open.ask(A).failed()
    assert state(half_open) == "open"
    with pytest.raises(CircuitOpen, match=r"the call that was to probe it failed; .* in 5.0 s"):
        half_open.ask(A)
    clock.now += 5
    half_open.ask(A).succeeded()
    assert state(half_open) == "closed"


def test_ignored_probe_makes_way_for_the_next(half_open):
    """A probe whose end says nothing decides nothing; the next caller probes at once."""
    half_open.ask(A).ignored()
    assert half_open.states()[A][::3] == ("half_open", 0.0)
    half_open.ask(A)
    assert refused(half_open) == 5.0


def test_lost_probe_is_given_up(half_open, clock):
    """A probe that never reports blocks the others for 5 seconds, not for ever."""
    half_open.ask(A)
    clock.now += 4.5
    assert refused(half_open) == 0.5
    clock.now += 0.5
    half_open.ask(A).succeeded()
    assert state(half_open) == "closed"


def test_slow_probes_success_is_heard(half_open, clock):
    """An origin that takes longer to answer than a probe is waited for comes back all the same."""
    slow = half_open.ask(A)
    clock.now += 5
    half_open.ask(A)
    slow.succeeded()
    assert state(half_open) == "closed"


def test_slow_probes_failure_is_not_heard(half_open, clock):
    """The failure of a probe that was given up does not cut off the one that followed it."""
    slow = half_open.ask(A)
    clock.now += 5
    current = half_open.ask(A)
    slow.failed()
    slow.ignored()
    assert refused(half_open) == 5.0
    current.succeeded()
    assert state(half_open) == "closed"


@pytest.mark.parametrize("end", ["succeeded", "failed", "ignored"])
@pytest.mark.parametrize("when", ["open", "half_open", "closed again"])
def test_call_of_before_it_opened_decides_nothing(breakers, clock, end, when):
    """A call that began before the breaker opened neither closes it, nor opens it, nor counts."""
    early = breakers.ask(A)
    calls(breakers, failed=20)
    if when != "open":
        clock.now += 5
        probe = breakers.ask(A)
    if when == "closed again":
        probe.succeeded()
    before = breakers.states()
    getattr(early, end)()
    assert breakers.states() == before


def test_permit_is_heard_once(breakers):
    """A call counts once, however often its end is told."""
    permit = breakers.ask(A)
    for _ in range(30):
        permit.failed()
        permit.succeeded()
    assert breakers.states() == {A: BreakerState("closed", 1.0, 1, None)}


@pytest.mark.timeout(10)
def test_calls_run_side_by_side(breakers):
    """Eight guarded calls are on their way at the same time: none waits for another's end."""
    all_on_their_way = threading.Barrier(8)

    def call():
        permit = breakers.ask(A)
        all_on_their_way.wait(5)
        permit.succeeded()

    side_by_side(8, call)
    assert breakers.states()[A].calls == 8


def test_one_origins_outage_is_not_anothers(opened):
    """An origin that is left alone leaves the others alone."""
    calls(opened, succeeded=1, origin=B)
    assert state(opened, B) == "closed"
    assert state(opened, A) == "open"


def test_states(opened, clock):
    """Each state tells the calls of its window, and when one may go; closed knows no such time."""
    assert opened.states() == {A: BreakerState("open", 0.5, 20, 5.0)}
    clock.now += 4
    assert opened.states() == {A: BreakerState("open", 0.5, 20, 1.0)}
    clock.now += 7
    assert opened.states() == {A: BreakerState("half_open", 0.0, 0, 0.0)}
    opened.ask(A)
    clock.now += 1
    assert opened.states() == {A: BreakerState("half_open", 0.0, 0, 4.0)}


def test_origins_are_bounded(opened):
    """A hundred thousand origins leave the 1024 used last; a forgotten one is closed."""
    for number in range(100_000):
        opened.ask(f"https://{number}.test")
    assert len(opened.states()) == 1024
    opened.ask(A).succeeded()


def test_no_config_lets_every_call_go():
    """Without a configuration nothing is refused and nothing is kept."""
    breakers = Breakers(None)
    calls(breakers, failed=1000, succeeded=1, ignored=1)
    assert breakers.states() == {}


def test_refusal_survives_pickling(opened):
    """A refusal that crosses to another process says there what it said here."""
    with pytest.raises(CircuitOpen) as refusal:
        opened.ask(A)
    copy = pickle.loads(pickle.dumps(refusal.value))
    assert (str(copy), copy.retry_after) == (str(refusal.value), 5.0)


def test_dropped_breakers_are_gone():
    """Following forks keeps nothing alive that its owner has dropped."""
    clock = Clock()
    breakers = Breakers(CircuitBreaker(), clock=clock)
    calls(breakers, failed=1)
    dropped = weakref.ref(clock)
    del breakers, clock
    gc.collect()
    assert dropped() is None


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork_while_another_thread_holds_the_lock():
    """A child forked while another thread is inside the breaker goes on, its calls' ends included."""
    inside, leave = threading.Event(), threading.Event()

    def clock():
        if threading.current_thread() is holder:
            inside.set()
            leave.wait()
        return 1000.0

    breakers = Breakers(CircuitBreaker(), clock=clock)
    begun = breakers.ask(A)
    holder = threading.Thread(target=breakers.ask(A).failed)
    holder.start()
    inside.wait()
    child = os.fork()
    if child == 0:
        try:
            begun.failed()
            breakers.ask(A).succeeded()
            os._exit(0 if breakers.states()[A].calls == 2 else 1)
        finally:
            os._exit(1)
    watchdog = threading.Timer(10, os.kill, [child, signal.SIGKILL])
    watchdog.start()
    status = os.waitpid(child, 0)[1]
    watchdog.cancel()
    watchdog.join()
    leave.set()
    holder.join()
    assert os.waitstatus_to_exitcode(status) == 0


ENDS = st.sampled_from(["succeeded", "failed", "ignored", "lost"])
EVENTS = st.tuples(st.floats(0, 6), st.integers(0, 3), ENDS)


@given(st.lists(EVENTS, max_size=80), st.floats(0, 1))
def test_refusal_tells_when_a_call_may_go(events, drawn):
    """Whatever ended how and when, probes that were lost included: nobody is told to wait for more
    than 6 seconds, and who waits as long as he is told may call.
    """
    clock = Clock()
    breakers = Breakers(CircuitBreaker(min_calls=2), clock=clock, random=lambda: drawn)
    under_way = []
    for wait, which, end in events:
        clock.now += wait
        try:
            permit = breakers.ask(A)
        except CircuitOpen:
            seconds = refused(breakers)
            # The difference of two clock readings is rounded as they are.
            assert 0 < seconds <= 6 + 1e-9
            clock.now += seconds + 1e-6
            permit = breakers.ask(A)
        under_way.append(permit)
        if end != "lost":
            getattr(under_way.pop(which % len(under_way)), end)()
