"""The guard: a short run that fails when a ratio is more than a third over its bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bars import BARS, LIMITS, Bar, Limit
from benchmarks.measure import Plan
from benchmarks.results import Results, number_of
from benchmarks.run import bench, run_imports, run_leftovers, run_scenarios
from benchmarks.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from benchmarks.measure import Bench

_BOTH: tuple[Bar | Limit, ...] = (*BARS, *LIMITS)
_WATCHED = [one for one in _BOTH if one.guarded]
_FIRST = Plan(starts=1, blocks=7, scale=0.2, most=250)
_AGAIN = Plan(starts=2, blocks=9, scale=0.2, most=250)


def guard() -> int:
    """Measure what is watched, and print how it stands; return what the process is to exit with.

    The rows are those that need no other library. What has failed is measured once more, longer,
    before it counts: noise passes, a lost fast path stays.
    """
    with bench("own", {}) as on:
        failed = failures(_WATCHED, _measured(_WATCHED, on, _FIRST))
        if failed:
            print("\n".join([*failed.values(), "measuring those once more"]))
            failed = failures(failed, _measured(failed, on, _AGAIN))
    for said in failed.values():
        print(f"FAILED {said}")
    print(f"{len(_WATCHED) - len(failed)} of {len(_WATCHED)} are within a third of their bars")
    return 1 if failed else 0


def failures(watched: Iterable[Bar | Limit], results: Results) -> dict[Bar | Limit, str]:
    """Return what is more than a third over its bar, or was not measured, each in words."""
    found: dict[Bar | Limit, str] = {}
    for one in watched:
        number = number_of(one, results)
        if number is None:
            found[one] = f"{one.name}: not measured"
        elif not one.is_held(number):
            found[one] = f"{one.name}: {number:.3g}, the bar is {one.said}"
    return found


def needed(watched: Iterable[Bar | Limit]) -> dict[str, set[str]]:
    """Return the rows that must be measured, by the name of what measures them."""
    rows: dict[str, set[str]] = {}
    for one in watched:
        rows.setdefault(one.scenario, set()).update(one.rows)
    return rows


def _measured(watched: Iterable[Bar | Limit], on: Bench, plan: Plan) -> Results:
    results, rows = Results(), needed(watched)
    scenarios = [one for one in SCENARIOS if one.name in rows]
    run_scenarios(scenarios, on, plan, results, rows)
    if "import" in rows:
        run_imports(plan.starts * plan.blocks, results)
    if "leftovers" in rows:
        run_leftovers(on, results)
    return results
