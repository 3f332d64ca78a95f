"""A client that gunicorn's master has made and used, in the workers that it forks from there."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

pytestmark = pytest.mark.long

HERE = Path(__file__).parent
WORKERS = 3


@contextmanager
def gunicorn(upstream, flag, *options):
    """The URL of a running gunicorn with ``--preload``; it has to end when it is told to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        # It takes the listening socket over, so no other process can get the port meanwhile.
        environ = {
            **os.environ,
            "UPSTREAM": upstream,
            "FLAG": str(flag),
        }
        command = [
            *(sys.executable, "-m", "gunicorn", "--preload", "--workers", str(WORKERS)),
            *("--bind", f"fd://{listener.fileno()}", "--chdir", str(HERE)),
            *("--graceful-timeout", "5", *options, "in_gunicorn:application"),
        ]
        process = subprocess.Popen(
            command, env=environ, pass_fds=[listener.fileno()], stderr=subprocess.PIPE, text=True
        )
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                _, told = process.communicate(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise
    assert process.returncode == 0, told
    assert "Traceback" not in told, told


def ask(url, path):
    answer = requests.get(f"{url}{path}", timeout=20, headers={"Connection": "close"})
    answer.raise_for_status()
    return answer.json()


@pytest.fixture
def flag(tmp_path):
    """The file in which the flag stands; off."""
    path = tmp_path / "flag.json"
    path.write_text("false")
    return path


@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_workers_of_a_preloaded_client_get_their_own_answers(echo_server, flag, worker):
    """Each answer is that of its request, in every worker; none uses the master's connection."""
    threads = ["--threads", "4"] if worker == "gthread" else []
    with (
        gunicorn(echo_server.url, flag, "--worker-class", worker, *threads) as url,
        ThreadPoolExecutor(8) as pool,
    ):
        said = list(pool.map(lambda n: ask(url, f"/call-{n}"), range(200)))

    for number, each in enumerate(said):
        assert json.loads(each["upstream"])["target"] == f"/call-{number}"
    workers = Counter(each["pid"] for each in said)
    assert len(workers) == WORKERS
    (masters,) = {c for c, request in echo_server.journal if request.target == "/master"}
    assert [request.target for c, request in echo_server.journal if c == masters] == ["/master"]


def test_every_worker_follows_the_flag(echo_server, flag):
    """A flag that is flipped after the fork is seen by all workers, which have threads of their own."""
    with gunicorn(echo_server.url, flag) as url:
        assert not ask(url, "/before")["traced"]
        flag.write_text("true")
        traced = set()
        end = time.monotonic() + 15
        while len(traced) < WORKERS and time.monotonic() < end:
            with ThreadPoolExecutor(8) as pool:
                said = list(pool.map(lambda n: ask(url, f"/{n}"), range(16)))
            traced |= {each["pid"] for each in said if each["traced"]}

    assert len(traced) == WORKERS
