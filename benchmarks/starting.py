"""What importing costs, each time in a process that has nothing loaded."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measure import Measured
from benchmarks.workers import CHECKOUT, Cost, plain_environment

IMPORT_REQUESTS = "import requests"
IMPORT_CLIENT = "from tracedclient import HTTPClient"
MAKE_CLIENT = "from tracedclient import HTTPClient; HTTPClient()"
STATEMENTS = (
    IMPORT_REQUESTS,
    "import requests; requests.Session()",
    "import tracedclient",
    IMPORT_CLIENT,
    MAKE_CLIENT,
)
"""The names of a package of ours are loaded when they are asked for, so the bar asks for one."""

_TIMED = """
import time
cpu, wall = time.process_time(), time.perf_counter()
{}
print(time.process_time() - cpu, time.perf_counter() - wall)
"""


STARTS = 3
"""Processes for each block: one alone comes out a tenth dearer or cheaper than the next."""


def measure_imports(blocks: int) -> Measured:
    """Return what each statement costs, in turn, ``STARTS`` times for each of ``blocks``, after one
    that compiles.
    """
    measured = Measured({statement: [] for statement in STATEMENTS})
    for start in range(STARTS * blocks + 1):
        for statement in STATEMENTS:
            cost = _cost(statement)
            if start:
                measured.costs[statement].append(cost)
    return measured


def _cost(statement: str) -> Cost:
    told = subprocess.run(
        [sys.executable, "-c", _TIMED.format(statement)],
        cwd=CHECKOUT,
        env=plain_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    return Cost(*map(float, told.stdout.split()))
