"""Results → docs/benchmarks.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.scenarios import SCENARIOS
from benchmarks.table import bars_table, imports_table, scenario_table, winners

if TYPE_CHECKING:
    from benchmarks.results import Results

_TOP = """\
# What a request costs

Written by `python -m benchmarks`, in one run; [benchmarks/](../benchmarks/README.md) says what is measured and how.
Figures are CPU time of the client's process for one request, time in the kernel included; medians of all blocks. A ratio
is that of two rows in one round: the median of all rounds, with the least and the greatest. Compare ratios, and those of
one run only. Every peer did the same work: the server counted its requests and connections, and its request was looked at.

![CPU time of each client for one request, as a ratio to requests](benchmarks.svg)

## Bars

What this project holds itself to. "no" is a bar that is not met.

"""


def page(results: Results, about: str) -> str:
    """Return the page; ``about`` says what was measured with, and where."""
    parts = [_TOP, bars_table(results), "\n", about, "\n"]
    parts += [f"\nNot measured: {name}: {why}.\n" for name, why in results.failed.items()]
    for scenario in SCENARIOS:
        measured = results.scenarios.get(scenario.name)
        if measured is None:
            continue
        title = scenario.title[0].upper() + scenario.title[1:]
        said = " ".join(filter(None, (scenario.note, winners(measured, by_wall=scenario.by_wall))))
        parts.append(f"\n## {title}\n\n{scenario_table(scenario, measured)}\n{said}\n")
    imports = results.scenarios.get("import")
    if imports is not None:
        parts.append(f"\n## Import, in a cold process\n\n{imports_table(imports)}")
    for name, printed in results.parts.items():
        parts.append(f"\n## {name}\n\n```\n{printed}```\n")
    return "".join(parts)
