"""What is surely not meant."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
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


patterns = st.lists(st.text("ab*", min_size=1, max_size=4), max_size=2).map(tuple)
paths = st.lists(st.text("ab*", max_size=3).map("/{}".format), max_size=2).map(tuple)
CONDITIONS = ["hosts", "methods", "paths", "instances", "percent", "until"]
some_rules = st.builds(
    Rule,
    id=st.just("first"),
    hosts=patterns,
    methods=st.lists(st.sampled_from(["GET", "post"]), max_size=1).map(tuple),
    paths=paths,
    instances=patterns,
    percent=st.sampled_from([0, 40, 100]),
    until=st.none() | st.sampled_from([NOW + 5, NOW + 50]),
)


def like(one, other, names):
    """``other``, but for the fields ``names``, which are those of ``one``."""
    return msgspec.structs.replace(other, id="then", **{name: getattr(one, name) for name in names})


@given(some_rules, some_rules, st.sets(st.sampled_from(CONDITIONS), min_size=3), st.data())
def test_a_hidden_rule_decides_no_call(first, other, names, data):
    """Whatever the call, a rule that is said never to decide does not, in the rules of a process."""
    then = like(first, other, names)
    text = st.text("ab", max_size=5)
    where = {"source": "s", "revision": "r", "until": NOW + 600, "lag": -NOW}
    book = compile_rules([first, then], instance=data.draw(text), **where)
    since = data.draw(st.sampled_from([0.0, 10.0, 100.0]))

    decision = book.first(
        data.draw(st.sampled_from(["GET", "POST"])),
        data.draw(text),
        f"/{data.draw(text)}",
        data.draw(st.text("0123456789abcdef", min_size=1)),
        NOW + since,
        since,
    )

    hidden = any("never decides" in words for words in of(first, then))
    assert not (hidden and decision is not None and decision.rule == "then")
