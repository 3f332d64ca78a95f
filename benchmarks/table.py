"""Results → tables, in Markdown that also reads well in a terminal. Pure."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from benchmarks.bars import BARS, LIMITS
from benchmarks.peers import DO_OFF, REQUESTS
from benchmarks.results import cpus, ratio, walls
from benchmarks.scenarios import SCENARIOS
from benchmarks.starting import IMPORT_REQUESTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from benchmarks.bars import Bar, Limit
    from benchmarks.measure import Measured
    from benchmarks.results import Results
    from benchmarks.scenarios import Scenario
    from benchmarks.workers import Cost

_NOTHING = "–"  # noqa: RUF001 - a dash
_LABELS = {one.name: one.label for one in SCENARIOS} | {"import": "cold process"}


def bars_table(results: Results) -> str:
    """Return the table of the bars: what was measured, what it may be, and whether it is met."""
    head = ("what", "ratio, or number", "bar", "met")
    lines = [_bar_line(results, bar) for bar in BARS]
    lines += [_limit_line(results, limit) for limit in LIMITS]
    return aligned([head, *lines], numbers=(1, 2))


def _bar_line(results: Results, bar: Bar) -> tuple[str, ...]:
    found = results.ratio(bar)
    unit = ", requests per second" if bar.at_least else ""
    what = f"{_LABELS[bar.scenario]}{unit}: {bar.of} ÷ {bar.against}"
    if found is None:
        return what, _NOTHING, bar.said, "not measured"
    return what, str(found), bar.said, _yes(met=bar.is_met(found.median))


def _limit_line(results: Results, limit: Limit) -> tuple[str, ...]:
    found = results.numbers.get(limit.name)
    if found is None:
        return limit.title, _NOTHING, limit.said, "not measured"
    number = f"{found:.4g} {limit.unit}".rstrip()
    return limit.title, number, limit.said, _yes(met=limit.is_met(found))


def _yes(*, met: bool) -> str:
    return "yes" if met else "**no**"


def scenario_table(scenario: Scenario, measured: Measured) -> str:
    """Return the table of one scenario, cheapest row first, ratios to requests."""
    if scenario.by_wall:
        return _throughput_table(measured)
    head = ("row", "CPU µs", "wall µs", f"CPU ÷ {REQUESTS}", "segments sent")
    base = measured.costs.get(REQUESTS)
    lines = [
        (
            name,
            _micro(cpus(costs)),
            _micro(walls(costs)),
            str(ratio(cpus(costs), cpus(base))) if base else _NOTHING,
            str(measured.segments.get(name) or _NOTHING),
        )
        for name, costs in _cheapest_first(measured)
    ]
    return aligned([head, *lines], numbers=(1, 2, 3, 4))


def _throughput_table(measured: Measured) -> str:
    head = ("row", "requests per second", "CPU µs", f"requests per second ÷ {REQUESTS}")
    base = measured.costs.get(REQUESTS)
    lines = [
        (
            name,
            f"{1 / median(walls(costs)):.0f}",
            _micro(cpus(costs)),
            str(ratio(walls(base), walls(costs))) if base else _NOTHING,
        )
        for name, costs in _cheapest_first(measured, wall=True)
    ]
    return aligned([head, *lines], numbers=(1, 2, 3))


def imports_table(measured: Measured) -> str:
    """Return the table of what importing costs."""
    base = cpus(measured.costs[IMPORT_REQUESTS])
    lines = [
        (
            f"`{name}`",
            f"{median(cpus(costs)) * 1e3:.0f}",
            str(ratio(cpus(costs), base)),
        )
        for name, costs in _cheapest_first(measured)
    ]
    head = ("statement", "CPU ms", f"CPU ÷ {IMPORT_REQUESTS}")
    return aligned([head, *lines], numbers=(1, 2))


def winners(measured: Measured, *, by_wall: bool = False) -> str:
    """Say which peers beat ``HTTPClient.do`` with debug off; "" when that was not measured."""
    names = [name for name, _ in _cheapest_first(measured, wall=by_wall)]
    if DO_OFF not in names:
        return ""
    ahead = names[: names.index(DO_OFF)]
    verb = "Faster" if by_wall else "Cheaper"
    return f"{verb} than {DO_OFF}: {', '.join(ahead) or 'no other'}."


def _cheapest_first(measured: Measured, *, wall: bool = False) -> list[tuple[str, Sequence[Cost]]]:
    kind = walls if wall else cpus
    return sorted(measured.costs.items(), key=lambda item: median(kind(item[1])))


def _micro(seconds: Sequence[float]) -> str:
    return f"{median(seconds) * 1e6:,.0f}"


def aligned(lines: Sequence[Sequence[str]], numbers: Iterable[int]) -> str:
    """Return a Markdown table of the lines, the first its head; ``numbers`` are to the right."""
    right = set(numbers)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    rule = "|".join(
        "-" * (width + 1) + (":" if n in right else "-") for n, width in enumerate(widths)
    )
    rows = [
        " | ".join(
            cell.rjust(width) if n in right else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        for line in lines
    ]
    return "\n".join([f"| {rows[0]} |", f"|{rule}|", *(f"| {row} |" for row in rows[1:]), ""])
