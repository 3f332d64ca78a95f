"""Patterns compiled at their first use match as those that were compiled before."""

from __future__ import annotations

import re

import pytest

from tracedclient._pattern import pattern


@pytest.mark.parametrize("flags", [0, re.IGNORECASE])
@pytest.mark.parametrize("method", ["match", "fullmatch", "search"])
def test_each_use_is_that_of_the_compiled_pattern(method, flags):
    """The first use and those after it give what ``re.compile`` gives."""
    late, early = pattern("b(.)", flags), re.compile("b(.)", flags)
    for text in ("bc", "abcd", "BC", "", "bc"):
        found, expected = getattr(late, method)(text), getattr(early, method)(text)
        assert (found and found.groups()) == (expected and expected.groups())


def test_what_it_has_beside_its_methods():
    """Replacing works, and so do bytes."""
    assert pattern(rb"b+").sub(b"-", b"abba") == b"a-a"


def test_a_bad_pattern_says_so():
    """One that cannot be compiled raises ``re.error`` when it is used."""
    with pytest.raises(re.error):
        pattern("(").match("")
