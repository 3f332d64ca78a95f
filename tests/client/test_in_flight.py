"""Calls that have not finished: listed with their phase and age, and printed on a signal."""

from __future__ import annotations

import contextvars
import gc
import io
import os
import signal
import sys
import threading
import time
from itertools import count

import pytest
import requests
import servers
import tenacity

from tracedclient import HTTPClient, RetryPolicy, debugging
from tracedclient.inflight import current_call


@pytest.fixture
def held(start):
    """A server that answers once it is told to."""
    go = threading.Event()

    def handle(peer):
        while peer.read_request():
            peer.wait(go)
            peer.answer(200)

    server = start(servers.ScriptedServer(handle))
    server.go = go
    yield server
    go.set()


def in_background(call):
    thread = threading.Thread(target=call)
    thread.start()
    return thread


@pytest.mark.parametrize("debug", [False, True])
def test_a_call_is_listed_until_it_ends(client, held, debug):
    """An unfinished call shows its id, its phase and its age, with debug on or off."""
    url = f"{held.url}/x?token=secret"
    thread = in_background(lambda: client.get(url, trace_id="t-1", debug=debug))
    held.wait_until(lambda: len(held.requests) == 1)
    time.sleep(0.02)

    (call,) = client.in_flight()

    assert (call.trace_id, call.method, call.phase, call.attempt) == ("t-1", "GET", "wait", 1)
    assert call.url == f"{held.url}/x?token=REDACTED"
    assert 0.01 < call.age < 5
    held.go.set()
    thread.join()
    assert client.in_flight() == ()


def test_a_call_that_sleeps_says_so(make_client, start):
    """Between two attempts the phase is sleep."""
    server = start(servers.serve(lambda _: (503, [], b"")))
    client = make_client(retry=RetryPolicy(max_attempts=2, wait_throttled=tenacity.wait_fixed(0.3)))
    thread = in_background(lambda: client.get(server.url))
    server.wait_until(lambda: len(server.requests) == 1)
    time.sleep(0.1)

    (call,) = client.in_flight()

    assert call.phase == "sleep"
    thread.join()


def test_a_failed_call_is_not_listed(client):
    """A call that raised has finished."""
    with pytest.raises(requests.ConnectionError):
        client.get("http://nowhere.invalid/")

    assert client.in_flight() == ()


def test_a_streamed_call_is_listed_until_its_body_is_read(client, echo_server):
    """With debug on, a streamed call is in flight while its body is not read, in phase receive."""
    response = client.get(f"{echo_server.url}/bytes/100000", stream=True)

    assert [call.phase for call in client.in_flight()] == ["receive"]
    response.content  # noqa: B018 - reading ends it
    assert client.in_flight() == ()


def interrupted_at(number, call):
    """Whether ``call`` came to so many functions of these modules; it is interrupted as the last begins."""
    left = number
    watched = tuple(
        f"tracedclient{os.sep}{name}.py" for name in ("_call", "_open_calls", "recorder")
    )

    def interrupt(frame, event, _):
        nonlocal left
        if event == "call" and frame.f_code.co_filename.endswith(watched):
            left -= 1
            if not left:
                sys.settrace(None)
                raise KeyboardInterrupt

    before = sys.gettrace()
    sys.settrace(interrupt)
    try:
        call()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


# What an interrupt leaves open, the collector closes.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("options", [{"debug": False}, {"debug": True}, {"stream": True}])
def test_an_interrupted_call_is_not_listed(make_client, echo_server, options):
    """Whenever an interrupt comes, the call is in flight no more, and nothing sent later is bound by it."""
    client = make_client(sinks=[])
    left_behind = []

    def call(number):
        if not interrupted_at(number, lambda: client.get(echo_server.url, **options).content):
            return False
        if client.in_flight():
            gc.collect()
        left_behind.extend([*client.in_flight(), *filter(None, [current_call.get()])])
        return True

    # Each in a context of its own.
    reached = next(n for n in count(1) if not contextvars.copy_context().run(call, n))
    client.close()
    # Now, and not in the middle of another test.
    gc.collect()

    assert reached > 5
    assert left_behind == []


def test_calls_are_listed_while_clients_come_and_go():
    """Whoever asks what is open in a process is not disturbed by a thread that makes clients."""

    def make_clients():
        for _ in range(3000):
            HTTPClient(sinks=[]).close()

    others = [HTTPClient(sinks=[]) for _ in range(300)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = in_background(make_clients)
    told = set()
    try:
        while thread.is_alive():
            out = io.StringIO()
            debugging.dump(out)
            told.add(out.getvalue())
    finally:
        sys.setswitchinterval(before)
        thread.join()
    for client in others:
        client.close()
    assert told == {"tracedclient: 0 calls in flight\n"}


def test_a_signal_prints_what_hangs(client, held):
    """A hung process shows its calls when it gets the signal; the handler before is called too."""
    out = io.StringIO()
    called = []
    before = signal.signal(signal.SIGUSR1, lambda *_: called.append(True))
    thread = in_background(lambda: client.get(held.url, trace_id="hangs"))
    try:
        held.wait_until(lambda: len(held.requests) == 1)
        debugging.dump_on_signal(file=out)

        os.kill(os.getpid(), signal.SIGUSR1)

        assert "1 calls in flight" in out.getvalue()
        assert "trace_id=hangs" in out.getvalue()
        assert called == [True]
    finally:
        signal.signal(signal.SIGUSR1, before)
        held.go.set()
        thread.join()
