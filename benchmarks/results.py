"""What was measured → ratios with their spread, and whether the bars are met. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.bars import Limit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.bars import Bar
    from benchmarks.measure import Measured
    from benchmarks.workers import Cost


class Ratio(NamedTuple):
    """The median of the ratios of all rounds, the least and the greatest of them."""

    median: float
    least: float
    greatest: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f} to {self.greatest:.2f})"


@dataclass
class Results:
    """All that was measured: scenarios by name, numbers that stand alone by theirs, and by title
    what the benchmarks of single parts printed. ``failed`` says by scenario why one is missing.
    """

    scenarios: dict[str, Measured] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)

    def ratio(self, bar: Bar) -> Ratio | None:
        """Return the ratio that a bar is about; ``None`` when it was not measured."""
        measured = self.scenarios.get(bar.scenario)
        costs: Mapping[str, Sequence[Cost]] = measured.costs if measured else {}
        if bar.of not in costs or bar.against not in costs:
            return None
        if bar.at_least:
            return ratio(walls(costs[bar.against]), walls(costs[bar.of]))
        return ratio(cpus(costs[bar.of]), cpus(costs[bar.against]))


def number_of(one: Bar | Limit, results: Results) -> float | None:
    """Return the median ratio or the number; ``None`` when it was not measured."""
    if isinstance(one, Limit):
        return results.numbers.get(one.name)
    found = results.ratio(one)
    return None if found is None else found.median


def ratio(of: Sequence[float], against: Sequence[float]) -> Ratio:
    """Return the ratio round by round: of numbers that were measured one after the other."""
    each = [mine / other for mine, other in zip(of, against, strict=True)]
    return Ratio(median(each), min(each), max(each))


def cpus(costs: Sequence[Cost]) -> list[float]:
    """Return the CPU seconds."""
    return [cost.cpu for cost in costs]


def walls(costs: Sequence[Cost]) -> list[float]:
    """Return the seconds that passed."""
    return [cost.wall for cost in costs]
