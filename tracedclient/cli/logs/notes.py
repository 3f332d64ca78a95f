"""What is said on stderr: what was read, what was left out, and why nothing was found."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from tracedclient.cli.logs.missing import missing, several
from tracedclient.cli.quantities import counted, size
from tracedclient.cli.reading.clock import iso
from tracedclient.cli.reading.window import SLACK_S, Span
from tracedclient.cli.terminal import Style, escape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.logs.arguments import Request
    from tracedclient.cli.logs.gather import Gathering
    from tracedclient.cli.reading.tally import Tally


def write(request: Request, gathering: Gathering) -> None:
    """Write the notes on a search that has ended."""
    # What comes first must also be seen first, where both go to one terminal.
    sys.stdout.flush()
    unicode = Style.detect(sys.stderr, "never").unicode
    for line in _lines(request, gathering):
        print(escape(line, unicode=unicode), file=sys.stderr)


def _lines(request: Request, gathering: Gathering) -> Iterator[str]:
    tally = gathering.tally
    if len(gathering.ids) > 1:
        yield from several(request.wanted.id, gathering.ids)
    if tally.hits:
        yield _found(tally, request.format)
    else:
        yield from missing(request, gathering)
    if gathering.others:
        yield f"{counted(gathering.others, 'other id begins', 'other ids begin')} with it"
    if gathering.unshown:
        yield f"{gathering.unshown} more lines were found and not shown; --raw has all"
    yield from _left_out(request.span, tally)


def _found(tally: Tally, form: str) -> str:
    files = f"{tally.files_with_hits} of {counted(tally.files, 'file', 'files')}"
    if form == "raw":
        return f"{counted(tally.hits, 'line', 'lines')} in {files}, {size(tally.bytes)} read"
    traces = counted(tally.traces, "trace", "traces")
    lines = counted(tally.hits - tally.traces, "other line", "other lines")
    return f"{traces} and {lines} in {files}, {size(tally.bytes)} read"


def _left_out(span: Span, tally: Tally) -> Iterator[str]:
    for oddity, number in tally.oddities.items():
        yield f"{counted(number, 'line', 'lines')} {oddity}"
    for name, why in tally.unreadable:
        yield f"cannot read {name}: {why}"
    for name in tally.unordered:
        yield f"{name} is not in order of time: all of it was read"
    if span != Span():
        yield (
            f"read what was written {_named(span)}, and {SLACK_S:.0f} s around it"
            f"; {size(tally.bytes_left)} outside of it not read"
        )


def _named(span: Span) -> str:
    since = "" if span.since is None else f"from {iso(span.since)}"
    until = "" if span.until is None else f"to {iso(span.until)}"
    return " ".join(filter(None, [since, until]))
