"""``tracedclient logs TRACE_ID [FILE…|-]``: what happened to a request, and whose fault it was.

arguments  the command line
gather     names of files → the entries that have the id
tree       the traces of several services → who called whom
story      all of it as text, with tree_chart, app_lines, markdown; output: in the form asked for
machine    the same as JSON lines, or as the lines are; export: in the formats of other tools
missing    why nothing was found
notes      what was read, and what was left out
following  the same for lines that are yet to come
pager progress  the terminal

Exit codes: 0 found; 1 nothing found; 2 wrong usage, an id that several begin with, or a file that
cannot be read or written (what was found is shown all the same); 3 with ``--strict``, something that was found
is not whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.logs.arguments import add_arguments, request_of
from tracedclient.cli.logs.gather import Gathering

if TYPE_CHECKING:
    import argparse

    from tracedclient.cli.logs.arguments import Request

__all__ = ["configure"]

NOT_FOUND, USAGE, DAMAGED = 1, 2, 3


def configure(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` the arguments of ``logs``."""
    add_arguments(parser)
    parser.set_defaults(run=run, parser=parser, scattered="files")


def run(options: argparse.Namespace) -> int:
    """Search, print what is found, and return the exit code."""
    request = request_of(options)
    if options.follow:
        from tracedclient.cli.logs.following import follow  # noqa: PLC0415 - as all that draws

        return follow(request)
    gathering = Gathering(request)
    if request.wanted.is_whole and request.format in ("json", "raw"):
        done = _as_it_comes(request, gathering)
    else:
        done = _all_at_once(request, gathering)
    from tracedclient.cli.logs import notes  # noqa: PLC0415 - it is not free, see below

    notes.write(request, gathering)
    return _exit_code(request, gathering) if done else USAGE


def _as_it_comes(request: Request, gathering: Gathering) -> bool:
    from tracedclient.cli.logs import machine  # noqa: PLC0415

    machine.write(gathering.entries(), request, gathering.tally)
    return True


def _all_at_once(request: Request, gathering: Gathering) -> bool:
    """Print what is found; say whether that could be done, and was of one id."""
    entries = gathering.settled()
    if len(gathering.ids) > 1 or not entries:
        return not entries
    # To import what draws takes longer than most searches last.
    from tracedclient.cli.logs import output  # noqa: PLC0415

    return output.write(entries, request, gathering)


def _exit_code(request: Request, gathering: Gathering) -> int:
    if gathering.tally.unreadable:
        return USAGE
    if not gathering.tally.hits:
        return NOT_FOUND
    return DAMAGED if request.strict and gathering.tally.damaged else 0
