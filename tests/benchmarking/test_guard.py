"""What the guard lets pass."""

from __future__ import annotations

import pytest

from benchmarks.bars import BARS, LIMITS, Bar, Limit
from benchmarks.guard import failures, needed
from benchmarks.measure import Measured
from benchmarks.peers import DO_OFF, DO_ON, PEERS, REQUESTS, URLLIB3
from benchmarks.results import Results
from benchmarks.workers import Cost

BAR = Bar("get", DO_OFF, REQUESTS, 0.30)
THROUGHPUT = Bar("threads", DO_OFF, REQUESTS, 2.4, at_least=True)


def measured(of, against, scenario="get"):
    """Return results with one block each of two rows."""
    costs = {DO_OFF: [Cost(of, of)], REQUESTS: [Cost(against, against)]}
    return Results({scenario: Measured(costs)})


@pytest.mark.parametrize(("cost", "fails"), [(30, False), (39.9, False), (40.1, True)])
def test_a_ratio_may_be_a_third_over_its_bar(cost, fails):
    """Noise passes, a lost fast path does not."""
    assert bool(failures([BAR], measured(cost, 100))) is fails


@pytest.mark.parametrize(("rate", "fails"), [(2.4, False), (1.81, False), (1.79, True)])
def test_requests_per_second_may_be_a_quarter_under_theirs(rate, fails):
    """A third over the bar, said of the time that it takes."""
    assert bool(failures([THROUGHPUT], measured(1, rate, "threads"))) is fails


def test_a_count_of_none_has_no_slack():
    """One thread left is one too many."""
    threads = Limit("leftovers", "threads", "threads left", 0)

    assert list(failures([threads], Results(numbers={"threads": 1}))) == [threads]
    assert failures([threads], Results(numbers={"threads": 0})) == {}


def test_what_was_not_measured_fails():
    """A row that went missing is not taken for a good one."""
    assert failures([BAR], Results()) == {
        BAR: f"get: {DO_OFF} ÷ {REQUESTS}: not measured",
    }


def test_a_failure_names_ratio_and_bar():
    """Who reads the log of a build need not look up the bar."""
    assert failures([BAR], measured(86, 100)) == {
        BAR: f"get: {DO_OFF} ÷ {REQUESTS}: 0.86, the bar is ≤ 0.30"
    }


def test_only_rows_that_are_watched_are_measured():
    """The guard takes no time for others."""
    watched = [BAR, BAR._replace(against=URLLIB3), BAR._replace(scenario="post", of=DO_ON)]

    assert needed(watched) == {"get": {DO_OFF, REQUESTS, URLLIB3}, "post": {DO_ON, REQUESTS}}


def test_the_guard_needs_no_library_of_a_peer():
    """It runs wherever the tests do."""
    rows = set().union(*needed([one for one in (*BARS, *LIMITS) if one.guarded]).values())
    openers = {PEERS[row].opener.partition(":")[0] for row in rows if row in PEERS}

    assert openers == {"own", "with_requests", "with_urllib3"}
