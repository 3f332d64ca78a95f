"""What goes around requests' ``CaseInsensitiveDict`` comes to what goes through it."""

from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from tracedclient.transport.headers import copied, has, joined, pairs, value_of

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
    assert value_of(headers, key) == headers.get(key)


@given(FIELDS, NAMES)
def test_copy_is_requests_own(fields, name):
    """A copy is equal to requests' own, and neither changes with the other."""
    headers = CaseInsensitiveDict(fields)
    before = parts(headers)
    made = copied(headers)

    assert parts(made) == parts(headers.copy())
    made[name] = "changed"
    assert parts(headers) == before


@given(FIELDS)
def test_fields_of_one_name_are_joined(fields):
    """Of several fields with one name there is one, named as the first, with all values in order."""
    expected = {}
    for name, value in fields:
        _, values = expected.setdefault(name.lower(), (name, []))
        values.append(value)

    made = joined(fields)

    assert parts(made) == parts(
        CaseInsensitiveDict({name: ", ".join(values) for name, values in expected.values()})
    )


def test_what_was_made_can_be_used_as_any_other():
    """It is copied, pickled, changed and compared as one that requests has made."""
    made = joined([("A", "1"), ("b", "2")])

    assert copy.deepcopy(made) == pickle.loads(pickle.dumps(made)) == {"a": "1", "B": "2"}
    made["B"] = "3"
    del made["a"]
    assert parts(made) == parts(CaseInsensitiveDict({"B": "3"}))
