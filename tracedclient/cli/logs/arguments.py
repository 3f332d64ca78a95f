"""The arguments of ``tracedclient logs``."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.reading.clock import parse, parse_around
from tracedclient.cli.reading.inputs import STDIN
from tracedclient.cli.reading.wanted import Wanted, wanted
from tracedclient.cli.reading.window import Span
from tracedclient.cli.terminal import add_color_argument, escape

if TYPE_CHECKING:
    import argparse

VARIABLE = "TRACEDCLIENT_LOGS"
EXPORTS = ("har", "otlp-json", "zipkin", "chrome")
"""Formats of ``tracedclient convert`` that one trace is worth having in."""


class Request(NamedTuple):
    """What is asked for."""

    wanted: Wanted
    names: tuple[str, ...]
    span: Span
    format: str
    """``text``, ``md``, ``json``, ``raw``, or one of ``EXPORTS``."""
    target: str
    """Where an export goes."""
    only_traces: bool
    first: bool
    strict: bool
    color: str
    pager: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of ``logs``."""
    add = parser.add_argument
    add(
        "id",
        metavar="TRACE_ID",
        help="an id, 8 or more characters that begin one, or a traceparent, b3 or UUID",
    )
    files = f"files, directories, globs, or - (default: those in {VARIABLE}, else a pipe)"
    # Without a default argparse would call it required.
    add("files", metavar="FILE", nargs="*", default=[], help=files)
    _add_times(parser)
    _add_output(parser)


def request_of(options: argparse.Namespace) -> Request:
    """Return what ``options`` ask for; ends the program where they make no sense."""
    parser = options.parser
    if options.around and (options.since or options.until):
        parser.error("--around does not go with --since and --until")
    try:
        return Request(
            wanted=wanted(options.id),
            names=_names(options),
            span=_span(options),
            format=_format(options),
            target=_target(options),
            only_traces=options.only_traces or bool(_target(options)),
            first=options.first,
            strict=options.strict,
            color=options.color,
            pager=options.pager,
        )
    except ValueError as error:
        parser.error(escape(str(error)))
        raise


def _add_times(parser: argparse.ArgumentParser) -> None:
    times = "UTC unless it says otherwise: 2026-11-20T22:27:58, 22:27, -3h, now"
    group = parser.add_argument_group("when", f"Reads only that part of a file. TIME is {times}.")
    group.add_argument("--since", metavar="TIME")
    group.add_argument("--until", metavar="TIME")
    around = "ten minutes before and after, or TIME±30s, TIME+-30s"
    group.add_argument("--around", metavar="TIME", help=around)


def _add_output(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("the output")
    forms = group.add_mutually_exclusive_group()
    for name, says in (
        ("json", "one JSON object per line that was found"),
        ("raw", "the lines as the application wrote them"),
        ("md", "Markdown, to paste into a ticket"),
    ):
        forms.add_argument(f"--{name}", dest="format", action="store_const", const=name, help=says)
    for name in EXPORTS:
        says = f"the traces for other tools, as convert --to {name}; -: to stdout"
        forms.add_argument(f"--{name}", metavar="FILE", default="", help=says)
    add = group.add_argument
    add("--only-traces", action="store_true", help="leave out the application's own lines")
    add("--first", action="store_true", help="stop at the first trace")
    add("-f", "--follow", action="store_true", help="go on with what is written from now on")
    add("--strict", action="store_true", help="exit with 3 when something found is not whole")
    add("--no-pager", dest="pager", action="store_false", help="never start PAGER")
    add_color_argument(parser)
    parser.set_defaults(format="text")


def _target(options: argparse.Namespace) -> str:
    return next(filter(None, (vars(options)[name.replace("-", "_")] for name in EXPORTS)), "")


def _format(options: argparse.Namespace) -> str:
    chosen = [name for name in EXPORTS if vars(options)[name.replace("-", "_")]]
    if chosen and options.follow:
        raise ValueError(f"--{chosen[0]} does not go with --follow")
    return chosen[0] if chosen else str(options.format)


def _names(options: argparse.Namespace) -> tuple[str, ...]:
    listed = os.environ.get(VARIABLE, "").split(os.pathsep)
    names = tuple(options.files) or tuple(filter(None, listed))
    if not names and not sys.stdin.isatty():
        names = (STDIN,)
    if not names:
        raise ValueError(f"no FILE is given, {VARIABLE} is not set, and no pipe leads here")
    if options.follow and STDIN in names:
        raise ValueError("--follow takes files; from a pipe, lines are read as they come anyway")
    return names


def _span(options: argparse.Namespace) -> Span:
    now = time.time()
    if options.around:
        return Span(*parse_around(options.around, now=now))
    since, until = (
        None if text is None else parse(text, now=now) for text in (options.since, options.until)
    )
    if since is not None and until is not None and since > until:
        raise ValueError("--since is later than --until")
    return Span(since, until)
