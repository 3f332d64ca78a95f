"""A flag document on a terminal: in words, with what is wrong with it, and what may be."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from tracedclient.cli.flag_warnings import warnings
from tracedclient.cli.flag_words import headline, is_on, limit, traced
from tracedclient.cli.page import BOLD, DIM, GREEN, RED, Page
from tracedclient.cli.terminal import Style, escape, width_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracedclient.cli.flag_problems import Problem
    from tracedclient.debug.document import FlagDocument

_MAX_WIDTH = 100
_YELLOW = 33


class Screen:
    """Writes to ``stream``, in its width; everything from a document is escaped."""

    def __init__(self, stream: TextIO, color: str) -> None:
        self._stream = stream
        self._page = Page(min(width_of(stream), _MAX_WIDTH), Style.detect(stream, color))

    def say(self, text: str, *codes: int, rest: str = "  ") -> None:
        """Write one paragraph."""
        safe = escape(text, unicode=self._page.style.unicode)
        lines = self._page.lines(safe, *codes, rest=rest)
        self._stream.write("".join(f"{line}\n" for line in lines))
        self._stream.flush()

    def document(self, document: bool | FlagDocument, now: float) -> None:
        """Say what it means at ``now``, and what is to be thought over."""
        on = is_on(document, now)
        self.say(headline(document, now), BOLD, GREEN if on else DIM)
        rules = traced(document, now)
        if len(rules) > 1:
            self.say("the first of these that matches a call decides:")
        for rule in rules:
            self.say(f"  {rule}", rest="    ")
        if on:
            self.say(limit(document))
        for words in warnings(document, now):
            self.say(f"warning: {words}", _YELLOW)

    def problems(self, found: Iterable[Problem]) -> None:
        """Say each."""
        for problem in found:
            self.say(f"problem: {problem}", RED)
