import re

import pytest
from drawing import trace

from tracedclient.cli.slo import parse_slo, verdicts, violations


def test_limits_are_phases_and_the_total():
    """Milliseconds by name, spaces allowed, in the order given."""
    assert list(parse_slo("total=500, dns=50.5").items()) == [("total", 500.0), ("dns", 50.5)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "an SLO names blocked, dns"),
        ("ttfb=1", "not 'ttfb'"),
        ("dns", "the limit of dns must be milliseconds above 0, not ''"),
        ("dns=x", "not 'x'"),
        ("dns=0", "not '0'"),
        ("dns=nan", "not 'nan'"),
        ("dns=inf", "not 'inf'"),
        ("dns=1,dns=2", "dns is given twice"),
        ("dns=1,", "not ''"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(text, message):
    """An SLO that would never be violated by a typing error is none."""
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_slo(text)


def test_a_violation_says_by_how_much():
    """The phase itself is compared, not a sum that contains it; a limit just met is kept."""
    slow = trace(dns_ms=50.1, wait_ms=40.0, duration_ms=91.0)
    assert violations(slow, parse_slo("dns=50,wait=40,total=91")) == [("dns", 50.0, 50.1)]


def test_what_did_not_take_place_violates_nothing():
    """A kept connection has no lookup that could be too slow."""
    assert violations(trace(), parse_slo("dns=1")) == []


def test_several_requests_are_counted():
    """How many were too slow, and how slow the slowest was."""
    traces = [trace(duration_ms=ms) for ms in (10.0, 211.0, 205.0)]
    assert verdicts(traces, parse_slo("total=200,dns=1")) == [
        ("SLO total <= 200 ms  VIOLATED: 2 of 3 requests, up to 211 ms", False),
        ("SLO dns <= 1 ms  ok", True),
    ]
