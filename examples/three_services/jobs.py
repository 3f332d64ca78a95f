"""A queue for one consumer: a directory with a file for each job, in the order of their names.

A job that its worker did not finish is there again when the next one starts.
"""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

QUEUE = Path("jobs")


def put(body: dict[str, Any], headers: dict[str, str]) -> None:
    """Queue a job. ``headers`` travel with it, as with a message of any broker."""
    job = QUEUE / f"{time.time_ns()}.new"
    job.write_text(json.dumps({"body": body, "headers": headers}))
    job.rename(job.with_suffix(".json"))


@contextmanager
def taken() -> Iterator[dict[str, Any]]:
    """Wait for a job, and take it off the queue at the end of the block if that did not raise."""
    while not (waiting := sorted(QUEUE.glob("*.json"))):
        time.sleep(0.02)
    yield json.loads(waiting[0].read_text())
    waiting[0].unlink()
