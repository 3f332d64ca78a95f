"""A forked child never reads an answer that was meant for another process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading

import pytest
import servers

from tracedclient import HTTPClient

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")


def in_child(work):
    """Run ``work`` in a forked child; return what it returned, as JSON."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, json.dumps(work()).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    return json.loads(data)


def answers(client, url, who, times=20):
    return [client.get(f"{url}/{who}-{n}").json()["target"] for n in range(times)]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
def test_children_open_their_own_connections(start, server_context, ca_file, tls):
    """After a fork with a warm pool, parent and children get their own answers only."""
    context = server_context("localhost") if tls else None
    server = start(servers.serve(servers.echo, tls=context))
    url = f"{'https' if tls else 'http'}://localhost:{server.port}"
    with HTTPClient(verify=ca_file) as client:
        answers(client, url, "warm", 1)

        for child in ("one", "two"):
            expected = [f"/{child}-{n}" for n in range(20)]
            assert in_child(lambda who=child: answers(client, url, who)) == expected

        assert answers(client, url, "parent") == [f"/parent-{n}" for n in range(20)]
    assert server.connections == 3


def test_the_parents_connection_survives_its_children(echo_server):
    """What a child does with its copy of a socket does not end the parent's connection."""
    with HTTPClient(debug=True, sinks=[]) as client:
        client.get(echo_server.url)
        in_child(client.close)

        assert client.get(echo_server.url).trace.conn_reused is True


def test_a_fork_while_threads_are_at_work_does_not_hang(echo_server):
    """Locks that other threads held at the fork do not block the child."""
    stop = threading.Event()
    with HTTPClient(pool_maxsize=2) as client:

        def work():
            while not stop.is_set():
                client.get(echo_server.url)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            for n in range(20):
                assert in_child(lambda n=n: answers(client, echo_server.url, f"c{n}", 1)) == [
                    f"/c{n}-0"
                ]
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def test_a_client_works_in_a_spawned_process(echo_server):
    """A process started afresh makes its own client and gets its answers."""
    script = (
        "import sys, tracedclient\n"
        "print(tracedclient.HTTPClient().get(sys.argv[1]).json()['method'])"
    )

    done = subprocess.run(
        [sys.executable, "-c", script, echo_server.url],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "GET"
