"""What a call leaves behind: nothing, once its answer or error is let go."""

from __future__ import annotations

import gc
import tracemalloc
import weakref
from pathlib import Path

import pytest
import requests
import servers
import tenacity

import tracedclient
from tracedclient import HTTPClient, RetryPolicy

NO_WAIT = tenacity.wait_fixed(0)


def errors():
    """The errors of requests that are alive, once the collector has been."""
    gc.collect()
    return sum(isinstance(thing, requests.RequestException) for thing in gc.get_objects())


@pytest.fixture(params=["quiet", "debug"])
def debug(request):
    """Debug off, and on."""
    return request.param == "debug"


def test_a_failed_call_leaves_no_error(make_client, debug):
    """Calls that failed leave no exception, and so no frame and no socket, in memory."""
    client = make_client(debug=debug, sinks=[])
    url = f"http://127.0.0.1:{servers.refused_port()}/"
    before = errors()

    for _ in range(5):
        with pytest.raises(requests.ConnectionError):
            client.get(url)

    assert errors() == before


def test_a_retried_call_leaves_no_error(make_client, start, debug):
    """Calls that went well in the end do not keep the errors of their first attempts."""

    def flaky(peer):
        peer.read_request()
        if peer.number % 2:
            peer.reset()
        else:
            peer.answer(200, close=True)

    server = start(servers.ScriptedServer(flaky))
    client = make_client(debug=debug, sinks=[])
    before = errors()

    for _ in range(5):
        assert client.get(server.url).status_code == 200

    assert errors() == before


def test_a_kept_connection_keeps_no_error(make_client, start, debug):
    """A connection that waits for its next request holds nothing of the call before."""

    def flaky(peer):
        peer.read_request()
        if peer.number == 1:
            peer.reset()
        else:
            peer.answer(200)
            peer.drain()

    server = start(servers.ScriptedServer(flaky))
    client = make_client(debug=debug, sinks=[])
    before = errors()

    client.get(server.url)

    assert errors() == before


def test_a_dropped_answer_is_gone_at_once(echo_server, debug):
    """An answer that went well is freed without the collector, body and all."""
    with HTTPClient(debug=debug, sinks=[]) as client:
        client.get(echo_server.url)
        gc.collect()
        gc.disable()
        try:
            answer = weakref.ref(client.get(f"{echo_server.url}/bytes/100000"))
            assert answer() is None
        finally:
            gc.enable()


@pytest.mark.parametrize("statuses", [[503, 503, 200], [503, 503, 503]], ids=["200", "503"])
def test_a_retried_answer_is_gone_at_once(start, statuses):
    """The answers of all attempts, the last one once let go, are freed without the collector."""
    left = statuses.copy()
    server = start(servers.serve(lambda _: (left.pop(0), [], b"x" * 100_000)))
    alive = weakref.WeakSet()
    with HTTPClient(sinks=[], retry=RetryPolicy(wait_throttled=NO_WAIT)) as client:
        client.session.hooks["response"].append(lambda answer, **_: alive.add(answer))
        gc.collect()
        gc.disable()
        try:
            assert client.get(server.url).status_code == statuses[-1]
            assert len(alive) == 0
        finally:
            gc.enable()


def test_close_closes_although_an_answer_is_kept(make_client, echo_server):
    """``close()`` closes the idle connections at once, whoever still holds an answer."""
    client = make_client()
    answer = client.get(echo_server.url)

    client.close()

    echo_server.wait_until(lambda: echo_server.open_connections == 0, timeout=1)
    assert answer.status_code == 200


def test_debug_off_makes_no_record(make_client, echo_server):
    """With debug off a call allocates nothing in the modules that record and describe it."""
    package = Path(tracedclient.__file__).parent
    recording = [
        str(package / name) for name in ("recorder.py", "_drafts.py", "trace/*", "sinks/*")
    ]
    client = make_client(debug=False)
    for _ in range(3):
        client.get(echo_server.url)
    gc.collect()

    tracemalloc.start()
    try:
        answers = [client.get(echo_server.url) for _ in range(20)]
        taken = tracemalloc.take_snapshot()
    finally:
        tracemalloc.stop()

    made = taken.filter_traces([tracemalloc.Filter(True, name) for name in recording])
    # The id, and the headers that carry it, are sent with debug off too.
    sent = ("ids.py", "formats.py")
    ours = [
        each
        for each in made.statistics("lineno")
        if not any(n in str(each.traceback) for n in sent)
    ]
    assert [str(each) for each in ours] == []
    assert len(answers) == 20
