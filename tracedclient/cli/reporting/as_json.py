"""A report as one JSON object, for programs: numbers without units, absent where there are none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tracedclient.cli.reporting.calls import iso
from tracedclient.cli.reporting.compare import by_group, differences
from tracedclient.cli.reporting.findings import SHARES

if TYPE_CHECKING:
    from tracedclient.cli.reporting.compare import Difference
    from tracedclient.cli.reporting.histogram import Histogram
    from tracedclient.cli.reporting.statistics import Group, Statistics
    from tracedclient.cli.reporting.timeline import Slice

SCHEMA = "tracedclient.report/1"


def to_json(statistics: Statistics, before: Statistics | None) -> str:
    """Return the report on one line, with its newline; of ``before`` the counts and differences."""
    report: dict[str, Any] = {"schema": SCHEMA, **_counts(statistics)}
    report["slowest"] = [msgspec.to_builtins(trace) for trace in statistics.slowest]
    if before is not None:
        report["before"] = _counts(before)
        report["differences"] = [
            _difference(one)
            for one in (*differences(before, statistics), *by_group(before, statistics))
        ]
    return msgspec.json.encode(report).decode() + "\n"


def _counts(statistics: Statistics) -> dict[str, Any]:
    reading = statistics.reading
    return {
        "read": {
            "engine": reading.engine,
            "files": reading.files,
            "bytes": reading.tally.bytes,
            "oddities": dict(reading.tally.oddities),
            "unreadable": [one._asdict() for one in reading.tally.unreadable],
        },
        "by": statistics.by,
        "all": _group(statistics.whole),
        "groups": {name: _group(group) for name, group in statistics.groups.items()},
        "slice_s": statistics.timeline.width_s,
        "over_time": [{"from": iso(at), **_slice(found)} for at, found in statistics.timeline],
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "calls": group.calls,
        "errors": group.errors,
        "retried": group.retried,
        "outcomes": dict(group.outcomes.most_common()),
        "culprits": dict(group.culprits.most_common()),
        "ms": {name: _times(times) for name, times in group.times.items() if times.count},
    }


def _slice(found: Slice) -> dict[str, Any]:
    return {
        "calls": found.calls,
        "errors": found.errors,
        "retried": found.retried,
        "ms": _percentiles(found.durations),
    }


def _times(times: Histogram) -> dict[str, Any]:
    exact = {"n": times.count, "sum": round(times.total, 3), "min": times.least, "max": times.most}
    return exact | _percentiles(times)


def _percentiles(times: Histogram) -> dict[str, float]:
    found = {name: times.percentile(share) for name, share in SHARES.items()}
    return {name: round(ms, 3) for name, ms in found.items() if ms is not None}


def _difference(one: Difference) -> dict[str, Any]:
    return {
        "what": one.what,
        "before": one.cells.before.value,
        "after": one.cells.after.value,
        "words": one.words,
        "worse": one.worse,
    }
