"""What ``tracedclient demo`` writes: headings, and indented text below them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.columns import clip
from tracedclient.cli.page import BOLD, DIM
from tracedclient.cli.terminal import escape
from tracedclient.cli.waterfall import render

if TYPE_CHECKING:
    from tracedclient.cli.page import Page
    from tracedclient.trace.model import TraceResult

_INDENT = "   "


class Screen(NamedTuple):
    """Standard output: headings, and indented text below them."""

    page: Page

    def heading(self, text: str) -> None:
        """Open a section."""
        print(f"\n{self.page.style.paint(text, BOLD)}\n")

    def say(self, text: str, *codes: int) -> None:
        """Tell something. Flushed, so that the reader of a pipe sees the demo as it goes."""
        lines = self.page.lines(text, *codes, first=_INDENT, rest=_INDENT)
        print("\n".join(lines), flush=True)

    def command(self, text: str) -> None:
        """Show what one would type, on one line however long it is: it is there to be copied."""
        print(_INDENT + self.page.style.paint(text, DIM))

    def excerpt(self, line: str) -> None:
        """Show as much of a line as fits."""
        room = self.page.width - len(_INDENT)
        print(_INDENT + clip(self._safe(line), room, ellipsis=self.page.symbols.ellipsis))

    def record(self, line: str) -> None:
        """Show a JSON line broken between its fields, the attempts as their size only."""
        fields = json.loads(line)
        attempts = json.dumps(fields.pop("attempts", []))
        items = [f"{json.dumps(key)}: {json.dumps(value)}," for key, value in fields.items()]
        items = ["{", *items, f'"attempts": [ ...{len(attempts):,} bytes... ]', "}"]
        safe = [self._safe(item) for item in items]
        print("\n".join(self.page.items(safe, sep=" ", first=_INDENT, rest=_INDENT)))

    def waterfall(self, trace: TraceResult) -> None:
        """Show a trace, unindented: its bars need the width."""
        print(render(trace, width=self.page.width, style=self.page.style), flush=True)

    def _safe(self, text: str) -> str:
        return escape(text, unicode=self.page.style.unicode)
