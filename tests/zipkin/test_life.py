"""The reporter's thread: when it begins, and what ends it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import weakref

import pytest

from tracedclient import HTTPClient
from tracedclient.instruments.zipkin import ZipkinReporter
from tracedclient.testing import make_trace_result

NAME = "tracedclient-zipkin"


def threads():
    return [thread for thread in threading.enumerate() if thread.name == NAME]


def test_no_thread_before_the_first_trace(make_client, reporter, echo_server):
    """Making a reporter, and a client with it, starts nothing; the first call does."""
    before = len(threads())
    client = make_client()
    assert len(threads()) == before
    client.get(echo_server.url)
    client.get(echo_server.url)
    assert len(threads()) == before + 1
    assert all(thread.daemon for thread in threads())


def test_the_last_client_closes_it(make_client, make_reporter, collector, echo_server):
    """A client that closes leaves it to the others; with the last, all is sent and the thread ends."""
    before = set(threads())
    reporter = make_reporter()
    one, two = make_client(instruments=[reporter]), make_client(instruments=[reporter])
    one.get(echo_server.url)
    one.close()
    (mine,) = set(threads()) - before
    two.get(echo_server.url)
    assert mine.is_alive()
    two.close()
    two.close()
    mine.join(5)
    assert not mine.is_alive()
    assert len(collector.calls) == 2


def test_it_starts_again(collector, echo_server):
    """A client that comes after the last was closed is reported as the first was."""
    reporter = ZipkinReporter(collector.url)
    for number in (1, 2):
        with HTTPClient(instruments=[reporter], sinks=[]) as client:
            client.get(echo_server.url)
        assert reporter.stats() == (number, 0, 0, None)


def test_a_streamed_call_after_the_end(make_client, reporter, collector, echo_server):
    """A body that is read after the client was closed is reported with the next call, or flush."""
    client = make_client()
    response = client.get(f"{echo_server.url}/bytes/100000", stream=True)
    client.close()
    assert len(response.content) == 100000
    with HTTPClient(instruments=[reporter], sinks=[]) as another:
        another.get(echo_server.url)
    assert len(collector.calls) == 2


def test_a_block_closes_it(collector):
    """Left by its block, a reporter has posted all and its thread has ended."""
    before = set(threads())
    with ZipkinReporter(collector.url) as reporter:
        reporter.emit(make_trace_result())
        (mine,) = set(threads()) - before
    mine.join(5)
    assert not mine.is_alive()
    assert len(collector.calls) == 1


def test_closing_while_others_report_loses_nothing(make_reporter, collector):
    """Threads that report while another closes, again and again, have all their calls posted once."""
    reporter, result = make_reporter(max_queued=10_000), make_trace_result()

    def report():
        for _ in range(300):
            reporter.emit(result)

    def close():
        for _ in range(50):
            reporter.close()

    work = [threading.Thread(target=each) for each in (report, report, report, close, close)]
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    reporter.emit(result)
    assert reporter.flush(60)
    assert reporter.stats() == (901, 0, 0, None)
    assert len(collector.calls) == 901


def test_a_forgotten_reporter_ends_its_thread(collector, echo_server):
    """A reporter that nobody holds any more sends what it has, and its thread ends."""
    before = set(threads())
    client = HTTPClient(instruments=[ZipkinReporter(collector.url)], sinks=[])
    client.get(echo_server.url)
    (mine,) = set(threads()) - before
    client.session.close()
    gone = weakref.ref(client)
    del client
    gc.collect()
    assert gone() is None
    mine.join(5)
    assert not mine.is_alive()
    assert len(collector.calls) == 1


def run(script, *arguments):
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", PREFACE + script, *arguments],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


PREFACE = """
import os, sys, threading, time, warnings
from tracedclient import HTTPClient
from tracedclient.instruments.zipkin import ZipkinReporter
warnings.simplefilter("ignore", DeprecationWarning)  # fork() in a process with threads
reporter = ZipkinReporter(sys.argv[1], close_timeout=float(sys.argv[3]))
client = HTTPClient(instruments=[reporter], sinks=[])
"""


def test_the_end_of_the_process_sends_the_rest(collector, echo_server):
    """A process that ends without closing anything loses no call."""
    ran = run("client.get(sys.argv[2])", collector.url, echo_server.url, "5")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert len(collector.calls) == 1


def test_the_end_of_the_process_waits_so_long(collector, echo_server):
    """A collector that hangs keeps a process from ending for ``close_timeout`` seconds, no longer."""
    collector.may_answer.clear()
    # What is registered first runs last.
    script = """
import atexit
atexit.register(lambda: print(time.monotonic() - began))
client.get(sys.argv[2])
began = time.monotonic()
"""
    ran = run(script, collector.url, echo_server.url, "0.3")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert 0.25 < float(ran.stdout) < 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_reports_by_itself(collector, echo_server):
    """A child has a thread, a queue and a count of its own; the parent's calls are sent once."""
    script = """
client.get(sys.argv[2] + "/parent-1")
pid = os.fork()
if pid == 0:
    assert reporter.stats() == (0, 0, 0, None)
    client.get(sys.argv[2] + "/child")
    sys.exit(0)   # the whole way out: atexit too
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
client.get(sys.argv[2] + "/parent-2")
assert reporter.flush(5)
assert reporter.stats() == (2, 0, 0, None)
"""
    ran = run(script, collector.url, echo_server.url, "5")
    assert (ran.returncode, ran.stderr) == (0, "")
    paths = [span["tags"]["http.path"] for span in collector.requests]
    assert sorted(paths) == ["/child", "/parent-1", "/parent-2"]


def test_without_a_reporter_nothing_is_loaded():
    """A client without it loads none of it."""
    script = "import sys, tracedclient.client; assert 'tracedclient.instruments.zipkin' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], timeout=30, check=True)
