"""Which calls a document's rules match, and in whose name."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.debug.rules import matcher
from tracedclient.debug.snapshot import instance_name, parse
from tracedclient.debug.source import Document

NOW = 1_800_000_000.0
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


@pytest.fixture
def ask(document):
    """``ask([rule, …], method=…, host=…, path=…)``: the id of the rule that matches, or ``None``."""

    def decide(rules, *, method="GET", host="api.test", path="/v1", trace_id=TRACE, at=NOW):
        body = document(NOW + 3600, rules=rules)
        found = parse(body, now=NOW, since=0.0).book.first(
            method, host, path, trace_id, at, at - NOW
        )
        return None if found is None else found.rule

    return decide


@pytest.mark.parametrize(
    ("rule", "call", "matches"),
    [
        ({}, {}, True),
        ({"hosts": ["api.test"]}, {}, True),
        ({"hosts": ["API.Test"]}, {}, True),
        ({"hosts": ["api.test"]}, {"host": "api.test.evil.org"}, False),
        ({"hosts": ["*.test"]}, {}, True),
        ({"hosts": ["*.test"]}, {"host": "test"}, False),
        ({"hosts": ["no.test", "a*t"]}, {}, True),
        ({"hosts": ["192.0.2.*"]}, {"host": "192.0.2.17"}, True),
        ({"hosts": ["2001:db8::1"]}, {"host": "2001:db8::1"}, True),
        ({"methods": ["POST", "get"]}, {}, True),
        ({"methods": ["GET"]}, {"method": "get"}, True),
        ({"methods": ["POST"]}, {}, False),
        ({"paths": ["/v1"]}, {}, True),
        ({"paths": ["/v1/charge*"]}, {"path": "/v1/charges/42"}, True),
        ({"paths": ["/v1/charge*"]}, {"path": "/V1/charges"}, False),
        ({"paths": ["/*/charges/*"]}, {"path": "/v1/charges/42"}, True),
        ({"paths": ["/*/charges/*"]}, {"path": "/charges/42"}, False),
        ({"instances": [instance_name()]}, {}, True),
        ({"instances": ["*"]}, {}, True),
        ({"instances": ["another-host-7*"]}, {}, False),
        ({"percent": 0}, {}, False),
        ({"percent": 100}, {}, True),
        ({"until": NOW + 60}, {"at": NOW + 59.9}, True),
        ({"until": NOW + 60}, {"at": NOW + 60}, False),
        ({"until": NOW + 9e9}, {"at": NOW + 3600}, False),
        ({"hosts": ["api.test"], "methods": ["POST"]}, {}, False),
    ],
)
def test_conditions(ask, rule, call, matches):
    """A rule matches when each of its conditions holds; one that is left out holds always."""
    assert ask([{"id": "r", **rule}], **call) == ("r" if matches else None)


def test_first_match_wins(ask):
    """Of several rules that match, the first decides; a percentage that misses asks the next."""
    rules = [
        {"id": "none", "percent": 0},
        {"id": "posts", "methods": ["POST"]},
        {"id": "test", "hosts": ["*.test"]},
        {"id": "all"},
    ]
    assert ask(rules, method="POST") == "posts"
    assert ask(rules) == "test"
    assert ask(rules, host="other.org") == "all"


def test_rule_cannot_outlive_a_clock_set_back(document):
    """A rule's own end holds by the monotonic clock too, when the wall clock is set back."""
    body = document(NOW + 3600, rules=[{"id": "r", "until": NOW + 60}])
    book = parse(body, now=NOW, since=50.0).book
    assert book.first("GET", "a", "/", TRACE, NOW, 109.9) is not None
    assert book.first("GET", "a", "/", TRACE, NOW - 1e6, 110.0) is None


def test_decision_says_what_the_rule_says(document):
    """The decision carries source, revision, rule, emit, slow_ms and level."""
    rule = {"id": "pay", "emit": "errors_or_slow", "slow_ms": 500, "level": "headers"}
    book = parse(document(NOW + 9, rules=[rule]), now=NOW, since=0, source="s", revision="r7").book
    found = book.first("GET", "a", "/", TRACE, NOW, 0.0)
    assert found is not None
    assert (found.source, found.revision, found.rule) == ("s", "r7", "pay")
    assert (found.emit, found.slow_ms, found.level) == ("errors_or_slow", 500.0, "headers")


def test_percent_is_of_trace_ids_and_constant(ask):
    """Ten percent are a tenth of the trace ids, and each id is always in or always out."""
    rule = [{"id": "r", "percent": 10}]
    ids = [f"{n:032x}" for n in range(3000)]
    chosen = [i for i in ids if ask(rule, trace_id=i)]
    assert 200 < len(chosen) < 400
    assert [i for i in ids if ask(rule, trace_id=i)] == chosen
    wider = [{"id": "w", "percent": 20}]
    assert all(ask(wider, trace_id=i) for i in chosen)


def test_memory_of_hosts_is_bounded(document):
    """Ten thousand hosts do not make a document remember ten thousand."""
    book = parse(document(NOW + 9), now=NOW, since=0).book
    for n in range(10_000):
        book.first("GET", f"h{n}", "/", TRACE, NOW, 0.0)
    assert len(book._concerning) <= 1024


def test_globs_take_linear_time():
    """A pattern made to be slow is answered at once: 300 stars against 20,000 characters."""
    matches = matcher(["*a" * 300 + "*b"])
    began = time.process_time()
    assert not matches("a" * 20_000)
    assert time.process_time() - began < 0.5


@given(st.text("ab*", min_size=1, max_size=8), st.text("ab", max_size=10))
def test_globs_mean_what_they_say(pattern, text):
    """A star stands for any characters, anywhere in a pattern, and nothing else is special."""
    meant = re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text) is not None
    assert matcher([pattern])(text) == meant
    assert matcher(["x", pattern, "y*"])(text) == meant


def test_bare_true_and_no_rules_are_the_rule_all(document):
    """A bare ``true``, and a document without ``rules``, decide for every call as the rule ``all``."""
    for body in (b"true", document(NOW + 60)):
        found = parse(body, now=NOW, since=0).book.first("PUT", "x", "/", TRACE, NOW, 0.0)
        assert found is not None
        assert (found.rule, found.emit, found.slow_ms) == ("all", "all", None)


@pytest.mark.parametrize(
    ("rules", "hint"),
    [
        ([], "rules are an empty list, which matches nothing"),
        ([{"id": "r", "instances": ["x*y"]}], "none of its rules is for this instance, "),
    ],
)
def test_nothing_can_match(updater, scripted, document, lines, rules, hint):
    """Rules of which none can match trace nothing, cost nothing, and the log line says why."""
    flag = updater(
        scripted(Document(document(time.time() + 60, rules=rules), "r1"), immediate=True)
    )
    assert not flag.is_on()
    assert flag.decide("GET", "a", "/", TRACE) is None
    assert hint in lines("INFO")[0]
