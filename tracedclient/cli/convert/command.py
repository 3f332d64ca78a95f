"""``tracedclient convert``: the traces of log files, for other tools.

Exit codes: 0 done; 1 there was no trace, and nothing is written; 2 wrong usage, a missing extra, or a
file that cannot be read or written (what could be read is converted all the same); 3 with
``--strict``: some records were damaged.
"""

from __future__ import annotations

import sys
import time
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tracedclient.cli.convert.formats import FORMATS, converter, is_text
from tracedclient.cli.convert.source import Source
from tracedclient.cli.convert.target import STDOUT, written
from tracedclient.cli.quantities import counted
from tracedclient.cli.reading.clock import parse
from tracedclient.cli.reading.inputs import STDIN, given, inputs
from tracedclient.cli.reading.window import Span
from tracedclient.cli.terminal import escape

if TYPE_CHECKING:
    import argparse

    from tracedclient.cli.reading.tally import Tally

NOTHING, USAGE, DAMAGED = 1, 2, 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of ``convert``."""
    add = parser.add_argument
    files = "logs, globs, directories, also compressed, or - (default: a pipe)"
    add("files", nargs="*", metavar="FILE", default=[], help=files)
    add("--to", required=True, choices=FORMATS, help="the format")
    add("-o", "--output", metavar="FILE", default=STDOUT, help="write there, not to stdout")
    add("--since", metavar="TIME", help="2026-11-20T22:27, 22:27 or -3h: no earlier lines")
    add("--until", metavar="TIME", help="no later ones; give or take a minute, like --since")
    add("--strict", action="store_true", help="exit code 3 when a record was damaged")
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Convert the files; return the exit code."""
    _check(options)
    source = Source(options.files, _span(options))
    try:
        _convert(source, options)
    except BrokenPipeError:
        raise
    except (OSError, ImportError) as error:
        _complain(str(error))
        return USAGE
    return _told(source.tally, strict=options.strict)


def _check(options: argparse.Namespace) -> None:
    try:
        options.files = given(options.files)
    except ValueError as error:
        options.parser.error(str(error))
    to_terminal = options.output == STDOUT and sys.stdout.isatty()
    if to_terminal and not is_text(options.to):
        options.parser.error(f"{options.to} is no text for a terminal; use -o FILE")
    if any(_are_same(found.name, options.output) for found in inputs(options.files)):
        options.parser.error("argument -o: it would take the place of the log that is read")


def _are_same(name: str, output: str) -> bool:
    try:
        return STDIN not in {name, output} and Path(name).samefile(output)
    except (OSError, ValueError):
        return False


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


def _convert(source: Source, options: argparse.Namespace) -> None:
    traces = iter(source)
    first = next(traces, None)
    if first is None:
        return
    convert = converter(options.to)
    with written(options.output) as stream:
        for piece in convert(chain([first], traces)):
            stream.write(piece)


def _told(tally: Tally, *, strict: bool) -> int:
    for oddity, number in tally.oddities.items():
        _complain(f"{counted(number, 'line', 'lines')} {oddity}")
    for name, why in tally.unreadable:
        _complain(f"cannot read {name}: {why}")
    if tally.unreadable:
        return USAGE
    if not tally.traces:
        _complain("no trace in what was read")
        return NOTHING
    return DAMAGED if strict and tally.damaged else 0


def _complain(text: str) -> None:
    sys.stderr.write(f"tracedclient: {escape(text)}\n")
