"""Costs → the table, in Markdown that also reads well in a terminal."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.measure import Cost

_HEADERS = ("row", "CPU µs", "wall µs", "CPU ratio", "wall ratio")


def table(costs: Mapping[str, Sequence[Cost]], baseline: str) -> str:
    """Return the table: medians of the blocks, and of the ratios to ``baseline`` in each round.

    A ratio is followed by its least and greatest: a wide span says that the machine was busy. There
    are no ratios when ``baseline`` was not measured.
    """
    lines = [_HEADERS, *(_line(name, of, costs.get(baseline)) for name, of in costs.items())]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    head, *body = (_aligned(line, widths) for line in lines)
    rule = f"|{'-' * (widths[0] + 2)}|" + "".join(f"{'-' * (width + 1)}:|" for width in widths[1:])
    return "\n".join([head, rule, *body, ""])


def _line(name: str, costs: Sequence[Cost], baseline: Sequence[Cost] | None) -> tuple[str, ...]:
    cpu, wall = [cost.cpu for cost in costs], [cost.wall for cost in costs]
    if baseline is None:
        return name, _microseconds(cpu), _microseconds(wall), "–", "–"  # noqa: RUF001 - a dash
    return (
        name,
        _microseconds(cpu),
        _microseconds(wall),
        _ratio(cpu, [cost.cpu for cost in baseline]),
        _ratio(wall, [cost.wall for cost in baseline]),
    )


def _microseconds(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1e6:.0f}"


def _ratio(seconds: Sequence[float], baseline: Sequence[float]) -> str:
    ratios = [mine / base for mine, base in zip(seconds, baseline, strict=True)]
    return f"{median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    name, *numbers = cells
    aligned = [
        name.ljust(widths[0]),
        *(number.rjust(width) for number, width in zip(numbers, widths[1:], strict=True)),
    ]
    return f"| {' | '.join(aligned)} |"
