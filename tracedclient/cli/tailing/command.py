"""``tracedclient tail [FILE…|-]``: a live table on a terminal, else a line per call.

A file is followed by its name: one that is rotated, truncated, or not there yet. Exit codes: 0 the
standard input has ended; 2 wrong usage; 130 Ctrl-C, which is how following files ends.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from tracedclient.cli.page import Page
from tracedclient.cli.quantities import counted
from tracedclient.cli.reading.inputs import STDIN, given
from tracedclient.cli.tailing.board import Board
from tracedclient.cli.tailing.feed import Feed
from tracedclient.cli.tailing.oneline import is_error, is_slow, one_line
from tracedclient.cli.terminal import Style, add_color_argument, escape, width_of
from tracedclient.cli.waterfall import MIN_WIDTH

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from tracedclient.trace.model import TraceResult

_SLOW_MS = 500.0
_ENTER, _LEAVE = "\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"
_HOME, _END_OF_LINE, _BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
_MIN_HEIGHT = 8
_NOTES = 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of ``tail``."""
    add = parser.add_argument
    add("files", nargs="*", metavar="FILE", default=[], help="logs, or - (default: a pipe)")
    slow = "calls of MS or more are slow (%(default)g)"
    add("--slow", type=float, default=_SLOW_MS, metavar="MS", help=slow)
    add("--bad", action="store_true", help="only calls that failed or were slow")
    add("--from-start", action="store_true", help="begin with what the files have already")
    add("--plain", action="store_true", help="a line per call also on a terminal")
    add_color_argument(parser)
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Follow the files until Ctrl-C, the standard input until its end."""
    if not options.slow > 0:
        options.parser.error(f"--slow must be more than 0 ms, not {options.slow:g}")
    try:
        options.files = given(options.files)
    except ValueError as error:
        options.parser.error(str(error))
    if STDIN in options.files and len(options.files) > 1:
        options.parser.error("the standard input cannot be followed together with files")
    oddities: Counter[str] = Counter()
    live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not options.plain
    try:
        with closing(Feed(options.files, oddities, from_end=not options.from_start)) as feed:
            (_live if live else _plainly)(feed, options)
    finally:
        for oddity, number in oddities.items():
            _say(f"{counted(number, 'line', 'lines')} {oddity}")
    return 0


def _plainly(feed: Feed, options: argparse.Namespace) -> None:
    page = _page(options)
    for trace in _wanted(feed, options):
        if trace is None:
            sys.stdout.flush()
            for note in feed.notes():
                _say(note)
        else:
            sys.stdout.write(one_line(trace, page, options.slow, cut=False) + "\n")


def _live(feed: Feed, options: argparse.Namespace) -> None:
    board, notes = Board(options.slow), [f"following {', '.join(_names(feed))}; Ctrl-C ends"]
    with _screen():
        _draw(board, notes, options)
        for trace in _wanted(feed, options):
            if trace is None:
                notes = [*notes, *feed.notes()][-_NOTES:]
                _draw(board, notes, options)
            else:
                board.add(trace)
    # The screen is gone with all that was on it.
    sys.stdout.write(f"{board.summary()}\n")


def _wanted(feed: Feed, options: argparse.Namespace) -> Iterator[TraceResult | None]:
    """Yield the traces as they come, and ``None`` when there is no more for now."""
    while True:
        for trace in feed.look():
            if not options.bad or is_error(trace) or is_slow(trace, options.slow):
                yield trace
        yield None
        if feed.is_over():
            return
        feed.wait()


def _names(feed: Feed) -> list[str]:
    return [source.name for source in feed.sources]


@contextmanager
def _screen() -> Iterator[None]:
    sys.stdout.write(_ENTER)
    try:
        yield
    finally:
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()


def _draw(board: Board, notes: list[str], options: argparse.Namespace) -> None:
    height = max(_MIN_HEIGHT, os.get_terminal_size(sys.stdout.fileno()).lines)
    lines = board.lines(_page(options), height, notes)
    # Each line is cleared behind its text, not the screen before it: that would flicker.
    sys.stdout.write(_HOME + f"{_END_OF_LINE}\r\n".join(lines) + _END_OF_LINE + _BELOW)
    sys.stdout.flush()


def _page(options: argparse.Namespace) -> Page:
    width = max(width_of(sys.stdout), MIN_WIDTH)
    return Page(width, Style.detect(sys.stdout, options.color))


def _say(text: str) -> None:
    sys.stderr.write(f"tracedclient: {escape(text)}\n")
    sys.stderr.flush()
