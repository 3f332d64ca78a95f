"""Files → statistics, in plain Python: one pass, in memory that does not grow with the files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tracedclient.cli.reporting.calls import SIGN, Future, NotCounted, call_of
from tracedclient.cli.reporting.slowest import Slowest
from tracedclient.cli.reporting.statistics import Statistics, Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from tracedclient.cli.reporting.progress import Progress
    from tracedclient.cli.reporting.statistics import Reading

_STDIN = "-"
_MAX_LINE = 1024 * 1024
_EVERY = 1024 * 1024


def read(names: list[str], by: str, number: int, progress: Progress) -> Statistics:
    """Return what the traces in ``names`` say; ``-`` is the standard input.

    A file that cannot be read is noted, and the others are read all the same.
    """
    statistics, slowest = Statistics(by), Slowest(number)
    for name in names:
        for line in _lines(name, statistics.reading, progress):
            _count(line, statistics, slowest)
    statistics.settle()
    statistics.slowest = slowest.traces()
    return statistics


def _count(line: bytes, statistics: Statistics, slowest: Slowest) -> None:
    reading = statistics.reading
    if SIGN not in line:
        reading.other_lines += 1
        return
    record = line[line.find(b'{"') :] if line[:1] != b"{" else line
    try:
        call = call_of(record)
        statistics.add(call)
    except Future:
        reading.future += 1
    except NotCounted:
        reading.broken += 1
    else:
        slowest.offer(call.duration_ms, call.verdict_culprit, call.trace_id, record)


def _lines(name: str, reading: Reading, progress: Progress) -> Iterator[bytes]:
    try:
        if name == _STDIN:
            yield from _bounded(sys.stdin.buffer, reading, progress)
        else:
            with Path(name).open("rb") as file:
                yield from _bounded(file, reading, progress)
    except OSError as error:
        reading.unreadable.append(Unreadable(name, error.strerror or str(error)))
    else:
        reading.files.append(name)


def _bounded(file: BinaryIO, reading: Reading, progress: Progress) -> Iterator[bytes]:
    told = 0
    while line := file.readline(_MAX_LINE):
        reading.bytes += len(line)
        if reading.bytes - told > _EVERY:
            told = reading.bytes
            progress(told)
        yield line
