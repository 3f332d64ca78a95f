"""``python -m benchmarks.flight``: what the flight recorder costs while nothing fails."""

from __future__ import annotations

import gc
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks import answers
from benchmarks.certificate import issue
from benchmarks.machine import load
from benchmarks.serving import own_server
from tracedclient import FlightRecorder, HTTPClient

_ROUNDS = 21
_REQUESTS = 300


def main() -> None:
    """Measure in turn a client without, one with, and one with the flag on; print the medians."""
    with tempfile.TemporaryDirectory() as directory, own_server(issue(Path(directory))) as server:
        url = server.url(answers.PATH)
        clients = {
            "off": HTTPClient(),
            "flight recorder": HTTPClient(flight_recorder=FlightRecorder()),
            "debug on, no sink": HTTPClient(debug=True, sinks=[]),
        }
        rounds: dict[str, list[float]] = {name: [] for name in clients}
        for client in clients.values():
            _cost(client, url)
        for _ in range(_ROUNDS):
            for name, client in clients.items():
                rounds[name].append(_cost(client, url))
        _print(rounds)
        for client in clients.values():
            client.close()


def _cost(client: HTTPClient, url: str) -> float:
    """CPU microseconds of this process per request, time in the kernel included."""
    gc.collect()
    before = time.process_time()
    for _ in range(_REQUESTS):
        client.get(url)
    return (time.process_time() - before) / _REQUESTS * 1e6


def _print(rounds: dict[str, list[float]]) -> None:
    for name, costs in rounds.items():
        more = [cost - off for cost, off in zip(costs, rounds["off"], strict=True)]
        ratio = statistics.median(c / off for c, off in zip(costs, rounds["off"], strict=True))
        print(
            f"{name:20} {statistics.median(costs):6.1f} µs CPU"
            f"  {statistics.median(more):+7.1f} µs  ratio {ratio:.2f}"
        )
    print(f"{_ROUNDS} rounds of {_REQUESTS} GETs on a kept connection; load {load()}")


if __name__ == "__main__":
    main()
