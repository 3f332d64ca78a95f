"""How memory grows with the number of requests."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from benchmarks.job import Job
from benchmarks.peers import DO_ON
from benchmarks.workers import Worker

if TYPE_CHECKING:
    from benchmarks.serving import Server

START = 10_000
_STEP = 10_000


def measure_growth(server: Server, requests: int) -> int:
    """Return by how many bytes a client with debug on grew between request 10,000 and the last.

    Its traces go to /dev/null, because a million of them take gigabytes.
    """
    job = replace(Job(), url=server.url(Job().url), log=os.devnull)
    with Worker(DO_ON) as worker:
        worker.open(job)
        worker.run(START - 1, job)
        before = worker.resident()
        for _ in range(START, requests, _STEP):
            worker.run(_STEP, job)
        return worker.resident() - before
