"""What is known about a trace below its bars: facts and errors per exchange, then the trace itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.box import box
from tracedclient.cli.columns import columns
from tracedclient.cli.facts import error_text, facts
from tracedclient.cli.headline import url_room
from tracedclient.cli.page import DIM, RED
from tracedclient.cli.quantities import counted, duration
from tracedclient.cli.timeline import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.page import Page
    from tracedclient.trace.model import Attempt, TraceResult

_INDENT = " " * 5
"""As wide as ``#12> ``, which opens an exchange's facts."""


def details(result: TraceResult, page: Page, *, boxed: bool = False) -> Iterator[str]:
    """Yield the facts and errors of every exchange, and why there was another attempt.

    The phases' times are among the facts, or in a box of their own with ``boxed``.
    """
    for attempt in result.attempts:
        for hop in range(len(attempt.exchanges)):
            yield from _exchange(attempt, hop, result, page, boxed=boxed)
        yield from _attempt_end(attempt, page)


def footer(result: TraceResult, page: Page) -> Iterator[str]:
    """Yield what the caller saw, what was left out of the record, and how to find it again."""
    if result.error_type:
        yield from page.lines(f"raised {result.error_type}{_unsaid(result)}", RED)
    yield from page.items(_origin(result), DIM, sep=page.symbols.dot)
    if result.truncated:
        yield from page.lines(_left_out(result), DIM)


def _exchange(
    attempt: Attempt, hop: int, result: TraceResult, page: Page, *, boxed: bool
) -> Iterator[str]:
    exchange = attempt.exchanges[hop]
    tag = f"#{attempt.number}{page.symbols.arrow if hop else ''}".ljust(len(_INDENT))
    verdict = result.verdict_sentence or ""
    about = facts(exchange, timed=not boxed, told=verdict)
    known = [*_url(attempt, hop, result, page), *about] or ["nothing is known"]
    yield from page.items(known, sep=page.symbols.dot, first=tag, rest=_INDENT)
    if boxed:
        yield from box(exchange, page)
    if exchange.error:
        told = " ".join([*known, verdict])
        error = error_text(exchange.error, unless_in=told)
        yield from page.lines(error, RED, first=_INDENT, rest=_INDENT)


def _url(attempt: Attempt, hop: int, result: TraceResult, page: Page) -> list[str]:
    exchange = attempt.exchanges[hop]
    # The headline shows the first URL, if it is not too long; every retry begins with it again.
    shown = columns(exchange.url) <= url_room(result, page) or attempt is not result.attempts[0]
    return [] if hop == 0 and shown else [f"{exchange.method} {exchange.url}"]


def _attempt_end(attempt: Attempt, page: Page) -> Iterator[str]:
    if attempt.exchanges_dropped:
        dropped = counted(attempt.exchanges_dropped, "redirect", "redirects")
        yield from page.lines(f"{dropped} in between left out of this record", first=_INDENT)
    if attempt.error and not any(exchange.error for exchange in attempt.exchanges):
        yield from page.lines(error_text(attempt.error), RED, first=_INDENT, rest=_INDENT)
    if attempt.retry:
        why = f": {attempt.reason}" if attempt.reason else ""
        slept = duration(attempt.sleep_ms or 0.0)
        yield from page.lines(f"tried again after {slept}{why}", first=_INDENT, rest=_INDENT)
    elif attempt.reason and (attempt.error or (attempt.status or 0) >= 400):
        yield from page.lines(f"not tried again: {attempt.reason}", first=_INDENT, rest=_INDENT)


def _unsaid(result: TraceResult) -> str:
    """Return the error's message, unless an attempt or the verdict has told it already."""
    told = [attempt.error.message for attempt in result.attempts if attempt.error]
    message = result.error_message
    known = not message or message in told or message in (result.verdict_sentence or "")
    return "" if known else f": {message}"


def _origin(result: TraceResult) -> list[str]:
    return [
        f"trace {result.trace_id}",
        moment(result.started_at).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        *([f"service {result.service_name}"] if result.service_name else []),
    ]


def _left_out(result: TraceResult) -> str:
    dropped = result.attempts_dropped
    what = f"; {counted(dropped, 'attempt', 'attempts')} left out" if dropped else ""
    return f"this record was cut to fit a log line{what}"
