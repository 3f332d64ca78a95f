"""A report as Markdown, for a ticket: tables as GitHub and GitLab draw them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracedclient.cli.quantities import duration
from tracedclient.cli.reporting import compare, findings
from tracedclient.cli.terminal import escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.reporting.findings import Table
    from tracedclient.cli.reporting.statistics import Statistics

_SHOWN = 20
_SPECIAL = re.compile(r"([\\`*_\[\]<>#|~&@])")


def to_markdown(statistics: Statistics, before: Statistics | None) -> str:
    """Return the report; with ``before``, the differences first."""
    return "".join(f"{line}\n" for line in _lines(statistics, before))


def _lines(statistics: Statistics, before: Statistics | None) -> Iterator[str]:
    yield "# Report of traced calls"
    yield ""
    yield _plain(f"{findings.span(statistics)}. {findings.sources(statistics.reading)}.")
    yield from (f"{line}  " for line in map(_plain, findings.left_out(statistics.reading)))
    yield ""
    figures = (f"**{value}** {name}" for name, value in findings.key_figures(statistics))
    yield ", ".join(figures)
    yield ""
    yield findings.SAMPLE
    if before is not None:
        for table in compare.tables(before, statistics):
            yield from _table(table)
    for table in findings.tables(statistics):
        yield from _table(table)
    yield from _slowest(statistics)


def _table(table: Table) -> Iterator[str]:
    yield from ("", f"## {_plain(table.title)}", "")
    if table.note:
        yield from (_plain(table.note), "")
    yield _row(table.heads)
    words = (0, *table.words)
    yield _row(tuple("---" if i in words else "---:" for i in range(len(table.heads))), raw=True)
    for row in table.rows:
        yield _row(tuple(cell.text for cell in row))


def _slowest(statistics: Statistics) -> Iterator[str]:
    if not statistics.slowest:
        return
    yield from ("", "## Slowest calls", "")
    yield _row(("trace id", "from (UTC)", "host", "outcome", "took", "verdict"))
    yield _row(("---", "---", "---", "---", "---:", "---"), raw=True)
    for trace in statistics.slowest[:_SHOWN]:
        verdict = f"{trace.verdict_culprit}: {trace.verdict_sentence or 'no details'}"
        host, took = trace.server_address or findings.NOTHING, duration(trace.duration_ms)
        yield _row((trace.trace_id, trace.started_at, host, trace.outcome, took, verdict))


def _row(cells: tuple[str, ...], *, raw: bool = False) -> str:
    return f"| {' | '.join(cells if raw else map(_plain, cells))} |"


def _plain(text: str) -> str:
    """Return ``text`` without a meaning in Markdown or HTML, on one line."""
    return _SPECIAL.sub(r"\\\1", escape(text))
