"""What a trace is drawn on: so many columns, in one style, with the symbols of that style."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.columns import flow, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracedclient.cli.terminal import Style

BOLD = 1
DIM = 2
RED = 31
GREEN = 32
YELLOW = 33


class Symbols(NamedTuple):
    arrow: str
    border: str
    dot: str
    ellipsis: str


_UNICODE = Symbols("→", "│", " · ", "…")
_ASCII = Symbols(">", "|", "; ", "...")


class Page(NamedTuple):
    width: int
    style: Style

    @property
    def symbols(self) -> Symbols:
        return _UNICODE if self.style.unicode else _ASCII

    def lines(self, text: str, *codes: int, first: str = "", rest: str = "") -> list[str]:
        """Return ``text`` as lines of this page, each painted in ``codes``."""
        wrapped = wrap(text, self.width, first=first, rest=rest)
        return [self.style.paint(line, *codes) for line in wrapped]

    def items(
        self, items: Iterable[str], *codes: int, sep: str, first: str = "", rest: str = ""
    ) -> list[str]:
        """Return ``items`` as lines of this page, broken between them where that is possible."""
        flowed = flow(items, self.width, sep=sep, first=first, rest=rest)
        return [self.style.paint(line, *codes) for line in flowed]
