"""A trace in one line: when, how long, how it ended, what was asked, whose fault it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.columns import clip
from tracedclient.cli.page import RED, YELLOW
from tracedclient.cli.quantities import counted, duration
from tracedclient.cli.terminal import escape

if TYPE_CHECKING:
    from tracedclient.cli.page import Page
    from tracedclient.trace.model import TraceResult

OK = "ok"
_CLOCK = slice(11, 23)
"""Of ``2026-11-20T22:27:58.009138Z``, the time of the day to the millisecond."""


def is_error(trace: TraceResult) -> bool:
    """Whether the call failed."""
    return trace.outcome != OK


def is_slow(trace: TraceResult, slow_ms: float) -> bool:
    """Whether the call took ``slow_ms`` or more."""
    return trace.duration_ms >= slow_ms


def one_line(trace: TraceResult, page: Page, slow_ms: float, *, cut: bool) -> str:
    """Return ``trace`` as one line, of at most the page's width where it is to be ``cut``."""
    text = escape("  ".join(filter(None, _words(trace))), unicode=page.style.unicode)
    if cut:
        text = clip(text, page.width, ellipsis=page.symbols.ellipsis)
    if is_error(trace):
        return page.style.paint(text, RED)
    return page.style.paint(text, *([YELLOW] if is_slow(trace, slow_ms) else []))


def _words(trace: TraceResult) -> tuple[str, ...]:
    retries = counted(trace.retry_count, "retry", "retries") if trace.retry_count else ""
    status = trace.http_response_status_code
    return (
        trace.started_at[_CLOCK],
        f"{duration(trace.duration_ms):>7}",
        f"{trace.outcome.replace('_', ' ')}{'' if status is None else f' {status}'}",
        retries,
        f"{trace.http_request_method or ''} {trace.url_full or ''}".strip(),
        trace.trace_id,
        "" if trace.verdict_culprit == "none" else _fault(trace),
    )


def _fault(trace: TraceResult) -> str:
    return f"fault: {trace.verdict_culprit}. {trace.verdict_sentence or ''}".rstrip()
