"""The command ``tracedclient``: ``demo`` shows it at work, ``stat`` times a request, ``flag`` switches.

terminal   what the terminal can show; columns: fit text into it; page: both together
waterfall  a TraceResult as text, from headline, chart (timeline, bars) and details (facts)
stat demo flag  one module per command, imported only when that command is given
logs       the command ``logs``; reading: files, searching them, and what their lines say
reporting  the command ``report``; tailing: the command ``tail``
convert    a trace in the formats of other tools; doctor: would traces appear
schema lnav_format completion  texts for other programs
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from tracedclient._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main"]


class _Command(NamedTuple):
    module: str
    help: str


_COMMANDS = {
    "completion": _Command("tracedclient.cli.completion", "print the completion of a shell"),
    "convert": _Command(
        "tracedclient.cli.convert.command",
        "write the traces of a log as HAR, OTLP, Chrome, Parquet",
    ),
    "demo": _Command("tracedclient.cli.demo", "show the library at work on this machine alone"),
    "doctor": _Command(
        "tracedclient.cli.doctor.command", "check that traces would appear, and what may slow calls"
    ),
    "flag": _Command("tracedclient.cli.flag", "switch the debug flag on or off, show it, check it"),
    "lnav-format": _Command("tracedclient.cli.lnav_format", "print lnav's format for our lines"),
    "logs": _Command(
        "tracedclient.cli.logs",
        "find a trace id in logs, and show what happened and whose fault it was",
    ),
    "report": _Command(
        "tracedclient.cli.reporting.command", "sum up the traces of logs in one page"
    ),
    "schema": _Command("tracedclient.cli.schema", "print the JSON Schema of the log line"),
    "stat": _Command(
        "tracedclient.cli.stat", "make a request, or several, and show where the time went"
    ),
    "tail": _Command("tracedclient.cli.tailing.command", "watch calls as they are logged"),
}

_SIGNAL = 128
_SIGINT, _SIGPIPE = 2, 13


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: ``sys.argv[1:]``) and return its exit code.

    0 it went well, 1 it did not (what that means says each command), 130 Ctrl-C, 141 the reader of
    a pipe went away. Raises ``SystemExit``: 2 for a wrong usage, 0 after ``--help``.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    options = _options(arguments)
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return _SIGNAL + _SIGINT
    except BrokenPipeError:
        _drop_stdout()
        return _SIGNAL + _SIGPIPE
    return code


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = _parser(arguments)
    options, left = parser.parse_known_args(arguments)
    # argparse takes no more positional arguments once an option came between them: ID --raw FILE.
    scattered: str = getattr(options, "scattered", "")
    if left and (not scattered or any(one.startswith("-") and one != "-" for one in left)):
        options.parser.error(
            f"unrecognized arguments: {' '.join(left)}{_meant(options.parser, left)}"
        )
    if left:
        getattr(options, scattered).extend(left)
    return options


def _meant(parser: argparse.ArgumentParser, left: Sequence[str]) -> str:
    """Return a question for the options of ``parser`` whose names are like one of ``left``."""
    # Only now: what is spelled well needs no other spellings.
    from difflib import get_close_matches  # noqa: PLC0415

    known = list(parser._option_string_actions)  # noqa: SLF001 - argparse shows them nowhere else
    given = (one.partition("=")[0] for one in left if one.startswith("--"))
    close = [match for one in given for match in get_close_matches(one, known, n=1, cutoff=0.75)]
    return f"; did you mean {', '.join(close)}?" if close else ""


def whole_parser() -> argparse.ArgumentParser:
    """Return the parser with the arguments of all commands, for what describes the command line."""
    return _parser((), every=True)


def _parser(arguments: Sequence[str], *, every: bool = False) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tracedclient",
        description="An HTTP client that shows, on demand, what happened on the wire.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in _COMMANDS.items():
        subparser = commands.add_parser(name, help=command.help, description=command.help)
        # So that what is wrong is told beside the command's own usage.
        subparser.set_defaults(parser=subparser)
        # Only the command that was given is worth its imports.
        if every or name in arguments[:1]:
            import_module(command.module).configure(subparser)
    return parser


def _drop_stdout() -> None:
    # What is still in the buffer would raise again when the interpreter exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
