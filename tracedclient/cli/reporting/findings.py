"""Statistics → tables, the same for every format. A number that cannot be told is a dash."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.quantities import counted, duration, size
from tracedclient.cli.reporting.calls import DURATION, iso
from tracedclient.trace.model import PHASES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tracedclient.cli.reporting.histogram import Histogram
    from tracedclient.cli.reporting.statistics import Group, Reading, Statistics

SHARES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}
NOTHING = "-"
SAMPLE = (
    "Only traced calls are in a log: those that the debug flag chose, and not all traffic. A "
    "percentile of too few calls is left out: 20 for p50 and p95, 100 for p99."
)


class Cell(NamedTuple):
    """What a reader sees, and what it is sorted by."""

    text: str
    value: float | None = None


class Table(NamedTuple):
    """Rows under heads. The first column names the row; the others are numbers, but for ``words``."""

    title: str
    heads: tuple[str, ...]
    rows: Sequence[tuple[Cell, ...]]
    note: str = ""
    words: frozenset[int] = frozenset()
    """Numbers of the further columns that hold words."""


def tables(statistics: Statistics) -> list[Table]:
    """Return all tables of a report."""
    return [phases(statistics), verdicts(statistics), groups(statistics), over_time(statistics)]


def phases(statistics: Statistics) -> Table:
    """Return how long each phase took, where it took place."""
    whole = statistics.whole
    rows = [
        (
            Cell("whole call" if name == DURATION else name.replace("_", " ")),
            _count(times.count),
            *(_ms(times.percentile(share)) for share in SHARES.values()),
            _ms(times.most),
            Cell(NOTHING) if name == DURATION else _share(times.total, whole.times[DURATION].total),
        )
        for name, times in whole.times.items()
        if times.count
    ]
    note = (
        "Only calls in which the phase took place are counted: a reused connection has no dns, "
        "connect and tls."
    )
    return Table("Phases", ("phase", "calls", *SHARES, "max", "of all time"), rows, note)


def verdicts(statistics: Statistics) -> Table:
    """Return whose fault it was, how often, where most, and in words for the slowest of them."""
    whole = statistics.whole
    rows = [
        (
            Cell("none: no fault found" if culprit == "none" else culprit),
            _count(count),
            _share(count, whole.calls),
            Cell(_mostly(statistics, culprit)),
            Cell(_sentence(statistics, culprit)),
        )
        for culprit, count in whole.culprits.most_common()
    ]
    heads = ("verdict", "calls", "of all", f"most at ({statistics.by})", "the slowest of them")
    return Table("Whose fault it was", heads, rows, words=frozenset({3, 4}))


def groups(statistics: Statistics) -> Table:
    """Return the table by host, or by what else was asked for; the largest groups first."""
    shown = [
        name
        for name in (*PHASES, "retry_sleep")
        if any(g.times[name].count for g in statistics.groups.values())
    ]
    rows = [
        (Cell(name), *_group(group), *(_p95(group.times[phase]) for phase in shown))
        for name, group in statistics.groups.items()
    ]
    heads = (
        statistics.by,
        *("calls", "errors", "retried", *SHARES),
        *(f"{name.replace('_', ' ')} p95" for name in shown),
    )
    return Table(f"By {statistics.by}", heads, rows)


def over_time(statistics: Statistics) -> Table:
    """Return the slices of time that have calls."""
    rows = [
        (
            Cell(iso(begins)),
            _count(found.calls),
            _share(found.errors, found.calls),
            _share(found.retried, found.calls),
            _ms(found.durations.percentile(0.5)),
            _ms(found.durations.percentile(0.95)),
        )
        for begins, found in statistics.timeline
    ]
    width = _width(statistics.timeline.width_s)
    heads = ("from (UTC)", "calls", "errors", "retried", "p50", "p95")
    return Table("Over time", heads, rows, f"In slices of {width}, by when a call began.")


def key_figures(statistics: Statistics) -> list[tuple[str, str]]:
    """Return what a reader wants first: names and values."""
    whole = statistics.whole
    times = whole.times[DURATION]
    return [
        ("calls", f"{whole.calls:,}"),
        ("errors", percent(whole.errors, whole.calls)),
        ("retried", percent(whole.retried, whole.calls)),
        *((name, _ms(times.percentile(share)).text) for name, share in SHARES.items()),
    ]


def span(statistics: Statistics) -> str:
    """Return from when to when the calls began."""
    begins = [at for at, _ in statistics.timeline]
    return f"{iso(begins[0])} to {iso(begins[-1] + statistics.timeline.width_s)}" if begins else ""


def sources(reading: Reading) -> str:
    """Return what was read."""
    files = reading.files
    named = files[0] if len(files) == 1 else counted(len(files), "file", "files")
    uncounted = "" if reading.tells_half else ", which does not count lines that are not whole"
    read = f"{size(reading.tally.bytes)}, read by {reading.engine}{uncounted}"
    return f"{named if files else 'nothing'}, {read}"


def left_out(reading: Reading) -> Iterator[str]:
    """Yield what was left out or is not what it seems, in words."""
    tally = reading.tally
    for oddity, number in tally.oddities.items():
        yield f"{counted(number, 'line', 'lines')} {oddity}"
    for name, why in tally.unreadable:
        yield f"cannot read {name}: {why}"
    for name in tally.unordered:
        yield f"{name} is not in order of time: all of it was read"


def percent(part: float, whole: float) -> str:
    """Return a share in per cent with the digits that matter; 0 only for none at all."""
    if not whole:
        return NOTHING
    share = 100 * part / whole
    if part and share < 0.01:
        return "< 0.01 %"
    return f"{share:.2f} %" if 0 < share < 1 else f"{share:.1f} %"


def _group(group: Group) -> Iterable[Cell]:
    yield _count(group.calls)
    yield _share(group.errors, group.calls)
    yield _share(group.retried, group.calls)
    for share in SHARES.values():
        yield _ms(group.times[DURATION].percentile(share))


def _count(number: int) -> Cell:
    return Cell(f"{number:,}", number)


def _share(part: float, whole: float) -> Cell:
    return Cell(percent(part, whole), part / whole if whole else None)


def _ms(ms: float | None) -> Cell:
    return Cell(NOTHING) if ms is None else Cell(duration(ms), ms)


def _p95(times: Histogram) -> Cell:
    return _ms(times.percentile(0.95))


def _mostly(statistics: Statistics, culprit: str) -> str:
    found = ((group.culprits[culprit], name) for name, group in statistics.groups.items())
    count, name = max(found)
    return f"{name} ({percent(count, statistics.whole.culprits[culprit])})"


def _sentence(statistics: Statistics, culprit: str) -> str:
    traces = (trace for trace in statistics.slowest if trace.verdict_culprit == culprit)
    return next((trace.verdict_sentence or "" for trace in traces), "") or NOTHING


def _width(seconds: int) -> str:
    for unit, name in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds % unit == 0:
            return counted(seconds // unit, name, f"{name}s")
    return counted(seconds, "second", "seconds")
