"""A scenario → what a request of each of its rows costs, block by block in turn."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.placing import on_one_processor
from benchmarks.sameness import check_request
from benchmarks.serving import Counted
from benchmarks.workers import Cost, Worker, python_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from benchmarks.job import Job
    from benchmarks.scenarios import Scenario
    from benchmarks.serving import Server


class Plan(NamedTuple):
    """How much is measured.

    starts   how often each row gets a fresh process: two processes of one program differ
    blocks   of each row in each of its processes
    scale    by which the scenarios' numbers of requests are multiplied
    most     requests of a block, whatever the scenario says
    """

    starts: int = 2
    blocks: int = 4
    scale: float = 1.0
    most: int = 1_000_000

    def requests(self, scenario: Scenario) -> int:
        """Return how many requests a block of this scenario has."""
        wanted = min(int(scenario.requests * self.scale), self.most)
        return max(wanted, scenario.job.threads, 2)

    def blocks_of_starts(self, scenario: Scenario) -> list[int]:
        """Return for each start how many blocks follow it."""
        if scenario.one_start:
            return [self.starts * self.blocks]
        return [self.blocks] * self.starts


class Bench(NamedTuple):
    """What is measured against.

    server        answers what is measured
    inspector     our own server, which tells what it was asked
    bundle        the CA bundle of the clients
    upload        the file that is uploaded
    environments  interpreters of the peers that need their own
    """

    server: Server
    inspector: Server
    bundle: Path
    upload: Path
    environments: Mapping[str, Path]

    def job(self, scenario: Scenario, server: Server) -> Job:
        """Return the scenario's job, addressed to ``server``."""
        return scenario.job_at(server, self.bundle, self.upload)


@dataclass
class Measured:
    """What a scenario cost.

    costs     of each row, one for each block; the n-th of all rows were measured in one round
    segments  TCP segments with data that one request took, where that is known
    """

    costs: dict[str, list[Cost]] = field(default_factory=dict)
    segments: dict[str, int] = field(default_factory=dict)


def measure(
    scenario: Scenario, bench: Bench, plan: Plan, rows: Iterable[str] | None = None
) -> Measured:
    """Return what the rows of a scenario cost; all of them unless ``rows`` names some.

    Block ``n`` of every row is measured before block ``n + 1`` of any: what disturbs the machine for
    a while disturbs all rows alike, and a ratio within one round holds.

    Raises ``RuntimeError`` when a row does not do the scenario's work: another request, another
    answer, other connections than it should open.
    """
    measured = Measured()
    wanted = set(scenario.rows if rows is None else rows)
    names = [name for name in scenario.rows if name in wanted]
    names = [name for name in names if python_of(name, bench.environments)]
    for name in names:
        measured.segments[name] = _inspect(scenario, bench, name)
    for blocks in plan.blocks_of_starts(scenario):
        with ExitStack() as processes:
            if scenario.one_place:
                processes.enter_context(on_one_processor(bench.server.pid))
            workers = _opened(scenario, bench, names, processes)
            _warm_up(scenario, bench, workers, plan)
            for _ in range(blocks):
                for worker in workers:
                    cost = _block(scenario, bench, worker, plan.requests(scenario))
                    measured.costs.setdefault(worker.name, []).append(cost)
    return measured


def _inspect(scenario: Scenario, bench: Bench, name: str) -> int:
    """Return how many segments one request takes, having seen that it is the right one."""
    job, inspector = bench.job(scenario, bench.inspector), bench.inspector
    with _worker(scenario, bench, name, inspector) as worker:
        worker.open(job)
        before = inspector.seen()
        worker.run(1, job)
        seen = inspector.seen()
    check_request(name, scenario, job, seen)
    connections = seen["connections"] - before["connections"]
    requests = seen["requests"] - before["requests"]
    _check_counts(name, scenario, Counted(connections, requests), 1)
    return int(seen["segments"] - before["segments"])


def _opened(
    scenario: Scenario, bench: Bench, names: list[str], processes: ExitStack
) -> list[Worker]:
    """Start a process for each row, and open its client there."""
    workers = []
    for name in names:
        worker = _worker(scenario, bench, name, bench.server)
        workers.append(processes.enter_context(worker))
        worker.open(bench.job(scenario, bench.server))
    return workers


def _worker(scenario: Scenario, bench: Bench, name: str, server: Server) -> Worker:
    python = python_of(name, bench.environments)
    assert python is not None
    return Worker(name, python, scenario.environment(server))


def _warm_up(scenario: Scenario, bench: Bench, workers: list[Worker], plan: Plan) -> None:
    for worker in workers:
        job = bench.job(scenario, bench.server)
        worker.run(max(plan.requests(scenario) // 4, scenario.job.threads), job)


def _block(scenario: Scenario, bench: Bench, worker: Worker, count: int) -> Cost:
    job = bench.job(scenario, bench.server)
    # While the others had their turn, httpx threw its idle connection away.
    worker.run(scenario.job.threads + 1, job)
    before = bench.server.counted()
    cost = worker.run(count, job)
    _check_counts(worker.name, scenario, bench.server.since(before), count)
    return cost


def _check_counts(name: str, scenario: Scenario, counted: Counted, made: int) -> None:
    """Raise ``RuntimeError`` unless the server counted what the row says it did."""
    if counted.requests != made:
        raise RuntimeError(
            f"{name}: {scenario.name}: made {made} requests, {counted.requests} came"
        )
    wanted = scenario.connections * made
    # How many of its threads meet is chance.
    most = wanted + (scenario.job.threads if scenario.job.threads > 1 else 0)
    if not wanted <= counted.connections <= most:
        raise RuntimeError(
            f"{name}: {scenario.name}: opened {counted.connections} connections for {made} "
            f"requests, not {wanted} to {most}"
        )
