"""A trace → what opens on the page: whose fault it was, bars on one time axis, the numbers, the facts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.facts import error_text, facts
from tracedclient.cli.quantities import counted, duration
from tracedclient.cli.reporting.findings import NOTHING
from tracedclient.cli.reporting.markup import Markup, element, join
from tracedclient.cli.timeline import SLEEP, UNACCOUNTED, extent_ms, phases_of, rows
from tracedclient.trace.model import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.timeline import Row
    from tracedclient.trace.model import TraceResult

LEGEND = (*PHASES, UNACCOUNTED, SLEEP)
_LABEL, _WIDTH, _ROW = 150, 960, 24
_ASIDE = 80
_LEAST = 1.5
"""Wide enough to be seen."""


def listed(trace: TraceResult) -> Markup:
    """Return ``trace`` as one line that opens."""
    return element(
        "details",
        element("summary", *_summary(trace)),
        element("div", *_body(trace), class_="body"),
        class_="trace",
        data_host=trace.server_address or "",
        data_outcome=trace.outcome,
        data_verdict=trace.verdict_culprit,
        data_phase=trace.slowest_phase or "",
        data_text=f"{trace.trace_id} {trace.url_full or ''}".lower(),
    )


def legend() -> Markup:
    """Return the colours of the bars."""
    return element(
        "p",
        *(join(element("span", class_=f"key {name}"), f" {name} ") for name in LEGEND),
        class_="legend",
    )


def _summary(trace: TraceResult) -> Iterator[Markup]:
    fine = trace.outcome == "ok"
    yield element("span", duration(trace.duration_ms), class_="took")
    yield element("span", _outcome(trace), class_="badge good" if fine else "badge bad")
    yield element("span", f"{trace.http_request_method or ''} {trace.url_full or ''}", class_="url")
    yield element("span", f"{trace.started_at}  {trace.trace_id}", class_="id")


def _outcome(trace: TraceResult) -> str:
    retries = counted(trace.retry_count, "retry", "retries") if trace.retry_count else ""
    status = str(trace.http_response_status_code or "")
    return " ".join(filter(None, [trace.outcome.replace("_", " "), status, retries]))


def _body(trace: TraceResult) -> Iterator[Markup]:
    yield element("p", element("strong", _fault(trace)))
    button = element("button", "copy", type="button", class_="copy", data_id=trace.trace_id)
    yield element("p", "trace ", element("code", trace.trace_id), " ", button)
    drawn = rows(trace)
    if drawn:
        yield _waterfall(trace, drawn)
        yield _numbers(drawn)
    yield from _facts(trace)
    if trace.truncated:
        yield element("p", "This record was cut to fit a log line.", class_="note")


def _fault(trace: TraceResult) -> str:
    if trace.verdict_culprit == "none":
        return trace.verdict_sentence or "No fault found."
    return f"Fault: {trace.verdict_culprit}. {trace.verdict_sentence or 'No details.'}"


def _waterfall(trace: TraceResult, drawn: tuple[Row, ...]) -> Markup:
    extent = extent_ms(trace, drawn) or 1.0
    height = _ROW * (len(drawn) + 1)
    axis = (
        element("text", "0", x=_LABEL, y=14),
        element("text", duration(extent), x=_WIDTH - _ASIDE, y=14, text_anchor="end"),
    )
    lines = (_line(row, extent, _ROW * (index + 1)) for index, row in enumerate(drawn))
    return element(
        "svg", *axis, *lines, class_="waterfall", role="img", viewBox=f"0 0 {_WIDTH} {height}",
        aria_label="The exchanges on one time axis. The table below has the numbers.",
    )  # fmt: skip


def _line(row: Row, extent: float, y: float) -> Markup:
    scale = (_WIDTH - _LABEL - _ASIDE) / extent
    parts = [element("text", _label(row), x=0, y=y + 15, class_="bad" if row.failed else None)]
    at = row.start_ms
    for segment in row.segments:
        if segment.ms > 0:
            width = max(_LEAST, segment.ms * scale)
            told = element("title", f"{segment.phase} {duration(segment.ms)}")
            parts.append(
                element("rect", told, x=_LABEL + at * scale, y=y + 3, width=width, height=_ROW - 8,
                        class_=segment.phase)
            )  # fmt: skip
        at += segment.ms
    took = element("text", duration(row.duration_ms), x=_WIDTH, y=y + 15, text_anchor="end")
    return element("g", *parts, took)


def _label(row: Row) -> str:
    if row.is_sleep:
        return "sleep"
    if row.exchange is None:
        return f"#{row.attempt} {'failed' if row.failed else 'nothing sent'}"
    hop = "→ " if row.hop else ""
    end = "failed" if row.failed else str(row.exchange.status or "")
    return f"#{row.attempt} {hop}{row.exchange.method[:10]} {end}"


def _numbers(drawn: tuple[Row, ...]) -> Markup:
    exchanges = [row for row in drawn if row.exchange is not None]
    if not exchanges:
        return Markup()
    took = [
        {one.phase: one.ms for one in phases_of(row.exchange.ms)}
        for row in exchanges
        if row.exchange
    ]
    shown = [phase for phase in PHASES if any(phase in ms for ms in took)]
    head = element(
        "tr", *(element("th", word, scope="col") for word in ("exchange", *shown, "total"))
    )
    lines = [
        element(
            "tr",
            element("th", _label(row), scope="row"),
            *(element("td", duration(ms[phase]) if phase in ms else NOTHING) for phase in shown),
            element("td", duration(row.duration_ms)),
        )
        for row, ms in zip(exchanges, took, strict=True)
    ]
    return element(
        "div", element("table", element("thead", head), element("tbody", *lines)), class_="wide"
    )


def _facts(trace: TraceResult) -> Iterator[Markup]:
    for attempt in trace.attempts:
        told = [fact for exchange in attempt.exchanges for fact in facts(exchange, timed=False)]
        told += [error_text(e.error) for e in attempt.exchanges if e.error]
        if attempt.reason:
            told.append(
                f"{'tried again' if attempt.retry else 'not tried again'}: {attempt.reason}"
            )
        if told:
            yield element("h4", f"Attempt {attempt.number}")
            yield element("ul", *(element("li", one) for one in told))
