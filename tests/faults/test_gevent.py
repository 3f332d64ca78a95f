"""T75: a process that gevent has patched, a hundred greenlets on one client, a server that is real."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import servers

pytestmark = pytest.mark.long

SCENES = Path(__file__).parent / "in_gevent.py"
GREENLETS = 100
LATE = 0.1
"""Seconds; one after another, a hundred such answers take ten."""


def in_gevent(scene, *arguments):
    """What the scene told. Nothing may be warned of, or written to its standard error."""
    command = [sys.executable, "-W", "error", str(SCENES), scene, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=50, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def late_echo(request):
    time.sleep(LATE)
    return 200, [], request.body


@pytest.mark.parametrize("scene", ["traced", "untraced"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_hundred_greenlets_share_a_client(start, server_context, ca_file, scene, scheme):
    """Each gets its own answers and traces, side by side and not one after another."""
    tls = server_context("127.0.0.1") if scheme == "https" else None
    server = start(servers.serve(late_echo, tls=tls))

    told = in_gevent(scene, f"{scheme}://{server.host_port}", *([ca_file] if tls else []))

    assert told["good"] == GREENLETS
    assert told["seconds"] < 3 * GREENLETS * LATE / 2
    assert told["lines"] == (3 * GREENLETS if scene == "traced" else 0)
    assert len(server.requests) == 3 * GREENLETS


def test_a_deadline_ends_every_greenlets_call(start):
    """A hundred calls to a silent server end together, when their total timeout is over."""
    server = start(servers.ScriptedServer(lambda peer: peer.drain()))

    told = in_gevent("deadline", server.url)

    assert told["good"] == GREENLETS
    assert 0.5 <= told["seconds"] < 5


def test_greenlets_sleep_between_two_attempts(start):
    """Each call is tried again after its own sleep, which holds up no other call."""
    seen = set()
    lock = threading.Lock()

    def app(request):
        with lock:
            first = request.target not in seen
            seen.add(request.target)
        return (503, [("Retry-After", "1")], b"") if first else (200, [], b"")

    server = start(servers.serve(app))

    told = in_gevent("retries", server.url)

    assert told["good"] == GREENLETS
    assert 1 <= told["seconds"] < 10
    assert len(server.requests) == 2 * GREENLETS


def test_closing_the_client_wakes_every_greenlet(start):
    """A hundred calls that sleep for half a minute end when another greenlet closes the client."""
    server = start(servers.serve(lambda _: (503, [("Retry-After", "30")], b"")))

    told = in_gevent("close", server.url)

    assert told["good"] == GREENLETS
    assert told["seconds"] < 10
    assert len(server.requests) == GREENLETS


def test_gevents_own_timeout_passes_untouched(start):
    """``gevent.Timeout`` is no error to be retried: it ends the call, and the client goes on."""
    released = threading.Event()

    def app(request):
        if request.path == "/silent":
            released.wait(20)
        return 200, [], b""

    server = start(servers.serve(app, expected=OSError))
    try:
        told = in_gevent("interrupted", server.url)
    finally:
        released.set()

    assert told["good"] == GREENLETS
    assert 0.3 <= told["seconds"] < 5
    assert told["afterwards"] == 200
    assert len(server.requests) == GREENLETS + 1


def test_greenlets_wait_for_a_connection(start):
    """A hundred greenlets get on with two connections, one after another."""
    server = start(servers.serve(lambda request: (200, [], request.body)))

    told = in_gevent("pool", server.url)

    assert told["good"] == GREENLETS
    assert server.connections <= 2
