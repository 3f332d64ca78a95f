"""Files → the same statistics as ``streaming``, by DuckDB: as many cores as there are, one pass.

A table has the fields that are counted, and not the attempts, which are most of a line: the few that
are shown whole are looked up in the files afterwards. DuckDB spills what does not fit into its memory limit to a temporary directory.
"""

from __future__ import annotations

import tempfile
import threading
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.cli.reading.inputs import Input, Unreadable
from tracedclient.cli.reading.tally import FUTURE, MISSHAPEN
from tracedclient.cli.reporting import queries
from tracedclient.cli.reporting.locating import Wanted, lines_of
from tracedclient.cli.reporting.sampling import is_plain
from tracedclient.cli.reporting.slowest import MAX_CULPRITS, choose, drawable, most_of_each
from tracedclient.cli.reporting.statistics import OK, Statistics, count_word
from tracedclient.cli.reporting.timeline import Timeline, width_for

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tracedclient.cli.reporting.progress import Progress
    from tracedclient.trace.model import TraceResult

MEMORY_LIMIT = "512MB"
_GLOB = frozenset("*?[")
_EVERY_S = 0.25


class Unsuited(Exception):
    """DuckDB is not there, or cannot read these files; the message says why."""


def read(
    found: Sequence[Input | Unreadable], by: str, number: int, progress: Progress
) -> Statistics:
    """Return what the traces in ``found`` say, and the ``number`` slowest of them.

    Raises ``Unsuited`` when plain Python is to read them: for compressed or wrapped logs, for the
    standard input, and for what DuckDB stumbles over.
    """
    duckdb = _duckdb()
    names = _names(found)
    try:
        with tempfile.TemporaryDirectory(prefix="tracedclient-report-") as spill:
            config = {"memory_limit": MEMORY_LIMIT, "temp_directory": spill}
            with closing(duckdb.connect(config=config)) as connection:
                engine = _Engine(connection, names, by, number)
                with _told(connection, progress, engine.bytes):
                    statistics = engine.statistics()
    except duckdb.Error as error:
        raise Unsuited(f"DuckDB: {str(error).splitlines()[0]}") from error
    missing = [one for one in found if isinstance(one, Unreadable)]
    statistics.reading.tally.unreadable.extend(missing)
    return statistics


def _duckdb() -> Any:
    try:
        return import_module("duckdb")
    except ImportError:
        raise Unsuited("DuckDB is not installed: pip install 'tracedclient[report]'") from None


def _names(found: Sequence[Input | Unreadable]) -> list[str]:
    files = [one for one in found if isinstance(one, Input)]
    for file in files:
        if not file.seekable or _GLOB & set(file.name):
            raise Unsuited(f"{file.name} is no plain file")
    names = [file.name for file in files]
    try:
        plain = is_plain(names)
    except OSError as error:
        raise Unsuited(f"{error.filename}: {error.strerror}") from error
    if not plain:
        raise Unsuited("the traces are not in plain files, on lines of their own")
    return names


class _Engine:
    def __init__(self, connection: Any, names: list[str], by: str, number: int) -> None:
        self._connection = connection
        self._names = names
        self._number = number
        self._statistics = Statistics(by)
        self.bytes = sum(Path(name).stat().st_size for name in names)

    def statistics(self) -> Statistics:
        statistics = self._statistics
        statistics.reading.engine = "DuckDB"
        statistics.reading.files = list(self._names)
        statistics.reading.tells_half = False
        statistics.reading.tally.bytes = self.bytes
        for setting in queries.SETTINGS:
            self._run(setting)
        self._run(queries.table(self._names, statistics.by))
        self._oddities()
        self._run(queries.NAMED)
        self._groups()
        self._times()
        self._slices()
        statistics.settle()
        statistics.slowest = self._slowest()
        return statistics

    def _run(self, query: str, *values: str) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = self._connection.execute(query, values).fetchall()
        return found

    def _oddities(self) -> None:
        ((future, misshapen),) = self._run(queries.ODDITIES)
        oddities = self._statistics.reading.tally.oddities
        oddities.update({kind: n for kind, n in ((FUTURE, future), (MISSHAPEN, misshapen)) if n})

    def _groups(self) -> None:
        for name, culprit, outcome, retried, count in self._run(queries.GROUPS):
            group = self._statistics.group(name)
            group.calls += count
            group.errors += count * (outcome != OK)
            group.retried += count * retried
            count_word(group.outcomes, outcome, count)
            count_word(group.culprits, culprit, count)

    def _times(self) -> None:
        for name, field, bucket, *found in self._run(queries.TIMES):
            times = self._statistics.group(name).times[field.removesuffix("_ms")]
            times.add_bucket(bucket, *found)

    def _slices(self) -> None:
        ((first, last),) = self._run(queries.SPAN)
        if first is None:
            return
        width = width_for(first, last)
        timeline = self._statistics.timeline = Timeline(width)
        for number, failed, retried, bucket, count, *extent in self._run(queries.slices(width)):
            found = timeline.at(number * width)
            found.calls += count
            found.errors += count * failed
            found.retried += count * retried
            found.durations.add_bucket(bucket, count, *extent)

    def _slowest(self) -> list[TraceResult]:
        most = most_of_each(self._number)
        if not most:
            return []
        slowest = (
            Wanted(culprit, *row)
            for (culprit,) in self._run(queries.CULPRITS)[:MAX_CULPRITS]
            for row in self._run(queries.slowest(most), culprit)
        )
        wanted = choose(slowest, self._number)
        lines = lines_of(self._names, wanted)
        if lines is None:
            lines = self._searched(wanted)
        found = map(drawable, lines)
        return choose((trace for trace in found if trace is not None), self._number)

    def _searched(self, wanted: list[Wanted]) -> list[bytes]:
        """Return the records of calls in files that are in no order of time: a second pass."""
        self._run(queries.WANTED)
        keys = [(call.trace_id, call.duration_ms) for call in wanted]
        self._connection.executemany("INSERT INTO wanted VALUES (?, ?)", keys)
        return [_without_nulls(line) for (line,) in self._run(queries.records(self._names))]


def _without_nulls(line: str) -> bytes:
    """What is absent from a record is null in a table."""
    fields: dict[str, Any] = msgspec.json.decode(line)
    return msgspec.json.encode({key: field for key, field in fields.items() if field is not None})


@contextmanager
def _told(connection: Any, progress: Progress, size: int) -> Iterator[None]:
    done = threading.Event()

    def tell() -> None:
        while not done.wait(_EVERY_S):
            progress(int(max(0.0, connection.query_progress()) / 100 * size))

    thread = threading.Thread(target=tell, name="tracedclient-report-progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
