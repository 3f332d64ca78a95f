"""Where a pool keeps its connections: a ``LifoQueue`` in all that a pool does with one."""

from __future__ import annotations

import queue
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tracedclient
from tracedclient.transport.shelf import Shelf

STEPS = st.lists(st.one_of(st.just("get"), st.integers(0, 9)), max_size=20)


def outcome(kept, steps):
    """What comes of each step, and what is left."""
    said = []
    for step in steps:
        try:
            said.append(kept.get(block=False) if step == "get" else kept.put(step, block=False))
        except (queue.Empty, queue.Full) as error:
            said.append(type(error))
    return said, kept.qsize(), kept.full(), kept.empty()


@given(STEPS, st.integers(0, 3))
def test_gives_and_takes_as_a_lifo_queue(steps, maxsize):
    """Whatever is put and taken, the same comes back, in the same order, with the same refusals."""
    assert outcome(Shelf(maxsize), steps) == outcome(queue.LifoQueue(maxsize), steps)


def test_what_was_taken_can_be_put_back():
    """What is put back has its room, although somebody has filled it meanwhile, and is next."""
    shelf = Shelf(1)
    shelf.put("a")
    taken = shelf.get(block=False)
    shelf.put("b")
    shelf.put_back(taken)
    assert [shelf.full(), shelf.get(block=False), shelf.get(block=False)] == [True, "a", "b"]


def test_who_waits_gets_what_is_put_back():
    """A thread that waits is woken by what another one took and did not want."""
    shelf = Shelf(1)
    with ThreadPoolExecutor(1) as other:
        waits = other.submit(shelf.get, timeout=10)
        shelf.put_back("a")
        assert waits.result(10) == "a"


def test_waits_as_long_as_told():
    """Where there is nothing, a wait ends with ``queue.Empty`` at its time."""
    began = time.monotonic()
    with pytest.raises(queue.Empty):
        Shelf(1).get(timeout=0.05)
    assert 0.05 <= time.monotonic() - began < 5


def test_every_waiting_thread_gets_its_turn():
    """Threads that share two things, each waiting for one, all come to an end, and none is lost."""
    shelf, together = Shelf(2), Barrier(16)
    for thing in "ab":
        shelf.put(thing)

    def work(_):
        together.wait(10)
        for _ in range(200):
            shelf.put(shelf.get(timeout=10), block=False)

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert sorted([shelf.get(block=False), shelf.get(block=False)]) == ["a", "b"]


REPLACED = """
import queue, sys

class Other:
    "As gevent's: without a lock that anybody could take."
    def __init__(self, maxsize=0):
        self.maxsize = maxsize

queue.Queue = queue.LifoQueue = Other
from tracedclient import HTTPClient
with HTTPClient(pool_block=True) as client:
    print([client.get(sys.argv[1]).status_code for _ in range(2)])
"""


def test_needs_no_queue_of_the_standard_library(echo_server):
    """Where somebody has put other queues in the place of the standard library's, a client works."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", REPLACED, echo_server.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(tracedclient.__file__).parent.parent,
    )
    assert (ran.stdout, ran.stderr) == ("[200, 200]\n", "")
