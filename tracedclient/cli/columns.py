"""Fit text into terminal columns: count them, cut to them, break lines at them.

A character counts two columns where Unicode calls it wide (UAX #11), so that a line of Chinese does
not run over the edge. The text must have been through ``terminal.escape``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import east_asian_width

if TYPE_CHECKING:
    from collections.abc import Iterable


def columns(text: str) -> int:
    """Return how many terminal columns ``text`` takes; for combining marks, at most."""
    if text.isascii():
        return len(text)
    return sum(_columns_of(char) for char in text)


def clip(text: str, width: int, *, ellipsis: str = "...") -> str:
    """Return ``text`` cut to ``width`` columns; ``ellipsis`` shows where, if it fits."""
    if columns(text) <= width:
        return text
    if columns(ellipsis) > width:
        ellipsis = ""
    return _head(text, width - columns(ellipsis)) + ellipsis


def pad(text: str, width: int) -> str:
    """Return ``text`` with spaces after it up to ``width`` columns."""
    return text + " " * (width - columns(text))


def wrap(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """Break ``text`` at spaces into lines of at most ``width`` columns.

    ``first`` opens the first line and ``rest`` the others; both must leave room for a wide
    character. A word longer than a line is broken anywhere, so that nothing is lost.
    """
    lines: list[str] = []
    line, bare = first, True
    for word in text.split(" "):
        piece = word if bare else " " + word
        if columns(line) + columns(piece) > width and not bare:
            lines.append(line)
            line, piece = rest, word
        while columns(line) + columns(piece) > width:
            head = _head(piece, width - columns(line))
            lines.append(line + head)
            line, piece = rest, piece[len(head) :]
        line, bare = line + piece, False
    return [*lines, line]


def flow(
    items: Iterable[str], width: int, *, sep: str, first: str = "", rest: str = ""
) -> list[str]:
    """Put ``items`` into lines of at most ``width`` columns, ``sep`` between two on one line.

    A line is broken between items; only an item that is longer than a line is wrapped, with two
    more columns of indent, so that it still reads as one.
    """
    lines: list[str] = []
    for item in items:
        if lines and columns(lines[-1] + sep + item) <= width:
            lines[-1] += sep + item
        else:
            lines += wrap(item, width, first=rest if lines else first, rest=f"{rest}  ")
    return lines


def _head(text: str, width: int) -> str:
    taken = 0
    for index, char in enumerate(text):
        taken += _columns_of(char)
        if taken > width:
            return text[:index]
    return text


def _columns_of(char: str) -> int:
    return 2 if east_asian_width(char) in "WF" else 1
