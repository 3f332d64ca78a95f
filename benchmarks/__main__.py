"""``python -m benchmarks``: measure the rows and print the table."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.machine import load, machine, versions
from benchmarks.measure import Plan, measure
from benchmarks.rows import BASELINE, ROWS
from benchmarks.server import serving
from benchmarks.table import table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.measure import Cost
    from benchmarks.rows import Row


def main() -> None:
    """Run what the command line asks for."""
    options = _parser().parse_args()
    plan = Plan(options.blocks, options.requests, options.warm_up)
    _forget_environment()
    before = load()
    with serving() as address:
        costs = measure(options.rows, address, plan)
    loads = (before, load())
    page = f"{table(costs, BASELINE)}\n{_caption(plan, loads)}\n"
    print(page, end="")
    if options.markdown:
        options.markdown.write_text(page, encoding="utf-8")
    if options.json:
        record = json.dumps(_record(costs, plan, loads), indent=2)
        options.json.write_text(f"{record}\n", encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    plan = Plan()
    add = parser.add_argument
    add("--blocks", type=_count, default=plan.blocks, metavar="N", help="of each row (%(default)s)")
    add("--requests", type=_count, default=plan.requests, metavar="N", help="a block (%(default)s)")
    add("--warm-up", type=_count, default=plan.warm_up, metavar="N", help="requests (%(default)s)")
    add("--rows", type=_rows, default=ROWS, metavar="NAME,NAME", help=", ".join(_names()))
    add("--json", type=Path, metavar="FILE", help="write the raw numbers, versions and machine")
    add("--markdown", type=Path, metavar="FILE", help="write the table")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an int of 1 or more, not {text!r}")
    return int(text)


def _rows(text: str) -> Sequence[Row]:
    wanted = text.split(",")
    unknown = set(wanted) - set(_names())
    if unknown:
        raise argparse.ArgumentTypeError(
            f"there is no row {', '.join(sorted(unknown))}; there are {', '.join(_names())}"
        )
    return [row for row in ROWS if row.name in wanted]


def _names() -> list[str]:
    return [row.name for row in ROWS]


def _forget_environment() -> None:
    """Drop what requests would look at: a proxy would answer in the server's place."""
    for name in list(os.environ):
        if name.lower().endswith(("_proxy", "_ca_bundle")) or name == "NETRC":
            del os.environ[name]


def _caption(plan: Plan, loads: tuple[float | None, float | None]) -> str:
    before, after = ("?" if one is None else f"{one:.1f}" for one in loads)
    here = machine()
    return (
        f"{', '.join(f'{name} {version}' for name, version in versions().items())}; "
        f"{here['processors']} processors, load {before} before and {after} after, "
        f"{here['environment_variables']} environment variables; "
        f"{plan.blocks} blocks of {plan.requests} requests after {plan.warm_up} of warm-up."
    )


def _record(
    costs: Mapping[str, Sequence[Cost]], plan: Plan, loads: tuple[float | None, float | None]
) -> dict[str, object]:
    return {
        "versions": versions(),
        "machine": machine(),
        "load_before_and_after": loads,
        "plan": plan._asdict(),
        "baseline": BASELINE,
        "seconds_per_request": {
            name: [cost._asdict() for cost in blocks] for name, blocks in costs.items()
        },
    }


if __name__ == "__main__":
    main()
