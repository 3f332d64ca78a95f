"""Rows → what a request of each costs, block by block in turn."""

from __future__ import annotations

import gc
import time
from contextlib import ExitStack
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.rows import Row
    from benchmarks.server import Address


class Plan(NamedTuple):
    """How much is measured."""

    blocks: int = 5
    requests: int = 1000
    """In each block of each row."""
    warm_up: int = 200
    """Requests of each row before its first block."""


class Cost(NamedTuple):
    """What one request of one block cost on average, in seconds."""

    cpu: float
    wall: float


def measure(rows: Sequence[Row], address: Address, plan: Plan) -> dict[str, list[Cost]]:
    """Return the costs of each row, one per block.

    Block ``n`` of every row is measured before block ``n + 1`` of any: what disturbs the machine for
    a while disturbs all rows alike, and a ratio within one round holds.

    Raises ``RuntimeError`` when a row's first request does not bring the body it must.
    """
    with ExitStack() as clients:
        requests = {row.name: _opened(row, address, clients) for row in rows}
        for request in requests.values():
            _repeat(request, plan.warm_up)
        costs: dict[str, list[Cost]] = {row.name: [] for row in rows}
        for _ in range(plan.blocks):
            for name, request in requests.items():
                costs[name].append(_block(request, plan.requests))
    return costs


def _opened(row: Row, address: Address, clients: ExitStack) -> Callable[[], bytes]:
    client = row.open(address)
    clients.callback(client.close)
    body = client.request()
    if body != row.body:
        raise RuntimeError(f"{row.name}: the first request brought {body!r}, not {row.body!r}")
    client.check()
    return client.request


def _block(request: Callable[[], bytes], count: int) -> Cost:
    # Or this block would pay for the garbage of the one before.
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    _repeat(request, count)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Cost(cpu / count, wall / count)


def _repeat(request: Callable[[], bytes], count: int) -> None:
    for _ in repeat(None, count):
        request()
