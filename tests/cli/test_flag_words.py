"""A flag document in words."""

from __future__ import annotations

from math import inf

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.cli.flag_times import moment, span, until
from tracedclient.cli.flag_words import headline, is_on, limit, share, traced
from tracedclient.debug.document import FlagDocument, Rule

NOW = 1795234260.0
"""2026-11-21 04:11:00 UTC."""
PAY = Rule(
    id="pay",
    hosts=("api.pay.com",),
    methods=("POST",),
    paths=("/v1/charge*",),
    instances=("web-7*",),
    percent=10,
    emit="errors_or_slow",
    slow_ms=500,
)


def document(*rules, **fields):
    if rules:
        fields["rules"] = rules
    return FlagDocument(**{"schema": 1, "enabled": True, "until": NOW + 1740, **fields})


def test_everything_is_said():
    """Who, why, until when, how long still; which calls of which processes, what of them, how many."""
    whole = document(PAY, updated_by="alice", reason="INC-4711", max_per_second=10)

    said = [headline(whole, NOW), *traced(whole, NOW), limit(whole)]

    assert said == [
        "on until 04:40 UTC (in 29 min), by alice, because of INC-4711",
        (
            "pay: every POST to api.pay.com whose path begins with /v1/charge, on instances web-7*, "
            "one call in ten, only errors and calls from 500 ms"
        ),
        "at most 10 lines a second in each process",
    ]


@pytest.mark.parametrize(
    ("flag", "words", "rules"),
    [
        (True, "on for 30 min, in each process from when it first sees this", ["every call"]),
        (False, "off", []),
        (document(), "on until 04:40 UTC (in 29 min)", ["every call"]),
        (
            document(rules=()),
            "on until 04:40 UTC (in 29 min)",
            ["nothing: its list of rules is empty"],
        ),
        (
            document(enabled=False, updated_by="bob", reason="done"),
            "off, by bob, because of done",
            [],
        ),
        (document(until=NOW - 300), "off: it ended 04:06 UTC (5 min ago)", []),
    ],
)
def test_the_state(flag, words, rules):
    """On, off, ended, and the short forms are told apart."""
    assert headline(flag, NOW) == words
    assert traced(flag, NOW) == rules
    assert is_on(flag, NOW) is words.startswith("on")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "every call"),
        ({"methods": ("get", "POST")}, "every GET or POST"),
        ({"hosts": ("*.pay.svc", "::1")}, "every call to *.pay.svc or ::1"),
        ({"hosts": tuple("abcdefgh")}, "every call to a or b or c or d or e or one of 3 more"),
        ({"paths": ("/a",)}, "every call whose path is /a"),
        ({"paths": ("/a*", "*/b")}, "every call whose path begins with /a or ends with /b"),
        ({"paths": ("/a*b", "*a*")}, "every call whose path is like /a*b or is like *a*"),
        ({"paths": ("*",)}, "every call whose path is any"),
        ({"emit": "errors"}, "every call, only errors"),
        ({"emit": "slow", "slow_ms": 2500}, "every call, only calls from 2500 ms"),
        ({"level": "headers"}, "every call, with its headers"),
        ({"percent": 0}, "every call, but no call (0 %)"),
        ({"until": NOW + 600}, "every call, until 04:21 UTC (in 10 min)"),
        ({"until": NOW - 60}, "every call, ended 04:10 UTC (60 s ago)"),
        ({"until": NOW + 9999}, "every call"),
    ],
)
def test_each_condition(fields, words):
    """What a rule does not say is not told; a long list is cut, and says so."""
    assert traced(document(Rule(id="x", **fields)), NOW) == [f"x: {words}"]


@pytest.mark.parametrize(
    ("percent", "words"),
    [
        (100, ""),
        (50, "one call in two"),
        (10, "one call in ten"),
        (1, "one call in 100"),
        (0.01, "one call in 10,000"),
        (12.5, "one call in eight"),
        (30, "30 % of the calls"),
        (33.333, "33.33 % of the calls"),
        (99.999, ""),
        (0.004, "but no call (0 %)"),
    ],
)
def test_a_share_is_said_as_it_counts(percent, words):
    """A percentage is told to the second decimal, which is what a process makes of it."""
    assert share(percent) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (119.9, "119 s"),
        (120, "2 min"),
        (1800, "30 min"),
        (7199, "119 min"),
        (7200, "2 h"),
        (14_399, "3 h 59 min"),
        (172_799, "47 h 59 min"),
        (172_800, "2 days"),
        (inf, "more than 300 years"),
    ],
)
def test_spans(seconds, words):
    """A span has the units that matter, and is never said to be longer than it is."""
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("epoch", "words"),
    [
        (NOW, "04:11 UTC"),
        (NOW + 12.9, "04:11:12 UTC"),
        (NOW + 86_400, "2026-11-22 04:11 UTC"),
        (-1, "1969-12-31 23:59:59 UTC"),
        (1e300, "second 1e+300 since 1970"),
        (inf, "second inf since 1970"),
        (-1e15, "second -1e+15 since 1970"),
    ],
)
def test_moments(epoch, words):
    """A moment has its date unless that is today's; no number is too large."""
    assert moment(epoch, NOW) == words


@given(st.floats(allow_nan=False), st.floats(0, 4e9))
def test_every_number_is_a_time(epoch, now):
    """Whatever number stands in `until` can be said."""
    assert until(epoch, now).startswith("until " if epoch > now else "ended ")


def test_the_rate_unless_given_is_the_documents():
    """What is said of a bare `true` is what a process does."""
    rates = {field.name: field.default for field in msgspec.structs.fields(FlagDocument)}
    assert limit(True) == f"at most {rates['max_per_second']:g} lines a second in each process"
