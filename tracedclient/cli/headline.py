"""The first lines about a trace: what happened, and whose fault it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.columns import clip, columns
from tracedclient.cli.page import BOLD, GREEN, RED
from tracedclient.cli.quantities import counted, duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.page import Page
    from tracedclient.trace.model import TraceResult

_GAP = "  "
_MIN_URL = 16


def headline(result: TraceResult, page: Page) -> Iterator[str]:
    """Yield two lines, each broken where it is longer than the page is wide."""
    colour = GREEN if result.outcome == "ok" else RED
    url = clip(result.url_full or "", url_room(result, page), ellipsis=page.symbols.ellipsis)
    words = [f"{_request(result)} {url}", *_numbers(result)]
    yield from page.items(words, BOLD, colour, sep=_GAP, rest=_GAP)
    yield from page.lines(_fault(result), rest=_GAP)


def url_room(result: TraceResult, page: Page) -> int:
    """Return how many columns the URL gets: what the rest leaves, and never fewer than 16."""
    rest = f"{_request(result)} {_GAP}{_GAP.join(_numbers(result))}"
    return max(_MIN_URL, page.width - columns(rest))


def _request(result: TraceResult) -> str:
    return _GAP.join(filter(None, [_outcome(result), result.http_request_method]))


def _outcome(result: TraceResult) -> str:
    words = "OK" if result.outcome == "ok" else result.outcome.replace("_", " ").upper()
    retries = result.retry_count
    return f"{words} after {counted(retries, 'retry', 'retries')}" if retries else words


def _numbers(result: TraceResult) -> list[str]:
    status = result.http_response_status_code
    redirects = result.redirect_count
    return [
        *([str(status)] if status is not None else []),
        duration(result.duration_ms),
        counted(result.attempt_count, "attempt", "attempts"),
        *([counted(redirects, "redirect", "redirects")] if redirects else []),
    ]


def _fault(result: TraceResult) -> str:
    if result.verdict_culprit != "none":
        return f"fault: {result.verdict_culprit}. {result.verdict_sentence or 'No details.'}"
    if result.verdict_sentence:
        return f"no fault found: {result.verdict_sentence}"
    return "; ".join(filter(None, ["no fault found", _retried(result), _longest(result)]))


def _retried(result: TraceResult) -> str:
    reasons = [
        f"attempt {attempt.number}: {attempt.reason}"
        for attempt in result.attempts
        if attempt.retry and attempt.reason
    ]
    return reasons[0] if reasons else ""


def _longest(result: TraceResult) -> str:
    phase = result.slowest_phase
    spent = getattr(result, f"{phase}_ms", None) if phase else None
    if phase is None or not spent:
        return ""
    return f"longest: {phase.replace('_', ' ')}, {duration(spent)}"
