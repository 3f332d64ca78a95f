"""A row's own process: opens one client, and repeats its request as it is told.

``python -m benchmarks.worker NAME`` reads one command a line from its standard input and answers
each with one line of JSON. It ends with its standard input.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import sys
import time
from importlib import metadata
from typing import TYPE_CHECKING, Any

from benchmarks.job import Job
from benchmarks.peers import PEERS
from benchmarks.sampling import sampled

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.client import Client


class _Worker:
    def __init__(self, name: str) -> None:
        self._peer = PEERS[name]
        self._client: Client | None = None

    @property
    def client(self) -> Client:
        assert self._client is not None, "open comes first"
        return self._client

    def versions(self, _: str) -> dict[str, str]:
        python = {platform.python_implementation(): platform.python_version()}
        return python | {name: metadata.version(name) for name in self._peer.libraries}

    def open(self, job: str) -> dict[str, int]:
        """Open the client and make its first request."""
        self._client = self._peer.open(Job.from_json(job))
        size = self._client.repeat(1)
        self._client.check()
        return {"size": size}

    def run(self, count: str) -> dict[str, float]:
        # Or this block would pay for the garbage of the one before.
        gc.collect()
        wall, cpu = time.perf_counter(), time.process_time()
        size = self.client.repeat(int(count))
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        return {"cpu": cpu, "wall": wall, "size": size}

    def profile(self, count: str) -> dict[str, list[str]]:
        # Modules load and caches fill in the first ones.
        self.client.repeat(max(int(count) // 20, 1))
        return {"stacks": sampled(lambda: self.client.repeat(int(count)))}

    def end(self) -> None:
        if self._client is not None:
            self._client.close()

    def resident(self, _: str) -> dict[str, int]:
        """Bytes of memory that this process has, garbage not counted."""
        gc.collect()
        with open("/proc/self/statm", encoding="ascii") as pages:  # noqa: PTH123 - one call less
            return {"bytes": int(pages.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")}


def main() -> None:
    """Serve until the standard input ends."""
    # What a library prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    worker = _Worker(sys.argv[1])
    commands: dict[str, Callable[[str], Any]] = {
        "versions": worker.versions,
        "open": worker.open,
        "run": worker.run,
        "profile": worker.profile,
        "resident": worker.resident,
    }
    for line in sys.stdin:
        command, _, argument = line.rstrip("\n").partition(" ")
        print(json.dumps(commands[command](argument)), file=answers, flush=True)
    worker.end()


if __name__ == "__main__":
    main()
