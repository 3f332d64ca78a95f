"""A ``TraceResult`` as text: what happened and whose fault it was, one bar per exchange, the facts.

Pure: the same trace, width and style give the same text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.cli.chart import chart
from tracedclient.cli.details import details, footer
from tracedclient.cli.headline import headline
from tracedclient.cli.page import Page
from tracedclient.cli.terminal import escape
from tracedclient.trace.model import TraceResult

if TYPE_CHECKING:
    from tracedclient.cli.terminal import Style

MIN_WIDTH = 40


def render(
    result: TraceResult, *, width: int, style: Style, bars: bool = True, boxes: bool = False
) -> str:
    """Return ``result`` drawn in lines of at most ``width`` columns, without a final newline.

    bars   the exchanges on one time axis.
    boxes  the phases' times in a box for each exchange, instead of among its facts.

    A ``width`` below 40 is taken as 40. What came from the wire is escaped, so that no answer can
    write control sequences to the terminal.

    Raises ``ValueError`` when a ``started_at`` in ``result`` is not an ISO 8601 time.
    """
    page = Page(max(width, MIN_WIDTH), style)
    safe = escaped(result, style)
    blocks = (
        headline(safe, page),
        chart(safe, page) if bars else (),
        [*details(safe, page, boxed=boxes), *footer(safe, page)],
    )
    return "\n\n".join("\n".join(lines) for lines in map(list, blocks) if lines)


def escaped(result: TraceResult, style: Style) -> TraceResult:
    """Return ``result`` with nothing in it that could steer a terminal of this ``style``."""
    # The whole record at once: a field that is added later cannot be forgotten.
    plain = _escape_in(msgspec.to_builtins(result), unicode=style.unicode)
    return msgspec.convert(plain, TraceResult)


def _escape_in(value: Any, *, unicode: bool) -> Any:
    if isinstance(value, str):
        return escape(value, unicode=unicode)
    if isinstance(value, dict):
        return {key: _escape_in(item, unicode=unicode) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_escape_in(item, unicode=unicode) for item in value]
    return value
