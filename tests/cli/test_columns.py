from unicodedata import east_asian_width

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.cli.columns import clip, columns, flow, pad, wrap

printable = st.text(st.characters(exclude_categories=["C", "Z"], include_characters=" "))
widths = st.integers(min_value=2, max_value=60)


def test_a_wide_character_counts_two_columns():
    """Chinese text takes two columns a character, so that it is not cut too late."""
    assert columns("服务器 ok") == 9


def test_clip_says_where_it_cut():
    """A text that does not fit ends in the ellipsis, within the width."""
    assert clip("https://example.org/path", 12, ellipsis="…") == "https://exa…"
    assert clip("short", 12) == "short"


def test_clip_drops_an_ellipsis_that_does_not_fit():
    """A column too narrow for the ellipsis holds text instead."""
    assert clip("abcdef", 2) == "ab"


@given(printable, widths)
def test_clip_never_exceeds_its_width(text, width):
    """Whatever the text, what is clipped fits, wide characters included."""
    assert columns(clip(text, width, ellipsis="…")) <= width


def test_pad_counts_columns_and_not_characters():
    """Padding lines up text with wide characters too."""
    assert pad("服", 4) == "服  "


def test_wrap_breaks_at_spaces_and_indents():
    """Lines break between words; first and rest open them."""
    assert wrap("one two three", 9, first="# ", rest="  ") == ["# one two", "  three"]


def test_wrap_breaks_a_word_longer_than_a_line():
    """A word without a space is broken rather than lost or left to run over the edge."""
    assert wrap("a abcdefgh", 5, rest=" ") == ["a", " abcd", " efgh"]


@given(printable, widths)
def test_wrap_loses_no_word_and_fits(text, width):
    """Wrapping drops nothing but spaces at the ends of lines, and no line exceeds the width."""
    lines = wrap(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(columns(line) <= width for line in lines)


def test_flow_breaks_between_items():
    """An item goes to the next line as a whole when it does not fit."""
    assert flow(["dns 2.1 ms", "tls 15 ms", "wait"], 22, sep=" · ", first="#1 ", rest="   ") == [
        "#1 dns 2.1 ms",
        "   tls 15 ms · wait",
    ]


def test_flow_wraps_an_item_longer_than_a_line():
    """Only an item that is longer than a line is broken, and its rest is indented further."""
    assert flow(["a", "bb cc dd"], 6, sep=", ") == ["a", "bb cc", "  dd"]


@given(st.lists(printable, max_size=6), st.integers(min_value=8, max_value=60))
def test_flow_fits(items, width):
    """No line of flowed items exceeds the width."""
    lines = flow(items, width, sep=" · ", first="#1 ", rest="   ")
    assert all(columns(line) <= width for line in lines)


@pytest.mark.parametrize("char", ["A", "é", "█", "服", "\U0001f600"])
def test_columns_follow_unicode(char):
    """One column, or two where Unicode's table says wide or full width."""
    assert columns(char) == (2 if east_asian_width(char) in {"W", "F"} else 1)
