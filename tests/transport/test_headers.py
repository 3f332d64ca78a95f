"""What goes around requests' ``CaseInsensitiveDict`` comes to what goes through it."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict
from urllib3 import HTTPHeaderDict

from tracedclient.transport.headers import (
    by_key,
    has,
    has_any,
    joined,
    made,
    merged,
    pairs,
    put,
    value_of,
)

NAMES = st.sampled_from(["A", "a", "B", "Set-Cookie", "SET-COOKIE", "İ", "ß"])
FIELDS = st.lists(st.tuples(NAMES, st.text(max_size=3)), max_size=6)
KINDS = pytest.mark.parametrize("kind", [dict, CaseInsensitiveDict])


def parts(headers):
    return list(headers.items()), list(headers.lower_items()), repr(headers), type(headers)


@KINDS
@given(FIELDS, NAMES)
def test_headers_answer_as_they_would_themselves(kind, fields, name):
    """Names and values, whether there is a name, and its value are what the mapping itself says."""
    headers, key = kind(fields), name.lower()

    assert list(pairs(headers)) == list(headers.items())
    assert has(headers, key) == (key in headers)
    assert has_any(headers, frozenset({key, "other"})) == (key in headers)
    assert value_of(headers, key) == headers.get(key)
    assert by_key(headers) == (
        None if kind is dict else {field.lower(): (field, headers[field]) for field in headers}
    )


@KINDS
@given(
    FIELDS, st.lists(st.tuples(NAMES, st.just("a"), st.sampled_from([None, "", "c"])), max_size=3)
)
def test_put_is_what_setting_each_comes_to(kind, before, fields):
    """Fields that are put end where, and named as, they would if each were set by itself."""
    headers, expected = kind(before), kind(before)
    for name, start, end in fields:
        expected[name] = start if end is None else f"{start}b{end}"

    put(headers, fields, "b")

    assert list(headers.items()) == list(expected.items())
    assert type(headers) is kind


@pytest.mark.parametrize("kind", [dict, CaseInsensitiveDict, HTTPHeaderDict, list])
@given(FIELDS, FIELDS)
def test_merged_is_requests_own_update(kind, ours, theirs):
    """Two that are merged are as one copied and updated with the other, and both stay as they were."""
    headers, others = CaseInsensitiveDict(ours), kind(theirs)
    before = parts(headers), repr(others)
    expected = headers.copy()
    expected.update(others)

    assert parts(made(merged(headers, others))) == parts(expected)
    assert (parts(headers), repr(others)) == before


@given(FIELDS)
def test_fields_of_one_name_are_joined(fields):
    """Of several fields with one name there is one, named as the first, with all values in order."""
    expected = {}
    for name, value in fields:
        _, values = expected.setdefault(name.lower(), (name, []))
        values.append(value)

    assert parts(made(joined(fields))) == parts(
        CaseInsensitiveDict({name: ", ".join(values) for name, values in expected.values()})
    )


def test_what_was_made_can_be_used_as_any_other():
    """It is copied, pickled, changed and compared as one that requests has made."""
    headers = made(joined([("A", "1"), ("b", "2")]))

    assert copy.deepcopy(headers) == pickle.loads(pickle.dumps(headers)) == {"a": "1", "B": "2"}
    assert parts(headers.copy()) == parts(headers)
    headers["B"] = "3"
    del headers["a"]
    assert parts(headers) == parts(CaseInsensitiveDict({"B": "3"}))
