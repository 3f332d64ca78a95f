"""What was found as Markdown, for a ticket: the two lines that count, then the rest in a block."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracedclient.cli.logs.story import story

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.cli.reading.entries import Entry
    from tracedclient.cli.terminal import Style

_WIDTH = 100
_MIN_FENCE = 3


def markdown(trace_id: str, entries: Sequence[Entry], style: Style) -> str:
    """Return ``entries`` as Markdown (CommonMark): nothing that came from a log can end its block."""
    text = story(trace_id, entries, width=_WIDTH, style=style)
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(_MIN_FENCE, longest + 1)
    return f"**Trace `{trace_id}`**\n\n{fence}text\n{text}\n{fence}"
