"""Files → statistics, in plain Python: one pass, in memory that does not grow with the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracedclient.cli.reading.files import blocks_of
from tracedclient.cli.reading.inputs import Input
from tracedclient.cli.reading.records import understood
from tracedclient.cli.reading.search import lines_with
from tracedclient.cli.reading.tally import MISSHAPEN
from tracedclient.cli.reporting.calls import SIGN, Call, NotCounted, call_of, epoch
from tracedclient.cli.reporting.slowest import Slowest
from tracedclient.cli.reporting.statistics import Statistics
from tracedclient.trace.schema import to_dict, to_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.cli.reading.blocks import Block
    from tracedclient.cli.reading.inputs import Unreadable
    from tracedclient.cli.reading.tally import Tally
    from tracedclient.cli.reading.window import Span
    from tracedclient.cli.reading.wrapping import Line
    from tracedclient.cli.reporting.progress import Progress


def read(
    found: Sequence[Input | Unreadable], by: str, number: int, span: Span, progress: Progress
) -> Statistics:
    """Return what the traces in ``found`` say, and the ``number`` slowest of them.

    ``span`` is exact, by when a call began. What cannot be read is noted, and the rest is read all
    the same.
    """
    statistics, slowest = Statistics(by), Slowest(number)
    statistics.reading.engine = "Python"
    for one in found:
        if isinstance(one, Input):
            _File(one, span, statistics, slowest).count(progress)
        else:
            statistics.reading.tally.unreadable.append(one)
    statistics.settle()
    statistics.slowest = slowest.traces()
    return statistics


class _File:
    def __init__(self, found: Input, span: Span, statistics: Statistics, slowest: Slowest) -> None:
        self._input = found
        self._span = span
        self._statistics = statistics
        self._slowest = slowest

    def count(self, progress: Progress) -> None:
        tally = self._statistics.reading.tally
        self._statistics.reading.files.append(self._input.name)
        for line in lines_with(self._blocks(tally, progress), (SIGN,)):
            try:
                # A text before the record is usual, and the patient way is slow.
                data = line.data[line.data.find(b'{"') :]
                self._take(call_of(data), data)
            except NotCounted:
                self._take_patiently(line, tally)

    def _blocks(self, tally: Tally, progress: Progress) -> Iterator[Block]:
        for block in blocks_of(self._input, self._span, tally):
            progress(tally.bytes)
            yield block

    def _take(self, call: Call, data: bytes) -> None:
        if not self._is_wanted(call):
            return
        self._statistics.add(call)
        self._slowest.offer(call.duration_ms, call.verdict_culprit, call.trace_id, data)

    def _take_patiently(self, line: Line, tally: Tally) -> None:
        entry = understood(line, self._input.name, ())
        tally.oddities.update(entry.oddities)
        if entry.trace is None:
            return
        try:
            self._take(msgspec.convert(to_dict(entry.trace), Call), to_json(entry.trace))
        except (NotCounted, msgspec.ValidationError):
            tally.oddities[MISSHAPEN] += 1

    def _is_wanted(self, call: Call) -> bool:
        since, until = self._span
        if since is None and until is None:
            return True
        began = epoch(call.started_at)
        return (since is None or began >= since) and (until is None or began <= until)
