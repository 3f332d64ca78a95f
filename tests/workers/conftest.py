"""A real broker, and real workers as processes of their own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


@contextmanager
def process(*command, **options):
    """A running process, ended and waited for; killed when it does not end."""
    with subprocess.Popen(command, **options) as running:
        try:
            yield running
        finally:
            running.terminate()
            try:
                # Longer than the 30 s for which Celery's own processes may wait for each other.
                running.wait(60)
            except subprocess.TimeoutExpired:
                running.kill()
                raise


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def broker(tmp_path_factory):
    """The URL of a running Redis, which tests/workers/install brings."""
    port = free_port()
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    where = tmp_path_factory.mktemp("redis")
    with process("redis-server", *options, cwd=where, stdout=subprocess.PIPE) as server:
        for line in server.stdout:
            if b"Ready to accept connections" in line:
                break
        else:
            raise AssertionError("redis-server has not started")
        drain = threading.Thread(target=server.stdout.read, daemon=True)
        drain.start()
        yield f"redis://127.0.0.1:{port}/0"


@pytest.fixture
def queue_connection(broker):
    """A connection to an empty broker."""
    with redis.Redis.from_url(broker) as connection:
        connection.flushall()
        yield connection


@pytest.fixture
def wait_until_accepted(queue_connection):
    """``wait_until_accepted()``: every task that was queued is known to run by the worker's main process.

    A worker that is told to end between a task's start and the word of it forgets the task, and no
    longer reads its result; the process that ran it then waits 30 s for somebody to do so.
    """

    def wait(seconds=40):
        end = time.monotonic() + seconds
        while queue_connection.exists("celery", "unacked"):
            assert time.monotonic() < end, queue_connection.hgetall("unacked")
            time.sleep(0.01)

    return wait


@pytest.fixture
def worker(broker, tmp_path):
    """``with worker(*command) as lines:`` a worker with its log; ``lines()`` are those of JSON."""
    log = tmp_path / "worker.log"

    def lines():
        texts = log.read_text().splitlines()
        return [json.loads(text) for text in texts if text.startswith("{")]

    @contextmanager
    def run(*command):
        with (
            log.open("w") as stream,
            process(
                sys.executable,
                "-m",
                *command,
                cwd=EXAMPLES,
                env={**os.environ, "BROKER": broker, "PYTHONPATH": os.pathsep.join(sys.path)},
                stdout=stream,
                stderr=stream,
            ),
        ):
            yield lines
        # Why a test failed is usually in there.
        print(log.read_text())

    return run
