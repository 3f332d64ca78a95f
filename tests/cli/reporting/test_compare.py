import re

import pytest
from report_logs import call, calls

from tracedclient.cli.reporting.calls import call_of
from tracedclient.cli.reporting.compare import by_group, differences, tables
from tracedclient.cli.reporting.statistics import Statistics
from tracedclient.trace.schema import to_json


def counted(traces):
    statistics = Statistics()
    for one in traces:
        statistics.add(call_of(to_json(one)))
    statistics.settle()
    return statistics


def steady(count, ms=50.0, failed=0, **fields):
    bad = {"outcome": "timeout", "verdict_culprit": "server"}
    return counted(
        call(n, ms + n % 10, **(bad if n < failed else {}), **fields) for n in range(count)
    )


def words(before, after):
    return {one.what: (one.words, one.worse) for one in differences(before, after)}


def test_what_rose_is_said_with_by_how_much():
    """Slower, and more errors by a fault that is new: each is named with its factor."""
    said = words(steady(500), steady(500, ms=200.0, failed=100))
    assert re.fullmatch(r"rose to 3\.[4-6] times as much", said["whole call: p95"][0])
    assert said["errors"] == ("rose from none", True)
    assert said["verdict: server"] == ("rose from none", True)
    assert said["retried"] == ("no difference", None)


def test_what_fell_is_better():
    """The same the other way round."""
    said = words(steady(500, ms=200.0, failed=100), steady(500))
    assert re.fullmatch(r"fell to 1 / 3\.[4-6]", said["whole call: p95"][0])
    assert said["errors"] == ("fell to none", False)


@pytest.mark.parametrize("seed", range(5))
def test_chance_is_not_called_a_difference(seed):
    """Two logs of the same service differ by chance only, and nothing is told of that."""
    said = words(counted(calls(400, seed=seed)), counted(calls(400, seed=seed + 100)))
    assert {worse for _, worse in said.values()} == {None}


def test_too_few_calls_tell_nothing():
    """Ten calls that all failed are no rate."""
    said = words(steady(10), steady(10, failed=10))
    assert said["errors"] == ("too few calls to tell", None)
    assert said["whole call: p50"] == ("too few calls to tell", None)


def test_single_hosts_are_compared():
    """A host that got worse is named although all others are as before; so is one that is new."""
    before, after = calls(600), calls(600)
    after = [one for one in after if one.server_address != "db.example.com"]
    after += [call(n, 900.0, "db.example.com") for n in range(600, 800)]
    after += [call(n, 10.0, "new.example.com") for n in range(800, 850)]
    found = {one.what: one.words for one in by_group(counted(before), counted(after))}
    assert found["db.example.com: p95"].startswith("rose to")
    assert found["new.example.com"] == "only after: 50 calls"
    assert not any("api.example.com" in what for what in found)


def test_the_tables_have_both_numbers():
    """Before, after and the words are in one row."""
    table = tables(steady(500), steady(500, failed=250))[0]
    assert [cell.text for cell in table.rows[0]] == ["errors", "0.0 %", "50.0 %", "rose from none"]
