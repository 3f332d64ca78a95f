"""What is left of clients that were constructed and closed: ``python -m benchmarks.leftovers URL``.

In a process of its own. Each client has its flag in a file, which starts a thread; each second one
makes a request with debug on before it is closed.
"""

from __future__ import annotations

import gc
import json
import logging.config
import os
import subprocess
import sys
import tempfile
import threading
import tracemalloc
from pathlib import Path
from typing import NamedTuple

from benchmarks.workers import CHECKOUT, plain_environment

CLIENTS = 1000


class Leftovers(NamedTuple):
    """What ``CLIENTS`` clients left: file descriptors, threads, and bytes that Python holds."""

    descriptors: int
    threads: int
    held: int


def measure_leftovers(url: str) -> Leftovers:
    """Return what is left, measured in a fresh process."""
    told = subprocess.run(
        [sys.executable, "-m", "benchmarks.leftovers", url],
        cwd=CHECKOUT,
        env=plain_environment(),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Leftovers(*json.loads(told.stdout))


def main() -> None:
    """Measure, and print the three numbers as JSON."""
    url = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        flag = Path(directory, "flag.json")
        flag.write_text("false", encoding="utf-8")
        # Caches fill and modules load with the first ones.
        _construct_and_close(CLIENTS // 10, url, flag)
        tracemalloc.start()
        _construct_and_close(CLIENTS // 10, url, flag)
        before = _held()
        _construct_and_close(CLIENTS, url, flag)
        after = _held()
    print(json.dumps([now - then for then, now in zip(before, after, strict=True)]))


def _construct_and_close(count: int, url: str, flag: Path) -> None:
    # Only here: the parent, which starts this module, needs nothing of it.
    import tracedclient  # noqa: PLC0415
    from tracedclient.debug import FileSource  # noqa: PLC0415

    logging.config.dictConfig(tracedclient.logging_config(filename=os.devnull))
    for number in range(count):
        with tracedclient.HTTPClient(debug=FileSource(flag)) as client:
            if number % 2:
                client.get(url, debug=True)


def _held() -> Leftovers:
    gc.collect()
    descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - no Path objects to be counted
    return Leftovers(descriptors, threading.active_count(), tracemalloc.get_traced_memory()[0])


if __name__ == "__main__":
    main()
