"""How many retries an origin gets, whoever asks, however often, in whichever process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.retry.budget import Budgets, RetryBudget

A, B = "https://a.test", "https://b.test"


class Clock:
    """A clock that only the test moves."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Yielding(float):
    """A time; whoever reckons with it lets another thread go first."""

    def __sub__(self, other):
        time.sleep(1e-6)
        return float(self) - other


class YieldingName(str):
    """An origin; whoever looks it up lets another thread go first."""

    __slots__ = ()

    def __hash__(self):
        time.sleep(1e-6)
        return super().__hash__()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def budgets(clock):
    return Budgets(RetryBudget(), clock=clock)


def side_by_side(threads, work):
    """Do ``work`` in that many threads at the same moment; return what they returned."""
    together = threading.Barrier(threads)

    def start(_):
        together.wait()
        return work()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(start, range(threads)))


def failing_call(budgets, origin=A, attempts=3):
    """One call whose attempts all fail; return how many retries it was granted."""
    budgets.deposit(origin)
    for retries in range(attempts - 1):
        if not budgets.withdraw(origin):
            return retries
    return attempts - 1


def drain(budgets, origin=A):
    """Take all that is left; return how many retries that was."""
    retries = 0
    while budgets.withdraw(origin):
        retries += 1
    return retries


def exit_code_of_child(work):
    """Run ``work`` in a forked child, for ten seconds at most; return its exit code."""
    child = os.fork()
    if child == 0:
        try:
            work()
            os._exit(0)
        finally:
            os._exit(1)
    watchdog = threading.Timer(10, os.kill, [child, signal.SIGKILL])
    watchdog.start()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    watchdog.cancel()
    watchdog.join()
    return code


def test_default_budget():
    """A fifth of the calls, and one retry a second besides, over ten seconds."""
    assert RetryBudget() == RetryBudget(ratio=0.2, min_per_second=1.0, ttl=10.0)


@pytest.mark.parametrize(
    ("values", "error", "says"),
    [
        ({"ratio": "0.2"}, TypeError, "ratio must be a number, not '0.2'"),
        ({"ratio": True}, TypeError, "ratio must be a number, not True"),
        ({"ratio": None}, TypeError, "ratio must be a number, not None"),
        ({"ratio": -0.1}, ValueError, "ratio must be from 0 to 1, not -0.1"),
        ({"ratio": 20}, ValueError, "ratio must be from 0 to 1, not 20"),
        ({"ratio": float("nan")}, ValueError, "ratio must be from 0 to 1, not nan"),
        ({"min_per_second": -1}, ValueError, "min_per_second must be from 0 to 1000, not -1"),
        ({"min_per_second": float("inf")}, ValueError, "min_per_second must be from 0 to 1000"),
        ({"min_per_second": []}, TypeError, r"min_per_second must be a number, not \[\]"),
        ({"ttl": 0}, ValueError, "ttl must be from 0.001 to 3600, not 0"),
        ({"ttl": float("inf")}, ValueError, "ttl must be from 0.001 to 3600, not inf"),
        ({"ttl": "10"}, TypeError, "ttl must be a number, not '10'"),
    ],
)
def test_value_that_cannot_be_meant_is_refused(values, error, says):
    """A value that cannot be meant is an error when the budget is made, naming the field."""
    with pytest.raises(error, match=says):
        RetryBudget(**values)


def test_config_is_a_frozen_value():
    """A budget's configuration cannot be changed by one of those who share it."""
    with pytest.raises(AttributeError):
        RetryBudget().ratio = 1.0


def test_ten_thousand_failing_calls(budgets):
    """When everything fails, retries are a fifth of the calls and the reserve, no more, no less."""
    assert sum(failing_call(budgets) for _ in range(10_000)) == 2000 + 10


@pytest.mark.parametrize("ratio", [0.01, 0.07, 0.1, 0.29, 0.3, 0.57, 1.0])
def test_ratio_is_met_to_the_retry(ratio):
    """A hundred calls earn a hundred times the ratio: no retry is lost to rounding."""
    budgets = Budgets(RetryBudget(ratio=ratio, min_per_second=0), clock=Clock())
    for _ in range(100):
        budgets.deposit(A)
    assert drain(budgets) == round(100 * ratio)


def test_sixteen_threads_share_one_budget(budgets, clock):
    """Threads that get in each other's way wherever they can lose no call and gain no retry."""
    clock.now = Yielding(clock.now)
    retries = side_by_side(16, lambda: sum(failing_call(budgets) for _ in range(10)))
    assert sum(retries) == 32 + 10


def test_sixteen_threads_want_the_last_retries(budgets, clock):
    """Threads that withdraw at the same moment get what there is, and not one more."""
    clock.now = Yielding(clock.now)
    assert sum(side_by_side(16, lambda: drain(budgets))) == 10


def test_threads_meet_at_an_origin_that_is_new(budgets):
    """An origin's first calls, made at the same moment, all count."""
    side_by_side(16, lambda: budgets.deposit(YieldingName(A)))
    assert budgets.balances() == {A: pytest.approx(13.2)}


def test_five_calls_earn_one_retry(budgets):
    """An empty budget grants exactly one retry after five more calls, and none after four."""
    drain(budgets)
    for _ in range(4):
        budgets.deposit(A)
    assert drain(budgets) == 0
    budgets.deposit(A)
    assert drain(budgets) == 1


@pytest.mark.parametrize("start", [1000.0, 1000.9, 0.0])
def test_reserve_is_back_after_a_ttl_without_calls(budgets, clock, start):
    """Ten idle seconds after the last retry the whole reserve is there again, and nothing else."""
    clock.now = start
    for _ in range(100):
        budgets.deposit(A)
    assert drain(budgets) == 30
    clock.now += 9.9
    assert drain(budgets) == 0
    clock.now = start + 10
    assert drain(budgets) == 10


def test_calls_earn_nothing_after_a_ttl(budgets, clock):
    """What many calls have earned is gone ten seconds later: it does not pay for a later outage."""
    for _ in range(1000):
        budgets.deposit(A)
    clock.now += 8.9
    assert budgets.balances() == {A: 210.0}
    clock.now += 1.1
    assert budgets.balances() == {A: 10.0}


def test_calls_and_retries_in_a_row(clock):
    """Calls made shortly after each other earn for a ttl at most; retries weigh for one at least."""
    budgets = Budgets(RetryBudget(ratio=1, min_per_second=2), clock=clock)
    for _ in range(2):
        budgets.deposit(A)
        budgets.withdraw(B)
        clock.now += 0.875
    clock.now = 1000.0
    for _ in range(10):
        clock.now += 1
        budgets.withdraw(B)
    assert budgets.balances() == {A: 20.0, B: 20.0 - 12}


def test_no_reserve_and_no_ratio():
    """With a reserve of 0 a first call has no retry; with a ratio of 0 there is the reserve only."""
    none = Budgets(RetryBudget(min_per_second=0), clock=Clock())
    assert failing_call(none) == 0
    reserve = Budgets(RetryBudget(ratio=0), clock=Clock())
    assert sum(failing_call(reserve) for _ in range(100)) == 10


def test_one_origins_outage_is_not_anothers(budgets):
    """An origin that fails uses up its own budget; another one's stays full."""
    budgets.deposit(B)
    for _ in range(100):
        failing_call(budgets, A)
    assert budgets.balances() == {B: 10.2, A: 0.0}
    assert drain(budgets, B) == 10


def test_balance_is_never_negative(budgets, clock):
    """An origin whose calls are forgotten before its retries has 0 retries left, not fewer."""
    for _ in range(100):
        budgets.deposit(A)
    clock.now += 8
    drain(budgets)
    clock.now += 3
    assert budgets.balances() == {A: 0.0}


def test_origins_are_bounded(budgets):
    """A hundred thousand origins leave the 1024 used last, the one used all along among them."""
    for number in range(100_000):
        budgets.deposit(f"https://{number}.test")
        if number % 1000 == 0:
            budgets.withdraw(A)
    kept = budgets.balances()
    assert len(kept) == 1024
    assert {A, "https://99999.test"} < kept.keys()
    assert budgets.withdraw(A) is False


def test_origins_may_be_bounded_otherwise():
    """``max_origins`` is how many budgets are kept."""
    budgets = Budgets(RetryBudget(), max_origins=2)
    for origin in "abc":
        budgets.deposit(origin)
    assert list(budgets.balances()) == ["b", "c"]


def test_no_config_is_no_limit():
    """Without a configuration every retry is granted and nothing is kept."""
    budgets = Budgets(None)
    budgets.deposit(A)
    assert all(budgets.withdraw(A) for _ in range(1000))
    assert budgets.balances() == {}


def test_memory_does_not_grow_with_calls(budgets, clock):
    """An origin takes the same memory after ten times as many calls over ten times as long."""

    def calls(number):
        for _ in range(number):
            clock.now += 0.125
            budgets.deposit(A)
            budgets.withdraw(A)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        few = calls(1000)
        assert calls(10_000) - few < 2000
    finally:
        tracemalloc.stop()


STEPS = st.lists(
    st.tuples(
        # Eighths of a second add up without rounding.
        st.integers(0, 40).map(lambda eighths: eighths / 8),
        st.integers(0, 12),
        st.integers(0, 12),
    ),
    max_size=60,
)


@given(
    STEPS,
    st.sampled_from([0.0, 0.125, 0.2, 0.5, 1.0]),
    st.sampled_from([0.0, 0.5, 1.0]),
)
def test_retries_are_bounded_within_any_ttl(steps, ratio, min_per_second):
    """Whatever calls come when: within any ttl the retries are at most what its calls and the
    reserve allow, and a retry is refused only when those of a little more than a ttl used that up.
    """
    clock, deposits, withdrawals = Clock(), [], []
    budgets = Budgets(RetryBudget(ratio=ratio, min_per_second=min_per_second), clock=clock)

    def allowed(seconds):
        return ratio * within(deposits, seconds) + 10 * min_per_second

    def within(events, seconds):
        return sum(clock.now - at < seconds for at in events)

    for wait, calls, retries in steps:
        clock.now += wait
        for _ in range(calls):
            budgets.deposit(A)
            deposits.append(clock.now)
        for _ in range(retries):
            if budgets.withdraw(A):
                withdrawals.append(clock.now)
                assert within(withdrawals, 10) <= allowed(10) + 1e-6
            else:
                assert within(withdrawals, 11) + 1 > allowed(9)


@pytest.mark.timeout(10)
def test_call_made_while_the_budget_is_in_use():
    """A signal handler or finalizer that makes a call in the middle of another does not hang."""
    inner = iter([A])

    def clock():
        for origin in inner:
            budgets.deposit(origin)
        return 1000.0

    budgets = Budgets(RetryBudget(), clock=clock)
    budgets.deposit(A)
    assert budgets.balances() == {A: 10.4}


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_fork_while_another_thread_holds_the_lock():
    """A child forked while another thread is inside the budget uses it, and its balance is there."""
    inside, leave = threading.Event(), threading.Event()

    def clock():
        if threading.current_thread() is holder:
            inside.set()
            leave.wait()
        return 1000.0

    budgets = Budgets(RetryBudget(), clock=clock)
    holder = threading.Thread(target=budgets.deposit, args=[A])
    for _ in range(10):
        budgets.deposit(B)

    def work():
        budgets.deposit(A)
        assert drain(budgets, B) == 12

    holder.start()
    inside.wait()
    code = exit_code_of_child(work)
    leave.set()
    holder.join()
    assert code == 0
    assert drain(budgets, B) == 12


# In a process of its own: a tracer of this one, such as coverage's, has locks that a thread at work
# may hold at the fork too.
HAMMERED = """
import os, signal, sys, threading, warnings
from tracedclient.retry.budget import Budgets, RetryBudget

warnings.simplefilter("ignore", DeprecationWarning)  # fork() in a process with threads
sys.setswitchinterval(1e-5)
budgets = Budgets(RetryBudget())

def call():
    budgets.deposit("a")
    budgets.withdraw("a")
    budgets.balances()

def hammer():
    while True:
        call()

threading.Thread(target=hammer, daemon=True).start()
for _ in range(200):
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        call()
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
"""


def test_forks_while_another_thread_hammers_the_budget():
    """Two hundred children, forked at any moment of another thread's work, all use the budget."""
    subprocess.run([sys.executable, "-c", HAMMERED], timeout=50, check=True)
