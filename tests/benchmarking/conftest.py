"""Makes ``benchmarks`` importable where the tests run on an installed wheel.

The checkout itself must not be on the path: its ``tracedclient`` would hide the installed one.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

_HOME = Path(__file__).parents[2] / "benchmarks"

if "benchmarks" not in sys.modules:
    spec = spec_from_file_location("benchmarks", _HOME / "__init__.py")
    package = sys.modules["benchmarks"] = module_from_spec(spec)
    spec.loader.exec_module(package)


@pytest.fixture(scope="session")
def bench():
    """Our own server, in its process, with what a benchmark needs."""
    from benchmarks import run

    with run.bench("own", {}) as on:
        yield on


@pytest.fixture
def results():
    """``requests`` at 500 µs, ``HTTPClient.do`` at 150 µs, in two rounds of one scenario."""
    from benchmarks.measure import Measured
    from benchmarks.peers import DO_OFF, RAW, REQUESTS
    from benchmarks.results import Results
    from benchmarks.workers import Cost

    def cost(microseconds):
        return Cost(microseconds * 1e-6, microseconds * 2e-6)

    costs = {
        REQUESTS: [cost(500), cost(520)],
        DO_OFF: [cost(150), cost(208)],
        RAW: [cost(5), cost(5)],
    }
    return Results({"get": Measured(costs, {DO_OFF: 1})}, {"threads": 2.0})
