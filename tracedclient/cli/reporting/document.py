"""A report as one HTML page that asks nothing of any other machine, and runs no script but its own.

The Content-Security-Policy names the style and the script by their hashes: a script that a log
smuggled in would not be run even if it were not escaped.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from typing import TYPE_CHECKING

from tracedclient.cli.reporting import compare, findings, traces
from tracedclient.cli.reporting.charts import charts
from tracedclient.cli.reporting.markup import Markup, element, join

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.reporting.findings import Table
    from tracedclient.cli.reporting.statistics import Statistics

_FILTERS = {"host": "host", "outcome": "outcome", "verdict": "verdict", "phase": "slowest phase"}


def to_html(statistics: Statistics, before: Statistics | None) -> str:
    """Return the page; with ``before``, the differences first."""
    style, script = (Markup(_asset(name)) for name in ("report.css", "report.js"))
    title = f"Traced calls {findings.span(statistics)}"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", title),
        element("style", style),
    )
    main = element("main", *_sections(statistics, before))
    body = element("body", _header(statistics), main, element("script", script))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _asset(name: str) -> str:
    return files("tracedclient.cli.reporting").joinpath(name).read_text("utf-8")


def _policy(style: str, script: str) -> str:
    rules = {
        "default-src": "'none'",
        "style-src": _hash(style),
        "script-src": _hash(script),
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{what} {source}" for what, source in rules.items())


def _hash(source: str) -> str:
    digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _header(statistics: Statistics) -> Markup:
    figures = [
        element("div", element("dt", name), element("dd", value))
        for name, value in findings.key_figures(statistics)
    ]
    notes = "; ".join(findings.left_out(statistics.reading))
    return element(
        "header",
        element("h1", "Traced calls"),
        element("p", f"{findings.span(statistics)} · {findings.sources(statistics.reading)}"),
        *([element("p", f"Not counted: {notes}.", class_="note")] if notes else []),
        element("dl", *figures),
        element("p", findings.SAMPLE, class_="note"),
    )


def _sections(statistics: Statistics, before: Statistics | None) -> Iterator[Markup]:
    if before is not None:
        yield from (_section(table) for table in compare.tables(before, statistics))
    phases, verdicts, groups, over_time = findings.tables(statistics)
    folded = element("details", element("summary", "The numbers"), _drawn(over_time))
    yield element(
        "section", element("h2", over_time.title), charts(statistics.timeline),
        element("p", over_time.note, class_="note"), folded,
    )  # fmt: skip
    yield from map(_section, (verdicts, groups, phases))
    if statistics.slowest:
        yield _slowest(statistics)


def _section(table: Table) -> Markup:
    note = [element("p", table.note, class_="note")] if table.note else []
    return element("section", element("h2", table.title), *note, _drawn(table))


def _drawn(table: Table) -> Markup:
    head = element(
        "tr",
        *(
            element("th", word, scope="col", class_=_kind(index, table))
            for index, word in enumerate(table.heads)
        ),
    )
    lines = [
        element(
            "tr",
            element("th", row[0].text, scope="row"),
            *(
                element("td", cell.text, data_value=cell.value, class_=_kind(index, table))
                for index, cell in enumerate(row[1:], start=1)
            ),
        )
        for row in table.rows
    ]
    caption = element("caption", table.title, class_="unseen")
    drawn = element(
        "table", caption, element("thead", head), element("tbody", *lines), class_="sortable"
    )
    # It scrolls where it is too wide, so the keyboard has to get to it.
    return element("div", drawn, class_="wide", tabindex="0", role="region", aria_label=table.title)


def _kind(index: int, table: Table) -> str | None:
    return "words" if index in table.words else None


def _slowest(statistics: Statistics) -> Markup:
    many = len(statistics.slowest)
    return element(
        "section",
        element("h2", "Slowest calls"),
        element("p", "The slowest of all, and the slowest of each verdict.", class_="note"),
        _controls(statistics, many),
        traces.legend(),
        element("div", *map(traces.listed, statistics.slowest), id="traces"),
    )


def _controls(statistics: Statistics, many: int) -> Markup:
    values = {
        "host": {trace.server_address or "" for trace in statistics.slowest},
        "outcome": {trace.outcome for trace in statistics.slowest},
        "verdict": {trace.verdict_culprit for trace in statistics.slowest},
        "phase": {trace.slowest_phase or "" for trace in statistics.slowest},
    }
    choices = [_choice(name, said, values[name]) for name, said in _FILTERS.items()]
    search = element("label", "trace id or URL ", element("input", type="search", id="search"))
    buttons = [
        element("button", f"{word} all", type="button", id=word) for word in ("open", "close")
    ]
    count = element("output", f"{many} of {many}", id="count", aria_live="polite")
    # Without the script they would do nothing: it shows them.
    return element(
        "div", *choices, search, *buttons, join(count, " shown"), id="controls", hidden=True
    )


def _choice(name: str, said: str, values: set[str]) -> Markup:
    options = [element("option", value, value=value) for value in sorted(values) if value]
    every = element("option", "all", value="")
    return element("label", f"{said} ", element("select", every, *options, data_filter=name))
