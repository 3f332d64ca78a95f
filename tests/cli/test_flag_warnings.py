"""What is surely not meant."""

from __future__ import annotations

from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracedclient.cli.flag_warnings import warnings
from tracedclient.debug.document import FlagDocument, Rule
from tracedclient.debug.rules import compile_rules

NOW = 1795234260.0


def of(*rules, **fields):
    fields = {"schema": 1, "enabled": True, "until": NOW + 600, **fields}
    return warnings(FlagDocument(**fields, rules=rules), NOW)


@pytest.mark.parametrize(
    ("until", "words"),
    [
        (NOW, ["until has passed, 0 s ago: this switches nothing on"]),
        (NOW - 300, ["until has passed, 5 min ago: this switches nothing on"]),
        (NOW + 14_400, []),
        (
            NOW + 32_400,
            ["until is 9 h away, and is cut: each process ends it 4 h after it has first seen it"],
        ),
        (
            (NOW + 600) * 1000,
            [
                "until 1795234860000 looks like milliseconds; it is in seconds",
                (
                    "until is more than 300 years away, and is cut: each process ends it 4 h "
                    "after it has first seen it"
                ),
            ],
        ),
    ],
)
def test_the_end(until, words):
    """An end that has passed, that will be cut, or that is in milliseconds, is warned of."""
    assert of(Rule(id="x"), until=until) == words


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"percent": 0}, ["percent 0 matches no call"]),
        ({"percent": 0.004}, ["percent 0.004 matches no call; the least that counts is 0.01"]),
        ({"percent": 0.01}, []),
        ({"until": NOW - 60}, ["its until has passed, at 04:10 UTC"]),
        (
            {"until": NOW + 900},
            ["its until is after that of the document, which ends it at 04:21 UTC"],
        ),
        (
            {"slow_ms": 5, "emit": "errors"},
            ["slow_ms has no effect with emit 'errors'; write slow or errors_or_slow"],
        ),
        ({"hosts": ("[::1]",)}, ["an IPv6 address stands in hosts without its brackets"]),
    ],
)
def test_a_rule(fields, words):
    """A rule that matches nothing, or has what does nothing, is warned of by its id."""
    assert of(Rule(id="x", **fields)) == [f"rule 'x': {each}" for each in words]


def test_no_rules_at_all():
    """An empty list is not "every call", which is what it may be taken for."""
    (one,) = of()
    assert one.startswith("rules is an empty list, which matches nothing")


@pytest.mark.parametrize("flag", [True, False])
def test_nothing_to_say(flag):
    """The short forms, and whatever is off, are fine."""
    assert warnings(flag, NOW) == []
    assert of(until=1, enabled=False) == []


@pytest.mark.parametrize(
    ("first", "then", "hidden"),
    [
        ({}, {}, True),
        ({}, {"hosts": ("a",)}, True),
        ({"hosts": ("a",)}, {}, False),
        ({"hosts": ("*",)}, {}, True),
        ({"hosts": ("*.SVC", "b")}, {"hosts": ("pay.svc", "B")}, True),
        ({"hosts": ("*.svc",)}, {"hosts": ("*.pay.svc", "a.svc")}, True),
        ({"hosts": ("*.pay.svc",)}, {"hosts": ("*.svc",)}, False),
        ({"paths": ("/A*",)}, {"paths": ("/a",)}, False),
        ({"methods": ("GET", "post")}, {"methods": ("POST",)}, True),
        ({"methods": ("GET",)}, {}, False),
        ({"percent": 10}, {"percent": 10}, True),
        ({"percent": 10}, {"percent": 11}, False),
        ({"until": NOW + 60}, {}, False),
        ({"until": NOW + 60}, {"until": NOW + 50}, True),
        ({"instances": ("web*",)}, {"instances": ("web-7",)}, True),
        ({"instances": ("web-7",)}, {}, False),
        ({"emit": "errors"}, {}, True),
    ],
)
def test_a_rule_behind_a_wider_one(first, then, hidden):
    """A rule is told to never decide exactly when one before it matches all that it does."""
    said = of(Rule(id="first", **first), Rule(id="then", **then))
    words = (
        "rule 'then' never decides: 'first' before it matches all that it does; "
        "put the narrower one first"
    )
    assert said == ([words] if hidden else [])


GLOBS = ["a", "ab", "a*", "*b", "*", "a*b"]
TEXTS = ["a", "ab", "b", "abb"]
MOMENTS = [0.0, 10.0, 100.0]
IDS = ["0", "1", "2", "3", "4", "5"]
"""Some are among the first two fifths of all ids, some are not."""


def some(values):
    """Nothing, or one or two of ``values``."""
    return st.just(()) | st.lists(st.sampled_from(values), min_size=1, max_size=2).map(tuple)


narrow = st.builds(
    Rule,
    id=st.just("then"),
    hosts=some(GLOBS),
    methods=some(["GET", "post"]),
    paths=some([f"/{glob}" for glob in GLOBS]),
    instances=some(GLOBS),
    percent=st.sampled_from([100, 40, 0]),
    until=st.none() | st.sampled_from([NOW + 5, NOW + 50]),
)
CONDITIONS = ["hosts", "methods", "paths", "instances", "percent", "until"]


@st.composite
def pairs(draw):
    """Two rules that differ in one condition or two."""
    then, other = draw(narrow), draw(narrow)
    names = draw(st.lists(st.sampled_from(CONDITIONS), min_size=1, max_size=2))
    changes = {name: getattr(other, name) for name in names}
    return msgspec.structs.replace(then, id="first", **changes), then


def deciding(first, then):
    """The ids of those rules that decide any call of any process."""
    where = {"source": "s", "revision": "r", "until": NOW + 600, "lag": -NOW}
    calls = list(product(["GET", "POST"], TEXTS, TEXTS, IDS, MOMENTS))
    books = [compile_rules([first, then], instance=name, **where) for name in TEXTS]
    decisions = (
        book.first(method, host, f"/{path}", trace_id, NOW + since, since)
        for book in books
        for method, host, path, trace_id, since in calls
    )
    return {decision.rule for decision in decisions if decision is not None}


@settings(max_examples=500)
@given(pairs())
def test_a_hidden_rule_decides_no_call(rules):
    """Whatever the call, a rule that is said never to decide does not, in the rules of a process."""
    if any("never decides" in words for words in of(*rules)):
        assert "then" not in deciding(*rules)
