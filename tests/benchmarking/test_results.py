"""Costs become ratios, bars, tables and a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.bars import BARS, LIMITS, Bar, Limit
from benchmarks.measure import Measured, Plan
from benchmarks.page import page
from benchmarks.peers import DO_OFF, PEERS, RAW, REQUESTS
from benchmarks.results import Results, number_of, ratio
from benchmarks.scenarios import SCENARIOS, scenario
from benchmarks.table import aligned, bars_table, scenario_table, winners
from benchmarks.workers import Cost

DOCS = Path(__file__).parents[2] / "docs"


def test_a_ratio_is_that_of_two_blocks_of_one_round():
    """What slows both rows of a round leaves the ratio as it is."""
    assert ratio([1.0, 10.0, 3.0], [2.0, 20.0, 3.0]) == (0.5, 0.5, 1.0)


def test_a_ratio_shows_its_spread():
    """The least and the greatest stand beside the median."""
    assert str(ratio([1, 2, 3], [10, 10, 10])) == "0.20 (0.10 to 0.30)"


def test_requests_per_second_are_compared_the_other_way_round():
    """Where more is better, half the time is a ratio of two."""
    costs = {DO_OFF: [Cost(9, 1.0)], REQUESTS: [Cost(9, 2.0)]}
    bar = Bar("threads", DO_OFF, REQUESTS, 2.5, at_least=True)

    assert Results({"threads": Measured(costs)}).ratio(bar).median == 2.0


@pytest.mark.parametrize(
    ("bar", "number", "met"),
    [
        (Bar("get", DO_OFF, REQUESTS, 0.3), 0.30, True),
        (Bar("get", DO_OFF, REQUESTS, 0.3), 0.31, False),
        (Bar("threads", DO_OFF, REQUESTS, 2.5, at_least=True), 2.5, True),
        (Bar("threads", DO_OFF, REQUESTS, 2.5, at_least=True), 2.4, False),
        (Limit("leftovers", "threads", "threads", 0), 0, True),
        (Limit("leftovers", "threads", "threads", 0), 1, False),
    ],
)
def test_a_bar_is_met_or_not(bar, number, met):
    """A bar is met up to its very number."""
    assert bar.is_met(number) is met


def test_what_was_not_measured_has_no_number(results):
    """A missing row, scenario or number is None, not 0."""
    watched = [
        Bar("get", "httpx", REQUESTS, 1.0),
        Bar("post", DO_OFF, REQUESTS, 1.0),
        Limit("leftovers", "descriptors", "descriptors", 0),
    ]

    assert [number_of(one, results) for one in watched] == [None, None, None]


def test_the_table_of_bars_says_what_is_not_met(results):
    """Each bar is there, with yes, no or "not measured"."""
    lines = bars_table(results).splitlines()

    assert len(lines) == 2 + len(BARS) + len(LIMITS)
    assert "| 0.35 (0.30 to 0.40) |" in lines[2]
    assert lines[2].endswith("| **no**       |")
    assert sum("not measured" in line for line in lines) == len(BARS) + len(LIMITS) - 2


def test_the_table_of_a_scenario_begins_with_the_cheapest(results):
    """Rows stand in the order of their cost, with ratios to requests."""
    lines = scenario_table(scenario("get"), results.scenarios["get"]).splitlines()[2:]

    assert [line.split(" | ")[0].strip("| ") for line in lines] == [RAW, DO_OFF, REQUESTS]
    assert "1.00 (1.00 to 1.00)" in lines[2]


def test_where_a_peer_wins_it_is_said(results):
    """Who is cheaper than HTTPClient.do is named beneath the table."""
    assert winners(results.scenarios["get"]) == f"Cheaper than {DO_OFF}: {RAW}."


def test_a_table_is_aligned():
    """Words are to the left, numbers to the right."""
    assert aligned([("row", "µs"), ("a", "1,234")], numbers=(1,)) == (
        "| row |    µs |\n|-----|------:|\n| a   | 1,234 |\n"
    )


def test_the_page_has_what_was_measured(results):
    """A scenario that was not measured has no heading."""
    text = page(results, "CPython 3.11")

    assert "CPython 3.11" in text
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## Bars",
        "## Keep-alive GET, 58 bytes of JSON",
    ]


def test_the_published_page_has_each_bar_as_it_is():
    """docs/benchmarks.md was written with the bars that hold now."""
    published = (DOCS / "benchmarks.md").read_text()

    assert [bar for bar in BARS if f"{bar.of} ÷ {bar.against}" not in published] == []
    assert [bar for bar in (*BARS, *LIMITS) if f" {bar.said} " not in published] == []


def test_each_bar_compares_rows_that_are_measured():
    """A bar that no scenario serves would never be missed."""
    rows = {one.name: one.rows for one in SCENARIOS}
    served = [bar for bar in BARS if bar.scenario != "import"]

    assert [bar for bar in served if not set(bar.rows) <= set(rows[bar.scenario])] == []


def test_each_scenario_is_compared_with_requests():
    """Rows are peers that exist, requests among them."""
    assert [one.name for one in SCENARIOS if not {REQUESTS} <= set(one.rows) <= set(PEERS)] == []


def test_new_urls_are_all_asked_for_in_one_process():
    """100,000 different paths and queries, so that a cache of any size would show."""
    urls = scenario("urls")
    plan = Plan()

    assert sum(plan.blocks_of_starts(urls)) * plan.requests(urls) == 100_000
    assert len(plan.blocks_of_starts(urls)) == 1
