"""``python -m benchmarks``: measure, print the tables, and write docs/benchmarks.md and .svg."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.chart import chart
from benchmarks.environments import environments
from benchmarks.guard import guard
from benchmarks.machine import load, machine, versions
from benchmarks.measure import Plan
from benchmarks.page import page
from benchmarks.peers import PEERS
from benchmarks.results import Results
from benchmarks.run import (
    bench,
    run_imports,
    run_leftovers,
    run_memory,
    run_parts,
    run_scenarios,
)
from benchmarks.scenarios import SCENARIOS
from benchmarks.workers import VARIABLES
from tracedclient._version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_DOCS = Path(__file__).parent.parent / "docs"
_MILLION = 1_000_000
_OTHERS = ("import", "leftovers", "parts")


def main() -> None:
    """Run what the command line asks for."""
    options = _parser().parse_args()
    if options.guard:
        sys.exit(guard())
    results = Results()
    about = _measure(options, results)
    text = page(results, about)
    print(text, end="")
    if results.failed:
        sys.exit(1)
    if _is_whole(options):
        (_DOCS / "benchmarks.md").write_text(text, encoding="utf-8")
        (_DOCS / "benchmarks.svg").write_text(chart(results), encoding="utf-8")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    plan = Plan()
    add = parser.add_argument
    add("--guard", action="store_true", help="the short form: fail if a bar is missed by a third")
    add("--memory", action="store_true", help="also whether memory grows; it takes long")
    add("--server", choices=("auto", "own", "nginx"), default="auto", help="(%(default)s)")
    some = parser.add_argument_group("some of it, printed only")
    add = some.add_argument
    scenarios = [*(one.name for one in SCENARIOS), *_OTHERS]
    add("--scenarios", type=_some(scenarios), metavar="NAME,NAME", help=", ".join(scenarios))
    add("--rows", type=_some(list(PEERS)), metavar="NAME,NAME", help="; ".join(PEERS))
    add("--starts", type=_count, default=plan.starts, metavar="N", help="processes of each row")
    add("--blocks", type=_count, default=plan.blocks, metavar="N", help="in each process")
    add("--scale", type=float, default=plan.scale, metavar="X", help="times as many requests")
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be an int of 1 or more, not {text!r}")
    return int(text)


def _some(names: Sequence[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        # Names of rows have commas in them.
        wanted = [name for name in names if f",{name}," in f",{text},"]
        if len(",".join(wanted)) != len(text):
            raise argparse.ArgumentTypeError(f"{text!r}: there are {'; '.join(names)}")
        return wanted

    return parse


def _is_whole(options: argparse.Namespace) -> bool:
    plan = Plan(options.starts, options.blocks, options.scale)
    return plan == Plan() and not options.scenarios and not options.rows


def _measure(options: argparse.Namespace, results: Results) -> str:
    """Measure what is asked for; return what it was measured with, and where."""
    plan = Plan(options.starts, options.blocks, options.scale)
    wanted = options.scenarios or [*(one.name for one in SCENARIOS), *_OTHERS]
    scenarios = [one for one in SCENARIOS if one.name in wanted]
    rows = {one.name: options.rows or one.rows for one in scenarios}
    before = load()
    with bench(options.server, environments()) as on:
        run_scenarios(scenarios, on, plan, results, rows)
        if "import" in wanted:
            run_imports(plan.starts * plan.blocks, results)
        if "leftovers" in wanted:
            run_leftovers(on, results)
        if "parts" in wanted:
            run_parts(results)
        if options.memory:
            run_memory(on, _MILLION, results)
        used = versions(options.rows or PEERS, on.environments)
    return _about(plan, used, on.server.name, (before, load()))


def _about(
    plan: Plan, used: dict[str, str], server: str, loads: tuple[float | None, float | None]
) -> str:
    before, after = ("?" if one is None else f"{one:.1f}" for one in loads)
    with_what = {"tracedclient": __version__, **used}
    lines = (
        f"{', '.join(f'{name} {version}' for name, version in with_what.items())}.",
        (
            f"Server on loopback, in a process of its own: {server}. {machine()}; load {before} before "
            f"and {after} after."
        ),
        (
            f"{plan.starts * plan.blocks} blocks of each row, in {plan.starts} processes with {VARIABLES} "
            "environment variables."
        ),
    )
    return "".join(f"{textwrap.fill(line, 118, break_on_hyphens=False)}\n" for line in lines)


if __name__ == "__main__":
    main()
