"""``tracedclient convert``: the traces of log files, for other tools.

Exit codes: 0 done; 1 there was no trace, and nothing is written; 2 wrong usage, a missing extra, or a
file that cannot be read or written (what could be read is converted all the same); 3 with
``--strict``: some records were damaged.
"""

from __future__ import annotations

import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from tracedclient.cli.convert.formats import FORMATS, converter, is_text
from tracedclient.cli.convert.source import STDIN, Source
from tracedclient.cli.convert.target import STDOUT, written
from tracedclient.cli.quantities import counted
from tracedclient.cli.terminal import escape

if TYPE_CHECKING:
    import argparse

NOTHING, USAGE, DAMAGED = 1, 2, 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of ``convert``."""
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE", default=[STDIN], help="logs (default: -, stdin)")
    add("--to", required=True, choices=FORMATS, help="the format")
    add("-o", "--output", metavar="FILE", default=STDOUT, help="write there, not to stdout")
    add("--strict", action="store_true", help="exit code 3 when a record was damaged")
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Convert the files; return the exit code."""
    _check(options)
    source = Source(options.files)
    try:
        _convert(source, options)
    except BrokenPipeError:
        raise
    except (OSError, ImportError) as error:
        _complain(str(error))
        return USAGE
    return _told(source, strict=options.strict)


def _check(options: argparse.Namespace) -> None:
    to_terminal = options.output == STDOUT and sys.stdout.isatty()
    if to_terminal and not is_text(options.to):
        options.parser.error(f"{options.to} is no text for a terminal; use -o FILE")
    if any(_are_same(name, options.output) for name in options.files):
        options.parser.error("argument -o: it would take the place of the log that is read")


def _are_same(name: str, output: str) -> bool:
    try:
        return STDIN not in {name, output} and Path(name).samefile(output)
    except OSError:
        return False


def _convert(source: Source, options: argparse.Namespace) -> None:
    traces = iter(source)
    first = next(traces, None)
    if first is None:
        return
    convert = converter(options.to)
    with written(options.output) as stream:
        for piece in convert(chain([first], traces)):
            stream.write(piece)


def _told(source: Source, *, strict: bool) -> int:
    for complaint in source.unreadable:
        _complain(complaint)
    if source.damaged:
        _complain(f"{counted(source.damaged, 'record', 'records')} damaged, and left out")
    if source.unreadable:
        return USAGE
    if not source.found:
        _complain("no trace in what was read")
        return NOTHING
    return DAMAGED if strict and source.damaged else 0


def _complain(text: str) -> None:
    sys.stderr.write(f"tracedclient: {escape(text)}\n")
