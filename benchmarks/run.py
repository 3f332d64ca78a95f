"""Everything that is measured, in one run."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import answers
from benchmarks.certificate import issue
from benchmarks.leftovers import measure_leftovers
from benchmarks.measure import Bench, measure
from benchmarks.memory import measure_growth
from benchmarks.parts import measure_parts
from benchmarks.peers import DO_OFF
from benchmarks.serving import nginx, own_server
from benchmarks.starting import measure_imports

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from benchmarks.measure import Plan
    from benchmarks.results import Results
    from benchmarks.scenarios import Scenario


@contextmanager
def bench(server: str, environments: Mapping[str, Path]) -> Iterator[Bench]:
    """Start the servers: ``server`` is "own", "nginx", or "auto" for nginx where it is installed."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        certificate = issue(directory)
        upload = directory / "upload"
        upload.write_bytes(b"\1" * answers.MEGABYTES_10)
        own = measured = stack.enter_context(own_server(certificate))
        if server == "nginx" or (server == "auto" and shutil.which("nginx")):
            measured = stack.enter_context(nginx(certificate, own))
        yield Bench(measured, own, certificate.bundle, upload, environments)


def run_scenarios(
    scenarios: Iterable[Scenario],
    on: Bench,
    plan: Plan,
    results: Results,
    rows: Mapping[str, Iterable[str]] | None = None,
) -> None:
    """Measure scenarios into ``results``; by name, ``rows`` may say which of theirs.

    Of one that fails ``results`` has the reason.
    """
    for scenario in scenarios:
        print(f"{scenario.name} …", file=sys.stderr)
        only = rows[scenario.name] if rows else None
        try:
            measured = measure(scenario, on, plan, only)
        except RuntimeError as error:
            # The others are worth having still.
            print(f"{scenario.name}: {error}", file=sys.stderr)
            results.failed[scenario.name] = str(error)
            continue
        results.scenarios[scenario.name] = measured
        if scenario.name == "post" and measured.segments.get(DO_OFF):
            results.numbers["segments"] = measured.segments[DO_OFF]


def run_imports(blocks: int, results: Results) -> None:
    """Measure what importing costs into ``results``."""
    print("import …", file=sys.stderr)
    results.scenarios["import"] = measure_imports(blocks)


def run_leftovers(on: Bench, results: Results) -> None:
    """Measure into ``results`` what closed clients leave."""
    print("leftovers …", file=sys.stderr)
    left = measure_leftovers(on.server.url(answers.PATH))
    results.numbers["descriptors"] = left.descriptors
    results.numbers["threads"] = left.threads
    results.numbers["held"] = left.held / 1000


def run_parts(results: Results) -> None:
    """Let the benchmarks of single parts run, and keep in ``results`` what they print."""
    print("parts …", file=sys.stderr)
    results.parts = measure_parts()


def run_memory(on: Bench, requests: int, results: Results) -> None:
    """Measure into ``results`` by how much a client grows over so many requests."""
    print("memory …", file=sys.stderr)
    results.numbers["growth"] = measure_growth(on.server, requests) / 1e6
