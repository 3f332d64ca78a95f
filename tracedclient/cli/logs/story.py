"""What was found as one page: what happened and whose fault it was, the waterfalls, the lines around.

Pure: the same entries, width and style give the same text. All that came from a log is escaped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.logs.app_lines import app_lines
from tracedclient.cli.logs.tree import calls as calls_of
from tracedclient.cli.logs.tree import culprit
from tracedclient.cli.logs.tree_chart import tree_chart
from tracedclient.cli.page import BOLD, DIM, GREEN, RED, Page
from tracedclient.cli.quantities import counted, duration
from tracedclient.cli.terminal import escape
from tracedclient.cli.timeline import offset_ms
from tracedclient.cli.waterfall import escaped, render

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.cli.logs.tree import Call
    from tracedclient.cli.reading.entries import Entry
    from tracedclient.cli.terminal import Style
    from tracedclient.trace.model import TraceResult

MAX_WATERFALLS = 10
"""Calls that are drawn in full; of more, those that failed or took longest."""


def story(trace_id: str, entries: Sequence[Entry], *, width: int, style: Style) -> str:
    """Return the page about ``entries``, in lines of at most ``width`` columns."""
    page = Page(width, style)
    calls = calls_of(entry.trace for entry in entries if entry.trace is not None)
    blocks = [*_calls(calls, page)] if calls else [_nothing_traced(trace_id, entries, page)]
    blocks.append("\n".join(app_lines(entries, calls, page)))
    return "\n\n".join(filter(None, blocks))


def _nothing_traced(trace_id: str, entries: Sequence[Entry], page: Page) -> str:
    lines = counted(len(entries), "line has", "lines have")
    found = f"NO TRACE  {lines} the id {escape(trace_id, unicode=page.style.unicode)}"
    why = "fault: unknown. No trace of it is here: debug was off, or it is in another log."
    return "\n".join([*page.lines(found, BOLD, rest="  "), *page.lines(why, rest="  ")])


def _calls(calls: Sequence[Call], page: Page) -> Iterator[str]:
    if len(calls) == 1:
        yield render(calls[0].trace, width=page.width, style=page.style)
        return
    safe = [call._replace(trace=escaped(call.trace, page.style)) for call in calls]
    yield "\n".join(_headline(safe, page))
    yield "\n".join(tree_chart(safe, page))
    drawn = _most_telling(calls)
    for index in drawn:
        yield "\n".join(_waterfall(index, calls[index].trace, page))
    if len(drawn) < len(calls):
        left = len(calls) - len(drawn)
        yield page.style.paint(f"{counted(left, 'call', 'calls')} not drawn; --json has all", DIM)


def _headline(calls: Sequence[Call], page: Page) -> Iterator[str]:
    failed = sum(call.trace.outcome != "ok" for call in calls)
    services = {call.trace.service_name for call in calls}
    words = [
        "FAILED" if failed else "OK",
        f"{len(calls)} calls by {counted(len(services), 'service', 'services')}",
        *([f"{failed} failed"] if failed else []),
        duration(_extent_ms([call.trace for call in calls])),
    ]
    colour = RED if failed else GREEN
    yield from page.items(words, BOLD, colour, sep="  ", rest="  ")
    yield from page.lines(_fault(calls), rest="  ")


def _fault(calls: Sequence[Call]) -> str:
    call = culprit(calls)
    trace = call.trace
    number = f"[{calls.index(call) + 1}]"
    where = f"{trace.service_name or 'unknown service'} {number}"
    if trace.verdict_culprit == "none":
        return f"no fault found; longest: {where}, {duration(trace.duration_ms)}"
    return f"fault: {trace.verdict_culprit}, of {where}. {trace.verdict_sentence or 'No details.'}"


def _extent_ms(traces: Sequence[TraceResult]) -> float:
    began = min(trace.started_at for trace in traces)
    return max(offset_ms(trace.started_at, began) + trace.duration_ms for trace in traces)


def _waterfall(index: int, trace: TraceResult, page: Page) -> Iterator[str]:
    title = f"[{index + 1}] {trace.service_name or 'unknown service'}"
    yield from page.lines(escape(title, unicode=page.style.unicode), BOLD)
    yield render(trace, width=page.width, style=page.style)


def _most_telling(calls: Sequence[Call]) -> list[int]:
    def weight(index: int) -> tuple[bool, float]:
        trace = calls[index].trace
        return trace.outcome != "ok", trace.duration_ms

    ranked = sorted(range(len(calls)), key=weight, reverse=True)
    return sorted(ranked[:MAX_WATERFALLS])
