"""``tracedclient report [FILE…]``: thousands of traces in one page.

Exit codes: 0 there are traces; 1 there are none; 2 wrong usage, a file that cannot be read (what the
others hold is reported all the same), or a page that cannot be written; 3 with ``--strict``, when
something was left out because it is damaged.
"""

from __future__ import annotations

import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from tracedclient.cli.page import Page
from tracedclient.cli.reading.clock import parse
from tracedclient.cli.reading.inputs import STDIN, Input, Unreadable, given, inputs
from tracedclient.cli.reading.window import Span
from tracedclient.cli.reporting import duck, streaming
from tracedclient.cli.reporting.as_json import to_json
from tracedclient.cli.reporting.calls import BY
from tracedclient.cli.reporting.document import to_html
from tracedclient.cli.reporting.findings import left_out
from tracedclient.cli.reporting.markdown import to_markdown
from tracedclient.cli.reporting.progress import Progress
from tracedclient.cli.reporting.text import to_text
from tracedclient.cli.terminal import Style, add_color_argument, escape, width_of
from tracedclient.cli.waterfall import MIN_WIDTH

if TYPE_CHECKING:
    import argparse

    from tracedclient.cli.reporting.statistics import Statistics

NOTHING, USAGE, DAMAGED = 1, 2, 3
FORMATS = ("html", "md", "json", "tty")
ENGINES = ("auto", "duckdb", "python")
_RENDERERS = {"html": to_html, "md": to_markdown, "json": to_json}
_SUFFIXES = {".html": "html", ".htm": "html", ".md": "md", ".json": "json", ".txt": "tty"}
_TRACES = 100


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of ``report``."""
    add = parser.add_argument
    add(
        "files",
        nargs="*",
        metavar="FILE",
        default=[],
        help="logs, globs, directories, also compressed, or - (default: a pipe)",
    )
    add("-o", "--output", metavar="FILE", help="write to FILE; its suffix chooses the format")
    add("--format", choices=FORMATS, help="default: html, but tty on a terminal")
    add("--since", metavar="TIME", help="calls from then on: 2026-11-20T22:27, 22:27, -3h")
    add("--until", metavar="TIME", help="calls up to then")
    add("--by", choices=tuple(BY), default="host", help="what calls are grouped by (%(default)s)")
    add("--compare", metavar="FILE", action="append", default=[],
        help="compare with this log of an earlier time; may be repeated")  # fmt: skip
    add("--traces", type=int, default=_TRACES, metavar="N",
        help="show the N slowest calls whole, and some of each verdict (%(default)s)")  # fmt: skip
    add("--engine", choices=ENGINES, default="auto",
        help="auto: DuckDB where it is installed and the logs are plain files")  # fmt: skip
    add("--strict", action="store_true", help="exit with 3 when damaged traces were left out")
    add_color_argument(parser)
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Read, count and write; return the exit code."""
    _check(options)
    span = _span(options)
    before = _read(options.compare, Span(), options) if options.compare else None
    statistics = _read(options.files, span, options)
    if not statistics.groups:
        _complain("no trace in what was read")
        return USAGE if statistics.reading.tally.unreadable else NOTHING
    try:
        _write(_rendered(statistics, before, options), options.output)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        _complain(f"cannot write {options.output!r}: {error.strerror or error}")
        return USAGE
    return _exit_code([statistics, *([before] if before else [])], strict=options.strict)


def _check(options: argparse.Namespace) -> None:
    if options.traces < 0:
        options.parser.error(f"--traces must be 0 or more, not {options.traces}")
    try:
        options.files = given(options.files)
    except ValueError as error:
        options.parser.error(str(error))
    if [*options.files, *options.compare].count(STDIN) > 1:
        options.parser.error("the standard input can be read only once")


def _span(options: argparse.Namespace) -> Span:
    now = time.time()
    try:
        since, until = (
            None if text is None else parse(text, now=now)
            for text in (options.since, options.until)
        )
    except ValueError as error:
        options.parser.error(escape(str(error)))
    if since is not None and until is not None and since > until:
        options.parser.error("--since is later than --until")
    return Span(since, until)


def _read(names: list[str], span: Span, options: argparse.Namespace) -> Statistics:
    found = list(inputs(names))
    with closing(Progress(_bytes_of(found))) as progress:
        statistics = None
        # Only Python tells half a record, and reads no more of a file than a span needs.
        if options.engine != "python" and not options.strict and span == Span():
            statistics = _by_duckdb(found, options, progress)
        if statistics is None:
            statistics = streaming.read(found, options.by, options.traces, span, progress)
    for note in left_out(statistics.reading):
        _complain(note)
    return statistics


def _bytes_of(found: list[Input | Unreadable]) -> int:
    """Return how much there is to read; 0 where that is not known."""
    files = [one for one in found if isinstance(one, Input)]
    if not all(file.seekable for file in files):
        return 0
    return sum(Path(file.name).stat().st_size for file in files)


def _by_duckdb(
    found: list[Input | Unreadable], options: argparse.Namespace, progress: Progress
) -> Statistics | None:
    try:
        return duck.read(found, options.by, options.traces, progress)
    except duck.Unsuited as error:
        if options.engine == "duckdb":
            options.parser.error(escape(f"--engine duckdb: {error}"))
        return None


def _rendered(
    statistics: Statistics, before: Statistics | None, options: argparse.Namespace
) -> str:
    render = _RENDERERS.get(_format(options))
    return render(statistics, before) if render else to_text(statistics, before, _page(options))


def _format(options: argparse.Namespace) -> str:
    if options.format:
        return str(options.format)
    if options.output:
        return _SUFFIXES.get(Path(options.output).suffix.lower(), "html")
    return "tty" if sys.stdout.isatty() else "html"


def _page(options: argparse.Namespace) -> Page:
    style = Style.detect(sys.stdout, options.color)
    if options.output:
        style = Style(colour=options.color == "always", unicode=True)
    return Page(max(width_of(sys.stdout), MIN_WIDTH), style)


def _write(text: str, output: str | None) -> None:
    # A page says that it is UTF-8, whatever the locale is.
    if output:
        Path(output).write_text(text, encoding="utf-8", errors="backslashreplace")
    else:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))
        sys.stdout.buffer.flush()


def _exit_code(all_statistics: list[Statistics], *, strict: bool) -> int:
    tallies = [statistics.reading.tally for statistics in all_statistics]
    if any(tally.unreadable for tally in tallies):
        return USAGE
    return DAMAGED if strict and any(tally.damaged for tally in tallies) else 0


def _complain(text: str) -> None:
    sys.stderr.write(f"tracedclient: {escape(text)}\n")
