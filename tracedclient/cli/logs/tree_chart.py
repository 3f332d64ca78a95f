"""The calls of several services as one tree, on one axis of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.bars import GLYPHS, draw
from tracedclient.cli.columns import clip, columns, pad
from tracedclient.cli.page import DIM, RED
from tracedclient.cli.quantities import duration
from tracedclient.cli.timeline import SLEEP, UNACCOUNTED, Row, Segment, offset_ms
from tracedclient.trace.model import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.cli.logs.tree import Call
    from tracedclient.cli.page import Page
    from tracedclient.trace.model import TraceResult

_TIME = 9
"""Columns for how long a call took."""


def tree_chart(calls: Sequence[Call], page: Page) -> Iterator[str]:
    """Yield one line per call: its number, who made it to whom, a bar, and its time; and how it is
    known who called whom.
    """
    began = min(call.trace.started_at for call in calls)
    rows = [_row(call.trace, began) for call in calls]
    extent = max(row.start_ms + row.duration_ms for row in rows)
    branches = _branches([call.depth for call in calls], page)
    labels = [
        f"{branch}{_label(index, call, page)}"
        for index, (branch, call) in enumerate(zip(branches, calls, strict=True))
    ]
    label = min(max(map(columns, labels)), page.width // 2) + 1
    room = page.width - label - 2 - _TIME
    yield page.style.paint(" " * (label + 1) + "0" + duration(extent).rjust(room - 1), DIM)
    for text, row, call in zip(labels, rows, calls, strict=True):
        codes = (RED,) if call.trace.outcome != "ok" else ()
        head = page.style.paint(pad(clip(text, label - 1, ellipsis=""), label), *codes)
        yield f"{head}{_bar(row, extent, room, page)}{duration(row.duration_ms):>{_TIME}}"
    yield from page.items(_links(calls), DIM, sep=page.symbols.dot, first="  ", rest="  ")


def _branches(depths: Sequence[int], page: Page) -> list[str]:
    """Return what stands before each call: lines from its caller, and past it to later ones."""
    last, other, past = ("└ ", "├ ", "│ ") if page.style.unicode else ("\\ ", "+ ", "| ")
    drawn = []
    going_on: set[int] = set()
    # From below, because only there it is known whether another one of the same caller comes.
    for depth in (min(depth, page.width) for depth in reversed(depths)):
        trunk = "".join(past if level in going_on else "  " for level in range(1, depth))
        drawn.append(trunk + (other if depth in going_on else last) if depth else "")
        going_on = {level for level in going_on if level < depth} | {depth}
    return drawn[::-1]


def _label(index: int, call: Call, page: Page) -> str:
    trace = call.trace
    status = trace.http_response_status_code or trace.outcome.replace("_", " ")
    to = f" {page.symbols.arrow} {_server(trace)}" if trace.server_address else ""
    return f"[{index + 1}] {trace.service_name or '?'}{to} {status}"


def _server(trace: TraceResult) -> str:
    # One machine's services differ in nothing else.
    port = "" if trace.server_port in (None, 80, 443) else f":{trace.server_port}"
    return f"{trace.server_address}{port}"


def _row(trace: TraceResult, began: str) -> Row:
    spent = [(phase, getattr(trace, f"{phase}_ms")) for phase in PHASES]
    spent += [(SLEEP, trace.retry_sleep_ms), (UNACCOUNTED, trace.unaccounted_ms)]
    return Row(
        attempt=1,
        hop=0,
        exchange=None,
        start_ms=offset_ms(trace.started_at, began),
        duration_ms=trace.duration_ms,
        segments=tuple(Segment(phase, ms) for phase, ms in spent if ms),
    )


def _bar(row: Row, extent: float, room: int, page: Page) -> str:
    bar = draw(row, extent, room)
    cells = "".join(
        page.style.paint(_glyph(run.phase, page) * run.cells, *GLYPHS[run.phase].sgr)
        for run in bar.runs
    )
    border = page.style.paint(page.symbols.border, DIM)
    return f"{border}{' ' * bar.start}{cells}{' ' * (room - bar.start - bar.cells)}{border}"


def _glyph(phase: str, page: Page) -> str:
    glyph = GLYPHS[phase]
    return glyph.unicode if page.style.unicode else glyph.ascii


def _links(calls: Sequence[Call]) -> Iterator[str]:
    made = [(index, call) for index, call in enumerate(calls) if call.caller is not None]
    known = [call for _, call in made if call.by == "span id"]
    for index, call in made:
        caller = call.caller or 0
        of = f"attempt {call.attempt} of [{caller + 1}]"
        if call.by != "span id":
            yield f"[{index + 1}] within {of}, by {call.by}"
        elif len(calls[caller].trace.attempts) > 1:
            # What a queue brought may have been done long after it.
            yield f"[{index + 1}] for {of}"
    if known:
        yield f"{'' if len(known) == len(made) else 'the others '}known from the ids of spans"
    elif not made:
        yield "none of them is known to be made for another"
