"""Arguments → documents."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.cli.flag_document import Wanted, switched_off, switched_on
from tracedclient.cli.flag_problems import problems
from tracedclient.cli.flag_warnings import warnings
from tracedclient.cli.flag_words import headline, limit, traced
from tracedclient.debug.document import decode

NOW = 1795234260.0


def test_the_whole_of_it():
    """What was asked for stands in the document, and nothing else."""
    wanted = Wanted(
        seconds=1800,
        by="alice",
        reason="INC-4711",
        hosts=("b.internal",),
        methods=("post",),
        percent=10,
        emit="errors_or_slow",
        slow_ms=500,
    )

    assert json.loads(switched_on(wanted, NOW)) == {
        "schema": 1,
        "enabled": True,
        "until": 1795236060,
        "updated_by": "alice",
        "reason": "INC-4711",
        "rules": [
            {
                "id": "INC-4711",
                "hosts": ["b.internal"],
                "methods": ["POST"],
                "percent": 10,
                "emit": "errors_or_slow",
                "slow_ms": 500,
            }
        ],
    }


@pytest.mark.parametrize(
    ("reason", "rule"),
    [
        (None, "flag-on"),
        ("slow checkout, again!", "slow-checkout-again"),
        ("é", "flag-on"),
        ("x" * 99, "x" * 64),
    ],
)
def test_the_rule_is_called_by_the_reason(reason, rule):
    """The traces say why they were taken, in the characters that an id has."""
    assert decode(switched_on(Wanted(seconds=1, reason=reason), NOW)).rules[0].id == rule


def test_off_says_who_and_why():
    """Switching off is as much of an event as switching on."""
    assert json.loads(switched_off("bob", "fixed", NOW)) == {
        "schema": 1,
        "enabled": False,
        "until": 1795234260,
        "updated_by": "bob",
        "reason": "fixed",
    }


words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
host = st.text("ab.*-", min_size=1, max_size=9)
several = {"max_size": 3}
wishes = st.builds(
    Wanted,
    seconds=st.integers(1, 31_622_400),
    by=st.none() | words,
    reason=st.none() | words,
    hosts=st.lists(host, **several).map(tuple),
    methods=st.lists(st.sampled_from(["GET", "post", "Delete"]), **several).map(tuple),
    paths=st.lists(st.text("ab/*", max_size=5).map("/{}".format), **several).map(tuple),
    instances=st.lists(words, **several).map(tuple),
    percent=st.floats(0, 100) | st.integers(0, 100),
    emit=st.sampled_from(["all", "errors", "slow", "errors_or_slow"]),
    slow_ms=st.floats(0.001, 1e6),
    level=st.sampled_from(["timing", "headers"]),
    max_per_second=st.floats(0.001, 1000),
)


@given(wishes, st.floats(0, 4e9))
def test_what_is_made_is_taken_and_said(wanted, now):
    """Every document that `flag on` makes is one that a process takes, and can be put in words."""
    body = switched_on(wanted, now)

    assert problems(body) == []
    document = decode(body)
    assert headline(document, int(now)).startswith("on until ")
    assert len(traced(document, now)) == 1
    assert limit(document)
    assert all(warnings(document, now))
