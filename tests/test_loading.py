"""What a process loads for a client that traces nothing, and when the rest comes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

import tracedclient
from tracedclient import HTTPClient
from tracedclient.debug import FlagUpdater, StaticFlag, override_on_signal
from tracedclient.testing import RecordingSink

HEAVY = (
    *("msgspec", "structlog", "pythonjsonlogger", "tenacity", "opentelemetry", "opentracing"),
    *("asyncio", "ast", "concurrent", "dataclasses", "decimal", "inspect", "numbers", "platform"),
    *("typing_extensions", "uuid"),
    *("tracedclient._infos", "tracedclient._recording", "tracedclient.recorder"),
    *("tracedclient.trace.model", "tracedclient.trace.verdict", "tracedclient.sinks.json_log"),
    *("tracedclient.sinks.flight", "tracedclient.transport.kernel", "tracedclient.debug.updater"),
    *("tracedclient.debug.document", "tracedclient.transport.resolver"),
    "tracedclient.sinks",
)
"""Together they cost as much as half of requests; what requests has loaded itself is free."""

LOADED = f"""
import sys
import requests
free = set(sys.modules)
def loaded():
    return [name for name in {HEAVY!r} if name in sys.modules and name not in free]
"""

UNTRACED = f"""{LOADED}
from tracedclient import HTTPClient
print(loaded())
client = HTTPClient()
print(loaded())
with client:
    assert client.get(sys.argv[1]).status_code == 200
    assert client.post(sys.argv[1], json=[1]).trace is None
    client.in_flight(), client.session
print(loaded())
"""

FIRST_TRACES = f"""{LOADED}
import threading
from tracedclient import HTTPClient
at_once, traces = threading.Barrier(8), []

def call():
    at_once.wait()
    traces.append(client.get(sys.argv[1], debug=True).trace)

with HTTPClient(sinks=()) as client:
    assert "tracedclient.recorder" not in loaded()
    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print(len(traces), {{(trace.outcome, trace.verdict_culprit) for trace in traces}})
print("tracedclient.recorder" in loaded())
"""


SLOW_DISK = """
import sys, time
from tracedclient import HTTPClient, Timeout

class SlowDisk:
    def find_spec(self, name, path=None, target=None):
        if name == "tracedclient._recording":
            time.sleep(0.6)

sys.meta_path.insert(0, SlowDisk())
with HTTPClient(sinks=(), timeout=Timeout(total=0.5)) as client:
    client.get(sys.argv[1])
    print(client.get(sys.argv[1], debug=True).trace.outcome)
"""

NOTHING_MORE = """
import sys
import tracedclient._recording
from tracedclient import HTTPClient
with HTTPClient(sinks=()) as client:
    client.get(sys.argv[1])
    before = set(sys.modules)
    client.get(sys.argv[1], debug=True)
print(sorted(name for name in set(sys.modules) - before if name.startswith("tracedclient.")))
"""


def run(script, *arguments):
    """The lines that ``script`` prints in a fresh interpreter where each warning is an error."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=Path(tracedclient.__file__).parent.parent,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.splitlines()


def test_an_untraced_client_loads_nothing_that_only_a_trace_needs(echo_server):
    """Neither the import, nor the client, nor its calls load what traces, retries and flags need."""
    assert run(UNTRACED, echo_server.url) == ["[]", "[]", "[]"]


def test_first_traces_may_be_made_by_several_threads_at_once(echo_server):
    """Eight threads that are the first to trace each have their trace."""
    said = run(FIRST_TRACES, echo_server.url)
    assert said == ["8 {('ok', 'none')}", "True"]


def test_the_first_trace_takes_nothing_of_its_calls_time(echo_server):
    """However long it takes to load what traces, the call has its whole timeout for itself."""
    assert run(SLOW_DISK, echo_server.url) == ["ok"]


def test_the_first_trace_holds_no_time_for_loading(echo_server):
    """All that a traced exchange needs is there before it begins: its phases are the network's."""
    assert run(NOTHING_MORE, echo_server.url) == ["[]"]


def test_a_client_that_may_trace_has_loaded_what_it_takes():
    """With a flag, no call has to wait for it."""
    script = (
        f"{LOADED}\nfrom tracedclient import HTTPClient\nfrom tracedclient.debug import FileSource"
    )
    (said,) = run(f"{script}\nHTTPClient(debug=FileSource('/no/flag')).close()\nprint(loaded())")
    assert "tracedclient.recorder" in said


@pytest.fixture
def sink():
    return RecordingSink()


@pytest.fixture
def client(sink):
    """A client with debug off, which nobody has asked for its flag."""
    with HTTPClient(sinks=(sink,)) as client:
        yield client


def test_a_flag_nobody_asked_for_can_be_overridden(client, sink, echo_server):
    """``client.debug`` of a client made without one switches it on, and off again."""
    client.get(echo_server.url)
    client.debug.override(True, ttl=60)
    client.get(echo_server.url)
    client.debug.end_override()
    client.get(echo_server.url)
    assert [trace.debug_source for trace in sink.results] == ["override:call"]
    assert client.stats().traces_dropped == 0


def test_a_signal_reaches_a_flag_nobody_asked_for(client, sink, echo_server):
    """The signal traces the calls of clients that were made without a flag too."""
    before = signal.getsignal(signal.SIGUSR2)
    try:
        override_on_signal(minutes=1)
        os.kill(os.getpid(), signal.SIGUSR2)
        client.get(echo_server.url)
        os.kill(os.getpid(), signal.SIGUSR2)
        client.get(echo_server.url)
    finally:
        signal.signal(signal.SIGUSR2, before)
    assert [trace.debug_source for trace in sink.results] == ["override:signal"]


def test_the_environment_switches_on_a_client_without_a_flag(monkeypatch, sink, echo_server):
    """``TRACEDCLIENT_TRACE`` holds for a client that was made with ``debug=False``."""
    monkeypatch.setenv("TRACEDCLIENT_TRACE", "on:5")
    with HTTPClient(sinks=(sink,)) as client:
        client.get(echo_server.url)
    assert [trace.debug_source for trace in sink.results] == ["override:environment"]


def test_a_flag_asked_for_after_close_stays_off():
    """A closed client's flag is closed, whoever asks for it, and cannot be overridden."""
    client = HTTPClient()
    client.close()
    client.debug.override(True, ttl=60)
    assert not client.debug.is_on()
    client.debug.end_override()


def test_threads_that_ask_at_once_get_one_flag(client):
    """What one thread overrides, all others see."""
    at_once, found = threading.Barrier(8), []

    def ask():
        at_once.wait()
        found.append(client.debug)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert {id(flag) for flag in found} == {id(client.debug)}


def test_a_client_can_be_given_an_updater_of_its_own(sink, echo_server):
    """``debug`` of a client is the updater that it was given."""
    flag = FlagUpdater(StaticFlag(True))
    with closing(flag), HTTPClient(debug=flag, sinks=(sink,)) as client:
        assert client.debug is flag
        client.get(echo_server.url)
    assert [trace.debug_source for trace in sink.results] == ["static"]
