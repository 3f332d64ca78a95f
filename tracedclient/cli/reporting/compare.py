"""Two sets of calls, before and after → what differs, in words, where there are calls enough to say.

Rates are compared by a test of two proportions, percentiles by their 99 % intervals. What could be
chance is not called a difference, and one that is too small to matter is not told.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from tracedclient.cli.quantities import counted, duration
from tracedclient.cli.reporting.calls import DURATION
from tracedclient.cli.reporting.findings import NOTHING, SHARES, Cell, Table, percent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tracedclient.cli.reporting.histogram import Histogram
    from tracedclient.cli.reporting.statistics import Group, Statistics

_Z = 2.576
"""Standard deviations that 99 % lie within."""
_LEAST_RATE = 0.001
_LEAST_MS = 1.0
_LEAST_TIMES = 1.1
_FEW = 20
_MAX_GROUPS = 20


class Pair(NamedTuple):
    """One number before and after."""

    before: Cell
    after: Cell


class Difference(NamedTuple):
    """What two numbers are of, and how they differ."""

    what: str
    cells: Pair
    words: str
    worse: bool | None
    """``None`` when there is no difference that the calls can show."""


def differences(before: Statistics, after: Statistics) -> list[Difference]:
    """Return the rates, the percentiles and the verdicts of both, in this order."""
    whole = before.whole, after.whole
    return [
        _rate("errors", *((group.errors, group.calls) for group in whole)),
        _rate("retried", *((group.retried, group.calls) for group in whole)),
        *_percentiles(*whole),
        *_verdicts(*whole),
    ]


def by_group(before: Statistics, after: Statistics) -> list[Difference]:
    """Return those differences of single groups that the calls can show; the worst errors first."""
    found = []
    for name in [*after.groups, *(name for name in before.groups if name not in after.groups)]:
        old, new = before.groups.get(name), after.groups.get(name)
        if old is None or new is None:
            found.append(_only_one(name, old, new))
            continue
        rate = _rate(f"{name}: errors", (old.errors, old.calls), (new.errors, new.calls))
        p95 = _percentile(f"{name}: p95", old.times[DURATION], new.times[DURATION], 0.95)
        found += [one for one in (rate, p95) if one.worse is not None]
    return sorted(found, key=lambda one: not one.worse)[:_MAX_GROUPS]


def tables(before: Statistics, after: Statistics) -> list[Table]:
    """Return both lists of differences as tables."""
    heads = ("", "before", "after", "difference")
    both = (
        ("Before and after", differences(before, after)),
        (f"Before and after, by {after.by}", by_group(before, after)),
    )
    note = (
        "A difference is told where it is unlikely to be chance (99 %) and not too small to matter: "
        "0.1 % of the calls, 1 ms and a tenth."
    )
    return [
        Table(title, heads, list(map(_row, found)), note, frozenset({3}))
        for title, found in both
        if found
    ]


def _row(one: Difference) -> tuple[Cell, ...]:
    return Cell(one.what), *one.cells, Cell(one.words)


def _rate(what: str, before: tuple[int, int], after: tuple[int, int]) -> Difference:
    cells = Pair(
        *(Cell(percent(*pair), pair[0] / pair[1] if pair[1] else None) for pair in (before, after))
    )
    old, new = cells[0].value, cells[1].value
    if old is None or new is None or min(before[1], after[1]) < _FEW:
        return Difference(what, cells, "too few calls to tell", None)
    pooled = (before[0] + after[0]) / (before[1] + after[1])
    error = math.sqrt(pooled * (1 - pooled) * (1 / before[1] + 1 / after[1]))
    if abs(new - old) < max(_Z * error, _LEAST_RATE):
        return Difference(what, cells, "no difference", None)
    return Difference(what, cells, _told(old, new), new > old)


def _percentiles(before: Group, after: Group) -> Iterator[Difference]:
    for name, old in before.times.items():
        new = after.times[name]
        if not old.count and not new.count:
            continue
        named = "whole call" if name == DURATION else name.replace("_", " ")
        for label, share in SHARES.items():
            if name == DURATION or label == "p95":
                yield _percentile(f"{named}: {label}", old, new, share)


def _percentile(what: str, before: Histogram, after: Histogram, share: float) -> Difference:
    old, new = before.percentile(share), after.percentile(share)
    cells = Pair(*(Cell(NOTHING) if ms is None else Cell(duration(ms), ms) for ms in (old, new)))
    spans = before.interval(share), after.interval(share)
    if old is None or new is None or spans[0] is None or spans[1] is None:
        return Difference(what, cells, "too few calls to tell", None)
    apart = spans[0][1] < spans[1][0] or spans[1][1] < spans[0][0]
    enough = abs(new - old) >= _LEAST_MS and max(old, new) >= _LEAST_TIMES * min(old, new)
    if not (apart and enough):
        return Difference(what, cells, "no difference", None)
    return Difference(what, cells, _told(old, new), new > old)


def _verdicts(before: Group, after: Group) -> Iterator[Difference]:
    for culprit in {**after.culprits, **before.culprits}:
        if culprit != "none":
            old, new = before.culprits[culprit], after.culprits[culprit]
            yield _rate(f"verdict: {culprit}", (old, before.calls), (new, after.calls))


def _only_one(name: str, before: Group | None, after: Group | None) -> Difference:
    cells = Pair(*(Cell(NOTHING if one is None else f"{one.calls:,}") for one in (before, after)))
    there = after or before
    many = counted(there.calls if there else 0, "call", "calls")
    return Difference(name, cells, f"only {'after' if after else 'before'}: {many}", None)


def _told(old: float, new: float) -> str:
    low, high = min(old, new), max(old, new)
    if low <= 0:
        return "rose from none" if new > old else "fell to none"
    factor = f"{high / low:.1f}" if high < 10 * low else f"{high / low:.0f}"
    return f"rose to {factor} times as much" if new > old else f"fell to 1 / {factor}"
