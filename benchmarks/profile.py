"""``python -m benchmarks.profile``: where the CPU time of a request goes, as flame graphs.

Writes docs/flame-debug-off.svg and docs/flame-debug-on.svg, of a keep-alive GET, and the table of its
parts into docs/performance.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from benchmarks.flame import flame_graph, tree
from benchmarks.peers import DO_OFF, DO_ON
from benchmarks.run import bench
from benchmarks.scenarios import SCENARIOS, scenario
from benchmarks.shares import shares, table
from benchmarks.workers import Worker

_DOCS = Path(__file__).parent.parent / "docs"
_PICTURES = {DO_OFF: "flame-debug-off.svg", DO_ON: "flame-debug-on.svg"}
_BEGIN, _END = "<!-- parts -->", "<!-- end of parts -->"
_ROOT = "(benchmarks/peers/own.py)"
"""In whose lambda a request begins."""


def main() -> None:
    """Profile both rows and write their pictures."""
    parser = argparse.ArgumentParser("python -m benchmarks.profile", description=__doc__)
    add = parser.add_argument
    names = [one.name for one in SCENARIOS]
    add("--requests", type=int, default=50_000, metavar="N", help="of each row (%(default)s)")
    add("--scenario", choices=names, default="get", help="(%(default)s)")
    add("--to", type=Path, default=_DOCS, metavar="DIRECTORY", help="(docs)")
    options = parser.parse_args()
    chosen = scenario(options.scenario)
    found = []
    with bench("auto", {}) as on:
        job = on.job(chosen, on.server)
        for row, picture in _PICTURES.items():
            with Worker(row, environment=chosen.environment(on.server)) as worker:
                worker.open(job)
                stacks = worker.profile(options.requests)
            root = tree(stacks, _ROOT)
            title = f"{row}: {chosen.title}. CPU time, {root.samples} samples"
            (options.to / picture).write_text(flame_graph(root, title), encoding="utf-8")
            print(f"{options.to / picture}: {root.samples} samples")
            found.append(shares(root))
    told = table(*found)
    print(told)
    if options.scenario == "get":
        _put_into(options.to / "performance.md", told)


def _put_into(page: Path, told: str) -> None:
    """Put the table in the place of the one that is there."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(_BEGIN)
    _, end, after = rest.partition(_END)
    page.write_text(f"{before}{begin}\n{told}\n{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
