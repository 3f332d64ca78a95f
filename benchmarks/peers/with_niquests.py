"""niquests, which puts a fork of urllib3 in urllib3's place and so needs its own environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import niquests

from benchmarks.client import Client, repeated, shared
from benchmarks.peers.calls import one_call

if TYPE_CHECKING:
    from benchmarks.job import Job


def session(job: Job) -> Client:
    """A session with room for as many connections as there are threads."""
    opened = niquests.Session(pool_maxsize=max(10, job.threads))
    opened.verify = job.ca_file or True
    return Client(shared(repeated(one_call(opened, job)), job.threads), opened.close)
