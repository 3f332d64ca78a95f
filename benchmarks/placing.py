"""Server and clients on one processor, for what goes to and fro many times in one request: bodies of
many megabytes, and handshakes.

On two, it is chance who is ahead: a client that waits for each piece wakes up for it, and one that finds
the window closed does a part of the server's sending in its own acknowledgements. Either can double what
one and the same client is charged with, for as long as its process and connection last. Of handshakes,
which wait for the server twice, two blocks of one row differed by a third.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def on_one_processor(pid: int) -> Iterator[None]:
    """Have the process ``pid``, its children, and what this one starts in the block run on one processor.

    Where the system cannot (it is not Linux), they run as they would.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    usual = os.sched_getaffinity(0)
    _place((0, pid, *_children(pid)), {max(usual)})
    try:
        yield
    finally:
        _place((0, pid, *_children(pid)), usual)


def _place(pids: tuple[int, ...], processors: set[int]) -> None:
    for pid in pids:
        os.sched_setaffinity(pid, processors)


def _children(pid: int) -> list[int]:
    told = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in told.split()]
