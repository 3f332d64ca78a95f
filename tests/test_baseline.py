"""What is usual for an origin: medians of the calls that went well, bounded and cheap."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
import servers
from made_traces import result

from tracedclient import HTTPClient
from tracedclient.baseline import MAX_ORIGINS, MIN_CALLS, MIN_OF_PHASE, WINDOW, Baseline
from tracedclient.trace.model import Usual

ORIGIN = "https://api.test"


def taught(*durations, origin=ORIGIN, baseline=None, **facts):
    baseline = Baseline() if baseline is None else baseline
    for duration_ms in durations:
        baseline.learn(origin, result(duration_ms=duration_ms, attempt_count=1, **facts))
    return baseline


def usual(baseline, origin=ORIGIN):
    return baseline.usual(origin, 1000.0)


def test_usual_is_the_median():
    """The usual duration is the middle one, which one call of an hour does not move."""
    assert usual(taught(5.0, 1.0, 4.0, 2.0, 3.0, 6.0, 7.0, 8.0, 3.6e6)) == Usual(
        calls=9, duration_ms=5.0
    )
    assert usual(taught(*range(1, 9))).duration_ms == 4


def test_nothing_is_usual_after_a_few_calls():
    """With fewer than eight calls there is nothing to compare with."""
    assert MIN_CALLS == 8
    assert usual(taught(*[5.0] * 7)) is None
    assert usual(taught(*[5.0] * 8)) is not None
    assert usual(Baseline()) is None


def test_only_the_last_calls_count():
    """After 31 calls the first is forgotten: what is usual follows a server that became slow."""
    assert WINDOW == 31
    moved = taught(*[1.0] * 100, *[9.0] * 16)
    assert usual(moved) == Usual(calls=31, duration_ms=9.0)


def test_each_phase_has_a_window_of_its_own():
    """A lookup that took place long ago still counts, once there were three."""
    assert MIN_OF_PHASE == 3
    baseline = taught(5.0, 5.0, 5.0, dns_ms=2.0, tls_ms=None)
    taught(5.0, 5.0, baseline=baseline, tls_ms=30.0, dns_ms=None)
    taught(*[5.0] * 90, baseline=baseline, wait_ms=4.0)
    assert usual(baseline) == Usual(calls=31, duration_ms=5.0, dns_ms=2.0, wait_ms=4.0)


@pytest.mark.parametrize(
    "facts", [{"outcome": "timeout"}, {"outcome": "http_error"}, {"attempt_count": 2}]
)
def test_only_calls_that_went_well_at_once_are_learnt_from(facts):
    """A failure, a refusal and a retried call say nothing about what is usual."""
    baseline = Baseline()
    for _ in range(20):
        call = msgspec.structs.replace(result(duration_ms=1.0, attempt_count=1), **facts)
        baseline.learn(ORIGIN, call)
    assert usual(baseline) is None
    assert baseline.origins == 0


def test_short_call_is_compared_with_nothing():
    """Nobody asks what is usual for a call of less than 100 ms, so nothing is computed."""
    baseline = taught(*[5.0] * 9)
    assert baseline.usual(ORIGIN, 99.9) is None
    assert baseline.usual(ORIGIN, 100.0) is not None


def test_origins_are_bounded_and_the_least_used_goes():
    """One origin more than 128 has the one forgotten that was called longest ago."""
    assert MAX_ORIGINS == 128
    baseline = Baseline()
    for number in range(MAX_ORIGINS):
        taught(*[1.0] * 8, origin=f"https://{number}.test", baseline=baseline)
    taught(1.0, origin="https://0.test", baseline=baseline)
    taught(*[1.0] * 8, origin="https://new.test", baseline=baseline)
    assert baseline.origins == MAX_ORIGINS
    assert usual(baseline, "https://1.test") is None
    assert usual(baseline, "https://0.test") is not None
    assert usual(baseline, "https://new.test") is not None


def test_threads_may_learn_at_the_same_time():
    """Eight threads that learn and ask, of one more origin than is kept, lose and break nothing."""
    baseline = taught(*[5.0] * 9)

    def work(number):
        for turn in range(300):
            taught(5.0, origin=f"https://{(turn + number) % 200}.test", baseline=baseline)
            usual(baseline, f"https://{turn % 200}.test")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    assert baseline.origins == MAX_ORIGINS


@pytest.mark.parametrize("calls", [8, 63, 64, 65, 200])
def test_it_does_not_matter_when_it_is_asked(calls):
    """Asked after every call or only in the end, what is usual is the same, and little is put off."""
    often, once = Baseline(), Baseline()
    for number in range(calls):
        phases = {"wait": number * 7 % 31, **({"dns": number} if number % 20 < 3 else {})}
        for baseline in (often, once):
            baseline.count(f"https://{number % 3}.test", number * 5 % 37, phases)
            assert len(baseline._counted) < 64
        usual(often)
    for number in range(3):
        assert usual(often, f"https://{number}.test") == usual(once, f"https://{number}.test")
    assert often.origins == once.origins == 3


def test_a_signal_handler_may_ask_while_its_thread_counts():
    """A call in the middle of another's counting takes what is left, and both go on."""
    baseline = Baseline()

    class Interrupted(dict):
        def items(self):
            usual(baseline)
            return super().items()

    for _ in range(100):
        baseline.count(ORIGIN, 5.0, Interrupted(wait=4.0))
    assert usual(baseline) == Usual(calls=31, duration_ms=5.0, wait_ms=4.0)


def test_a_clients_long_call_is_compared_with_those_before():
    """A client hands what is usual to the verdict of a long call, and the record has it."""
    delays = [0.0] * 9 + [0.15]

    def app(_):
        threading.Event().wait(delays.pop(0))
        return 200, [], b""

    with servers.serve(app) as server, HTTPClient(debug=True, sinks=[]) as client:
        traces = [client.get(server.url).trace for _ in range(10)]

    assert all(trace.usual is None for trace in traces[:-1] if trace.duration_ms < 100)
    assert traces[-1].usual.calls == 9
    assert traces[-1].verdict_culprit == "server"
    assert "times its usual" in traces[-1].verdict_sentence


def test_with_debug_off_nothing_is_learnt():
    """A client that traces nothing has no baseline: the first long call has fixed limits only."""
    with servers.serve(servers.echo) as server, HTTPClient(sinks=[]) as client:
        for _ in range(9):
            client.get(server.url)
        trace = client.get(f"{server.url}/slow?ms=110", debug=True).trace

    assert trace.usual is None
    assert trace.verdict_culprit == "none"


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_child_begins_with_nothing_and_without_its_parents_lock():
    """A fork while a thread holds the lock leaves a child that can learn and ask."""
    with servers.serve(servers.echo) as server, HTTPClient(debug=True, sinks=[]) as client:
        for _ in range(9):
            client.get(server.url)
        baseline = client._tracing.recording().baseline
        holding, done = threading.Event(), threading.Event()

        def hold():
            with baseline._lock:
                holding.set()
                done.wait(10)

        holder = threading.Thread(target=hold)
        holder.start()
        holding.wait(10)
        child = os.fork()
        if child == 0:
            known = baseline.origins
            found = usual(baseline, server.url)
            os._exit(0 if known == 0 and found is None else 1)
        done.set()
        holder.join()
        _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
