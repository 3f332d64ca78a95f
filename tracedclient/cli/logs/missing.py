"""Why nothing was found, or too much."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.cli.quantities import counted, size
from tracedclient.cli.reading.clock import iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.cli.logs.arguments import Request
    from tracedclient.cli.logs.gather import Gathering
    from tracedclient.cli.reading.census import Census

_MAX_IDS = 20


def several(wanted: str, ids: Sequence[str]) -> Iterator[str]:
    """Yield the ids that ``wanted`` begins."""
    yield f"{len(ids)} ids begin with {wanted}; give more of one:"
    yield from (f"  {one}" for one in ids[:_MAX_IDS])
    if len(ids) > _MAX_IDS:
        yield f"  and {len(ids) - _MAX_IDS} more"


def missing(request: Request, gathering: Gathering) -> Iterator[str]:
    """Yield what was searched, what there was, and what to look at next."""
    what = "trace" if request.only_traces else "line"
    tally, census = gathering.tally, gathering.census
    files = counted(tally.files, "file", "files")
    yield f"no {what} with trace id {request.wanted.id} in {files}, {size(tally.bytes)}"
    if census is None or not census.lines:
        yield "  there is no line in them" if tally.files else "  there was no file to search"
        return
    yield f"  searched: {counted(census.lines, 'line', 'lines')}{_times(census)}"
    yield f"  {_traces(census)}"
    if census.near:
        yield f"  ids that are near: {', '.join(census.near)}"
    yield f"  check: {'; '.join(_advice(request, census))}"


def _times(census: Census) -> str:
    if census.first is None or census.last is None:
        return ", none with a time"
    return f", {iso(census.first)} to {iso(census.last)}"


def _traces(census: Census) -> str:
    if not census.traces:
        return "debug seems to have been off: none of these lines is a trace of any call"
    some = f"debug was on for some calls: {counted(census.traces, 'line is a trace', 'lines are traces')}"
    if census.only_some:
        some += f", {census.only_some} of them written only because the call failed or was slow"
    return some


def _advice(request: Request, census: Census) -> Iterator[str]:
    if request.span != (None, None):
        yield "the span of time"
    if not census.traces:
        yield "the debug flag"
        yield "that the logger tracedclient.trace lets INFO through"
    else:
        yield "the rules of the debug flag (host, path, share of the ids, emit)"
    yield "the logs of other hosts and services"
