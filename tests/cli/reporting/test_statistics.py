import pytest
from report_logs import HOSTS, call, calls

from tracedclient.cli.reporting.calls import Future, NotCounted, call_of, epoch, path_of
from tracedclient.cli.reporting.statistics import MAX_HELD, MAX_SHOWN, OTHERS, Statistics
from tracedclient.cli.reporting.timeline import MAX_SHOWN as MAX_SLICES
from tracedclient.cli.reporting.timeline import Timeline
from tracedclient.trace.schema import to_json


def counted(traces, by="host"):
    statistics = Statistics(by)
    for one in traces:
        statistics.add(call_of(to_json(one)))
    statistics.settle()
    return statistics


def test_calls_are_counted_by_host_outcome_and_verdict():
    """Calls, errors, retries and verdicts of each host add up to those of all."""
    statistics = counted(calls(300))
    assert {name: group.calls for name, group in statistics.groups.items()} == dict.fromkeys(
        HOSTS, 100
    )
    whole = statistics.whole
    assert (whole.calls, whole.errors, whole.retried) == (300, 30, 60)
    assert whole.outcomes == {"ok": 270, "timeout": 30}
    assert whole.culprits == {"none": 270, "server": 30}


def test_a_phase_that_did_not_happen_is_not_counted_as_zero():
    """Percentiles are of the calls in which the phase took place."""
    statistics = counted([*calls(30), *(call(30 + n, dns_ms=40.0) for n in range(20))])
    dns = statistics.whole.times["dns"]
    assert dns.count == 20
    assert dns.percentile(0.5) == 40.0


def test_a_log_of_any_number_of_hosts_is_held_in_bounded_memory():
    """Groups beyond the held ones are one, and of those the largest are shown."""
    many = MAX_HELD + 50
    statistics = counted([*(call(n, host=f"h{n}.example.com") for n in range(many)), *calls(30)])
    assert len(statistics.groups) == MAX_SHOWN + 1
    assert statistics.groups[OTHERS].calls + MAX_SHOWN == many + 30
    assert statistics.whole.calls == many + 30


def test_slices_of_time_widen_until_a_chart_has_room():
    """A log of any length has at most as many slices as a chart; none of its calls is lost."""
    statistics = counted(call(n, every_ms=7000) for n in range(700))
    slices = list(statistics.timeline)
    assert statistics.timeline.width_s == 60
    assert len(slices) <= MAX_SLICES
    assert sum(found.calls for _, found in slices) == 700
    assert all(begins % 60 == 0 for begins, _ in slices)


def test_timelines_of_different_widths_merge():
    """What was counted in seconds and what was counted in minutes are counted in minutes."""
    fine, coarse = Timeline(1), Timeline(60)
    fine.at(61).calls += 1
    coarse.at(60).calls += 2
    fine.merge(coarse)
    assert [(begins, found.calls) for begins, found in fine] == [(60, 3)]


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://a.test/v1/orders/841/items", "/v1/orders/*/items"),
        ("https://a.test/users/3dd9c1f2-aa10-4b/x?q=REDACTED", "/users/*/x"),
        ("https://a.test", "/"),
        ("https://a.test/v2/", "/v2/"),
        ("nonsense", "nonsense"),
    ],
)
def test_a_path_has_no_ids(url, path):
    """Calls of one endpoint are one group, whatever id is in the path."""
    assert path_of(url) == path


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b'{"schema": "tracedclient.trace/1", "trace_id": "a', NotCounted),
        (b'{"schema": "tracedclient.trace/1"}', NotCounted),
        (b'{"schema": "tracedclient.trace/2", "new": 1}', Future),
        (b'"tracedclient.trace/1"', NotCounted),
        (to_json(call(1, ms=-1.0)), NotCounted),
        (b"\xff\xfetracedclient.trace/", NotCounted),
        (b"[" * 100_000 + b"tracedclient.trace/", NotCounted),
    ],
)
def test_a_line_that_cannot_be_counted_says_so(line, error):
    """Half lines, other shapes and later schemas are told apart from traces."""
    with pytest.raises(error):
        call_of(line)


def test_an_impossible_time_is_none():
    """A date that is none is not counted at another."""
    with pytest.raises(NotCounted):
        epoch("2026-02-30T00:00:00.000000Z")
    assert epoch("1970-01-02T00:00:00.5Z") == 86400
