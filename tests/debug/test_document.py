"""Bytes of a config centre → a decision with an end, or a refusal in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.debug import FlagDocument, InvalidDocument
from tracedclient.debug.document import BARE_TTL, MAX_BYTES, MAX_TTL, parse

NOW = 1_800_000_000.0


def test_bare_true_is_on_for_half_an_hour():
    """A bare ``true`` switches on for thirty minutes from its first sight, to the second."""
    snapshot = parse(b" true\n", now=NOW)
    assert snapshot.is_on(NOW)
    assert snapshot.is_on(NOW + 1799)
    assert not snapshot.is_on(NOW + 1800)
    assert snapshot.until == NOW + BARE_TTL


def test_bare_false_is_off():
    """A bare ``false`` switches off."""
    assert not parse(b"false", now=NOW).is_on(NOW)


def test_document_is_on_until_its_end(document):
    """A document is on before its ``until`` and off from then on, and carries who and why."""
    snapshot = parse(document(NOW + 60, updated_by="alice", reason="INC-4711"), now=NOW)
    assert snapshot.is_on(NOW + 59.9)
    assert not snapshot.is_on(NOW + 60)
    assert (snapshot.updated_by, snapshot.reason) == ("alice", "INC-4711")


def test_disabled_document_is_off(document):
    """``enabled: false`` is off, whatever its ``until``."""
    snapshot = parse(document(NOW + 60, enabled=False), now=NOW)
    assert not snapshot.is_on(NOW)
    assert snapshot.until is None


@pytest.mark.parametrize("until", [NOW - 1, NOW, 0, -5, -1e308])
def test_past_until_is_off(document, until):
    """A document whose time has passed is off from the start, even if the clock is set back."""
    snapshot = parse(document(until), now=NOW)
    assert not snapshot.is_on(NOW)
    assert not snapshot.is_on(-1e309)


@pytest.mark.parametrize("until", [NOW + MAX_TTL + 1, NOW * 1000, 1e300, 2**64])
def test_until_is_cut_to_four_hours(document, until):
    """However far ``until`` lies (in milliseconds, say), debug ends four hours after first sight."""
    snapshot = parse(document(until), now=NOW)
    assert snapshot.until == NOW + 4 * 3600
    assert not snapshot.is_on(NOW + 4 * 3600)


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
    ],
)
def test_refusal_says_what_and_where(body, says):
    """What is no flag document is refused, and the message says what is wrong and where."""
    with pytest.raises(InvalidDocument) as refusal:
        parse(body, now=NOW)
    assert says in str(refusal.value)


def test_refusal_says_what_to_write():
    """The example in a refusal is itself a valid document."""
    with pytest.raises(InvalidDocument) as refusal:
        parse(b"{}", now=NOW)
    example = str(refusal.value).partition(" or ")[2]
    assert parse(example.encode(), now=1_794_999_999).is_on(1_794_999_999)


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
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "schema": st.just(1) | JSON,
        "enabled": st.booleans() | JSON,
        "until": st.floats(NOW - 1e6, NOW + 1e6) | st.integers() | JSON,
        "updated_by": st.text() | JSON,
        "reason": st.text() | JSON,
        "rules": JSON,
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
    assert not snapshot.is_on(NOW + MAX_TTL)
    if snapshot.on:
        assert not snapshot.is_on(snapshot.until)
        written = json.loads(body)
        assert written is True or not snapshot.is_on(max(NOW, written["until"]))


@given(st.floats(NOW, NOW + MAX_TTL, exclude_min=True))
def test_every_end_within_four_hours_is_kept(until):
    """An ``until`` that needs no cutting is obeyed exactly."""
    body = json.dumps({"schema": 1, "enabled": True, "until": until}).encode()
    assert parse(body, now=NOW).until == until
