"""W3C Baggage: what of it is passed on. Examples of the specification, and its limits."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.trace.baggage import parse_baggage

SPECIFIED = [
    "key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue",
    "serverNode=DF%2028,isProduction=false",
    "userId=Am%C3%A9lie,serverNode=DF%2028,isProduction=false",
    "userId=alice",
    "SomeKey=SomeValue;ValueProp=PropVal",
    "SomeKey \t = \t SomeValue \t ; \t SomeProp \t = \t PropVal",
    "key=",
]


@pytest.mark.parametrize("value", SPECIFIED)
def test_the_specifications_examples(value):
    """What the specification and its test suite give as good is passed on, member for member."""
    assert parse_baggage([value]).split(",") == [part.strip() for part in value.split(",")]


def test_several_fields_are_one():
    """Fields of the same name are combined in their order (RFC 9110 §5.3)."""
    assert parse_baggage(["a=1, b=2", "c=3"]) == "a=1,b=2,c=3"


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a",
        "=1",
        "a b=1",
        "a=1 2",
        'a="x"',
        "a=\u00e9",
        "a=\\",
        "a=1;",
        "a=1;b c",
        "a=1\r\nX: y",
        "a=\0",
    ],
)
def test_a_member_that_is_none_is_left_out(bad):
    """A member that is not well-formed goes, and only that; it can forge no header."""
    assert parse_baggage([f"before=1,{bad},after=2"]) == "before=1,after=2"


def test_at_most_64_members():
    """The first 64 members are passed on."""
    found = parse_baggage([",".join(f"k{n}=v" for n in range(70))])
    assert found.split(",") == [f"k{n}=v" for n in range(64)]


def test_at_most_8192_bytes():
    """8,192 bytes are passed on whole; a member with which there would be more is left out whole."""
    exactly = "a=" + "x" * 8190
    assert parse_baggage([exactly]) == exactly
    assert parse_baggage([exactly + "x"]) == ""
    assert parse_baggage(["a=" + "x" * 8185, "b=1", "c=", "d=1"]) == "a=" + "x" * 8185 + ",b=1"


def test_a_bomb_is_not_looked_at():
    """More than a server of its senses lets through is dropped unread."""
    assert parse_baggage(["a=1," * 100_000]) == ""


@given(st.lists(st.text(st.sampled_from('ab=;, \t%"\\\n\u00e9'), max_size=40), max_size=4))
def test_what_is_passed_on_is_well_formed(values):
    """Whatever came, what goes on is a good header, and is not changed by the next service."""
    found = parse_baggage(values)
    assert re.fullmatch(r"[\t\x20-\x7e]*", found)
    assert parse_baggage([found]) == found
