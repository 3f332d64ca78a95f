"""requests: what all others are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from requests.adapters import HTTPAdapter

from benchmarks.client import Client, repeated, shared
from benchmarks.peers.calls import one_call

if TYPE_CHECKING:
    from benchmarks.job import Job


def session(job: Job) -> Client:
    """A session of requests as most services use it."""
    opened = requests.Session()
    opened.verify = job.ca_file or True
    if job.threads > 1:
        # Of the ten that it keeps by default it would throw away 22 after each round.
        opened.mount("http://", HTTPAdapter(pool_maxsize=job.threads))
    return Client(shared(repeated(one_call(opened, job)), job.threads), opened.close)
