"""``tracedclient doctor``: what is checked, and how it is shown.

Exit codes: 0 no problem (there may be something for attention); 1 a problem; 2 wrong usage.
"""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from tracedclient.cli.doctor import bundle, clock, flag, limits, logs, names, proxies, versions
from tracedclient.cli.page import GREEN, RED, Page
from tracedclient.cli.terminal import Style, add_color_argument, escape, width_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tracedclient.cli.doctor.finding import Finding
    from tracedclient.debug.source import FlagSource

SCHEMA = "tracedclient.doctor/1"
PROBLEM = 1

_YELLOW = 33
_MAX_WIDTH = 100
_COLOURS = {"good": GREEN, "attention": _YELLOW, "problem": RED}


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of ``doctor``."""
    add = parser.add_argument
    dotted = "module:name of the application's logging configuration; it takes effect in here"
    add("--logging", metavar="DOTTED", help=dotted)
    log = "look for recent traces in it; may be given several times"
    add("--check-log", metavar="FILE", action="append", default=[], help=log)
    add("--flag", metavar="SOURCE", action="append", default=[], type=_source, help=flag.SPELLINGS)
    url = "a server to reach (HEAD), with its proxy, lookup and clock; may be given several times"
    add("--url", metavar="URL", action="append", default=[], type=_url, help=url)
    add("--json", action="store_true", help="one JSON object for each line")
    add_color_argument(parser)
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Make the checks and show each as soon as it is known; return the exit code."""
    show = _show_json if options.json else _Screen(options.color).show
    worst = 0
    for finding in findings(options):
        show(finding)
        worst = max(worst, PROBLEM if finding.state == "problem" else 0)
    return worst


def findings(options: argparse.Namespace) -> Iterator[Finding]:
    """Yield what is found, check after check."""
    yield from _logging(options)
    yield from map(flag.check_flag, options.flag)
    yield from proxies.check_proxies(os.environ, options.url)
    yield from bundle.check_bundle(os.environ)
    yield from names.check_names(urlsplit(url).hostname or "" for url in options.url)
    yield from clock.check_clock()
    for url in options.url:
        yield from clock.check_server(url)
    yield limits.check_files()
    yield from limits.check_cpu()
    yield from versions.check_versions()


def _logging(options: argparse.Namespace) -> Iterable[Finding]:
    if options.logging is not None:
        yield from logs.check_configuration(options.logging)
    for path in options.check_log:
        yield from logs.check_log(path)
    if options.logging is None and not options.check_log:
        yield logs.not_checked()


def _show_json(finding: Finding) -> None:
    print(
        msgspec.json.encode({"schema": SCHEMA, **msgspec.to_builtins(finding)}).decode(), flush=True
    )


class _Screen:
    def __init__(self, color: str) -> None:
        style = Style.detect(sys.stdout, color)
        self._page = Page(min(width_of(sys.stdout), _MAX_WIDTH), style)

    def show(self, finding: Finding) -> None:
        style = self._page.style
        state = style.paint(f"{finding.state:9}", _COLOURS[finding.state])
        lines = self._lines(f"{finding.check}: {finding.said}")
        if finding.advice:
            lines += self._lines(f"{self._page.symbols.arrow} {finding.advice}")
        print(
            "\n".join([f"{state} {lines[0]}", *(f"{'':10}{line}" for line in lines[1:])]),
            flush=True,
        )

    def _lines(self, text: str) -> list[str]:
        page = self._page._replace(width=max(30, self._page.width - 10))
        return page.lines(escape(text, unicode=page.style.unicode), rest="  ")


def _source(text: str) -> FlagSource:
    try:
        return flag.source_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(escape(str(error))) from None


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise argparse.ArgumentTypeError("must be http://… or https://… with a host")
    return text
