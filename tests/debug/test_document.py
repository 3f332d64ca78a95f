"""Bytes of a config centre → a decision with an end, or a refusal in words."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.debug import FlagDocument, InvalidDocument, Rule
from tracedclient.debug import snapshot as meaning
from tracedclient.debug.document import BARE_TTL, MAX_BYTES, MAX_TTL

NOW = 1_800_000_000.0


def parse(body, *, now=NOW):
    """What a document means whose first sight is ``now`` by both clocks."""
    return meaning.parse(body, now=now, since=now)


def is_on(snapshot, now):
    return snapshot.is_on(now, now)


def test_bare_true_is_on_for_half_an_hour():
    """A bare ``true`` switches on for thirty minutes from its first sight, to the second."""
    snapshot = parse(b" true\n", now=NOW)
    assert is_on(snapshot, NOW)
    assert is_on(snapshot, NOW + 1799)
    assert not is_on(snapshot, NOW + 1800)
    assert snapshot.until == NOW + BARE_TTL


def test_bare_false_is_off():
    """A bare ``false`` switches off."""
    assert not is_on(parse(b"false"), NOW)


def test_document_is_on_until_its_end(document):
    """A document is on before its ``until`` and off from then on, and carries who and why."""
    snapshot = parse(document(NOW + 60, updated_by="alice", reason="INC-4711"), now=NOW)
    assert is_on(snapshot, NOW + 59.9)
    assert not is_on(snapshot, NOW + 60)
    assert (snapshot.updated_by, snapshot.reason) == ("alice", "INC-4711")


def test_disabled_document_is_off(document):
    """``enabled: false`` is off, whatever its ``until``."""
    snapshot = parse(document(NOW + 60, enabled=False), now=NOW)
    assert not is_on(snapshot, NOW)
    assert snapshot.until is None


@pytest.mark.parametrize("until", [NOW - 1, NOW, 0, -5, -1e308])
def test_past_until_is_off(document, until):
    """A document whose time has passed is off from the start, even if the clock is set back."""
    snapshot = parse(document(until), now=NOW)
    assert not is_on(snapshot, NOW)
    assert not is_on(snapshot, -1e309)


@pytest.mark.parametrize("until", [NOW + MAX_TTL + 1, NOW * 1000, 1e300, 2**64])
def test_until_is_cut_to_four_hours(document, until):
    """However far ``until`` lies (in milliseconds, say), debug ends four hours after first sight."""
    snapshot = parse(document(until), now=NOW)
    assert snapshot.until == NOW + 4 * 3600
    assert not is_on(snapshot, NOW + 4 * 3600)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"True", "not JSON: JSON is malformed: invalid character (byte 0)"),
        (b'{"schema":1', "not JSON: Input data was truncated"),
        (b"true false", "trailing characters"),
        (b"\xef\xbb\xbftrue", "not JSON"),
        (b'{"schema":1,"enabled":true,"until":NaN}', "not JSON"),
        (b'{"schema":1,"enabled":true,"until":5,"reason":"\xff"}', "not UTF-8"),
        (b"null", "got `null`"),
        (b"1", "got `int`"),
        (b'"true"', "got `str`"),
        (b"[" * 60_000, "got `array`"),
        (b'{"schema":1,"enabled":true}', "missing required field `until`"),
        (b'{"enabled":true,"until":5}', "missing required field `schema`"),
        (b'{"schema":1,"enabled":"true","until":5}', "got `str` - at `$.enabled`"),
        (b'{"schema":1,"enabled":1,"until":5}', "got `int` - at `$.enabled`"),
        (b'{"schema":1,"enabled":true,"until":"5"}', "got `str` - at `$.until`"),
        (b'{"schema":1,"enabled":true,"until":true}', "got `bool` - at `$.until`"),
        (b'{"schema":1,"enabled":true,"until":null}', "got `null` - at `$.until`"),
        (b'{"schema":1,"enabled":true,"until":1e999}', "out of range - at `$.until`"),
        (b'{"schema":1,"enabled":true,"until":-1e999}', "out of range - at `$.until`"),
        (b'{"schema":1,"enabled":true,"until":5,"reason":7}', "at `$.reason`"),
        (b'{"schema":1,"enabled":true,"until":5,"untill":6}', "unknown field `untill`"),
        (b'{"schema":2,"enabled":true,"until":5}', "schema 1 is the only one"),
        (
            b'{"schema":1,"enabled":true,"until":5,"max_per_second":0}',
            "> 0.0 - at `$.max_per_second`",
        ),
        (
            b'{"schema":1,"enabled":true,"until":5,"max_per_second":1e6}',
            "<= 1000.0 - at `$.max_per",
        ),
        (b'{"schema":1,"enabled":true,"until":5,"redact":false}', "unknown field `redact`"),
    ],
)
def test_refusal_says_what_and_where(body, says):
    """What is no flag document is refused, and the message says what is wrong and where."""
    with pytest.raises(InvalidDocument) as refusal:
        parse(body, now=NOW)
    assert says in str(refusal.value)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ({}, "missing required field `id` - at `$.rules[0]`"),
        ({"id": ""}, "matching regex"),
        ({"id": "a b"}, "matching regex"),
        ({"id": "r\n"}, "matching regex"),
        ({"id": "r", "hosts": ["api.test\n"]}, "matching regex"),
        ({"id": "r", "methods": ["GET\n"]}, "matching regex"),
        ({"id": "r", "paths": ["/v1\n"]}, "matching regex"),
        ({"id": "r", "percent": 101}, "<= 100.0 - at `$.rules[0].percent`"),
        ({"id": "r", "percent": -1}, ">= 0.0"),
        ({"id": "r", "percent": "10"}, "got `str`"),
        ({"id": "r", "hosts": "api.test"}, "got `str` - at `$.rules[0].hosts`"),
        ({"id": "r", "hosts": [""]}, "length >= 1"),
        ({"id": "r", "hosts": ["https://api.test"]}, "matching regex"),
        ({"id": "r", "hosts": ["api.test:443"]}, "rule 'r': hosts have no port"),
        ({"id": "r", "hosts": ["a"] * 101}, "length <= 100"),
        ({"id": "r", "methods": ["GET /"]}, "matching regex"),
        ({"id": "r", "paths": ["v1"]}, "matching regex"),
        ({"id": "r", "paths": ["/v1?token=*"]}, "matching regex"),
        (
            {"id": "r", "emit": "everything"},
            "Invalid enum value 'everything' - at `$.rules[0].emit`",
        ),
        ({"id": "r", "emit": "slow"}, "rule 'r': emit 'slow' needs slow_ms"),
        ({"id": "r", "emit": "errors_or_slow"}, "needs slow_ms"),
        ({"id": "r", "slow_ms": 0}, "> 0.0"),
        ({"id": "r", "level": "body"}, "Invalid enum value 'body'"),
        ({"id": "r", "level": "bodies"}, "Invalid enum value 'bodies'"),
        ({"id": "r", "redact": False}, "unknown field `redact` - at `$.rules[0]`"),
        ({"id": "r", "headers": ["*"]}, "unknown field `headers`"),
        ({"id": "r", "until": "soon"}, "got `str` - at `$.rules[0].until`"),
    ],
)
def test_refusal_of_a_rule(document, rule, says):
    """A rule that says something impossible, or asks for what no rule may have, is refused."""
    with pytest.raises(InvalidDocument) as refusal:
        parse(document(NOW + 60, rules=[rule]))
    assert says in str(refusal.value)


def test_rules_need_names_of_their_own(document):
    """Two rules with one id are refused: a log line would not say which of them it was."""
    with pytest.raises(InvalidDocument, match="two rules are called 'r'"):
        parse(document(NOW + 60, rules=[{"id": "r"}, {"id": "r", "percent": 5}]))


@pytest.mark.parametrize("rules", [None, {}, True, [None], ["all"], [{"id": "r"}] * 101])
def test_rules_are_a_list_of_rules(document, rules):
    """``rules`` is a list of at most a hundred objects; ``null`` is not "every call"."""
    with pytest.raises(InvalidDocument):
        parse(document(NOW + 60, rules=rules))


def test_nothing_in_the_document_widens_what_is_shown():
    """The schema has no field but those that choose calls, bound them, or say who and why."""
    assert set(FlagDocument.__struct_fields__) == {
        *("schema", "enabled", "until", "updated_by", "reason", "max_per_second", "rules")
    }
    assert set(Rule.__struct_fields__) == {
        *("id", "hosts", "methods", "paths", "instances", "percent"),
        *("emit", "slow_ms", "level", "until"),
    }


def test_refusal_says_what_to_write():
    """The example in a refusal is itself a valid document."""
    with pytest.raises(InvalidDocument) as refusal:
        parse(b"{}", now=NOW)
    example = str(refusal.value).partition(" or ")[2]
    assert is_on(parse(example.encode(), now=1_794_999_999), 1_794_999_999)


def test_size_is_limited():
    """64 kB is accepted and one byte more is refused, before it is parsed."""
    assert parse(b"true".ljust(MAX_BYTES), now=NOW).on
    with pytest.raises(InvalidDocument, match="larger than 64 kB"):
        parse(b"true".ljust(MAX_BYTES + 1), now=NOW)


def test_refusal_quotes_little_and_nothing_harmful():
    """A refusal neither repeats the document nor lets it write lines or escapes into the log."""
    secret = "\n\x1b[31m" + "s" * 1000
    with pytest.raises(InvalidDocument) as refusal:
        parse(json.dumps({"schema": 1, secret: 1}).encode(), now=NOW)
    assert str(refusal.value).isprintable()
    assert "s" * 81 not in str(refusal.value)


def test_documents_are_immutable(document):
    """Neither a document nor a decision can be changed once read."""
    snapshot = parse(document(NOW + 60), now=NOW)
    with pytest.raises(AttributeError):
        snapshot.on = False
    with pytest.raises(AttributeError):
        FlagDocument(schema=1, enabled=True, until=5.0).until = 6.0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
RULES = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b", "c"])},
    optional={
        "hosts": st.lists(st.text("a.*:", min_size=1)) | JSON,
        "methods": st.lists(st.sampled_from(["GET", "post", "?"])) | JSON,
        "paths": st.lists(st.text("a/*?", min_size=1)) | JSON,
        "instances": st.lists(st.text(min_size=1, max_size=5)) | JSON,
        "percent": st.floats(0, 100) | JSON,
        "emit": st.sampled_from(["all", "errors", "slow"]) | JSON,
        "slow_ms": st.floats(0.1, 1e9) | JSON,
        "level": st.sampled_from(["timing", "headers"]) | JSON,
        "until": st.floats(NOW - 1e6, NOW + 1e6) | JSON,
    },
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "schema": st.just(1) | JSON,
        "enabled": st.booleans() | JSON,
        "until": st.floats(NOW - 1e6, NOW + 1e6) | st.integers() | JSON,
        "updated_by": st.text() | JSON,
        "reason": st.text() | JSON,
        "max_per_second": st.floats(1, 1000) | JSON,
        "rules": st.lists(RULES, max_size=3) | JSON,
    },
)
BODIES = st.binary() | (NEARLY | JSON).map(lambda value: json.dumps(value).encode())


@given(BODIES)
def test_no_bytes_break_the_parser_or_stay_on(body):
    """Whatever the bytes: a refusal, or a decision that ends by its ``until`` and in four hours."""
    try:
        snapshot = parse(body, now=NOW)
    except InvalidDocument:
        return
    for late in (NOW + MAX_TTL, math.inf):
        assert not is_on(snapshot, late)
        assert snapshot.book.first("GET", "a.a", "/a", "f" * 32, late, late) is None
        assert snapshot.book.first("GET", "a.a", "/a", "f" * 32, NOW - 1e9, late) is None
    if snapshot.on:
        assert not is_on(snapshot, snapshot.until)
        written = json.loads(body)
        assert written is True or not is_on(snapshot, max(NOW, written["until"]))


@given(st.floats(NOW, NOW + MAX_TTL, exclude_min=True))
def test_every_end_within_four_hours_is_kept(until):
    """An ``until`` that needs no cutting is obeyed exactly."""
    body = json.dumps({"schema": 1, "enabled": True, "until": until}).encode()
    assert parse(body, now=NOW).until == until
