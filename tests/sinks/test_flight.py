"""The flight recorder: bounded, quiet, and there when something fails."""

from __future__ import annotations

import threading

import pytest
from made_traces import attempt, exchange, result

from tracedclient import FlightRecorder
from tracedclient.sinks.flight import Flight


class HeldClock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return HeldClock()


@pytest.fixture
def flight(clock):
    """``flight(before=…)``: a recorder whose clock stands still."""
    return lambda **config: Flight(FlightRecorder(**config), clock=clock)


def good(trace_id, host="api.test", **facts):
    given = {"server_address": host, "server_port": 443, "trace_id": trace_id}
    return result(attempt(exchange()), **{**given, **facts})


def bad(trace_id, host="api.test", **facts):
    return good(trace_id, host, **{"outcome": "timeout", **facts})


def take(flight, *traces):
    """Ids and reasons of what is to be logged when these come one after the other."""
    found = [found for trace in traces for found in flight.take(trace, is_emitted=False)]
    return [(trace.trace_id, trace.emit_reason, trace.led_up_to) for trace in found]


def test_nothing_is_logged_while_all_is_well(flight):
    """Calls that go well are kept, and nothing is logged."""
    recorder = flight()
    assert take(recorder, good("a"), good("b")) == []
    assert [trace.trace_id for trace in recorder.recent()] == ["a", "b"]
    assert recorder.recent()[0] == good("a")


def test_failure_brings_what_led_up_to_it(flight):
    """A failure is logged with the calls before it to the same origin, the oldest first, marked."""
    recorder = flight(before=2)
    calls = [good("a"), good("x", "other.test"), good("b"), good("c"), bad("d")]
    assert take(recorder, *calls) == [
        ("b", "led_up_to", "d"),
        ("c", "led_up_to", "d"),
        ("d", "error", None),
    ]


def test_each_trace_is_logged_once(flight):
    """What led up to one failure is not logged again for the next one, nor is a failure."""
    recorder = flight()
    assert take(recorder, good("a"), bad("b")) == [("a", "led_up_to", "b"), ("b", "error", None)]
    assert take(recorder, good("c"), bad("d")) == [("c", "led_up_to", "d"), ("d", "error", None)]


def test_what_somebody_asked_for_is_not_logged_again(flight):
    """A failure that the flag logged brings what led up to it, and not itself a second time."""
    recorder = flight()
    recorder.take(good("a"), is_emitted=True)
    recorder.take(good("b"), is_emitted=False)
    found = recorder.take(bad("c"), is_emitted=True)
    assert [(trace.trace_id, trace.led_up_to) for trace in found] == [("b", "c")]


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"outcome": "connect_error"}, "error"),
        ({"outcome": "cancelled"}, "error"),
        ({"outcome": "http_error", "http_response_status_code": 503}, "error"),
        ({"outcome": "http_error", "http_response_status_code": 404}, None),
        ({"duration_ms": 500.0}, "slow"),
        ({"duration_ms": 499.9}, None),
        ({"duration_ms": 900.0, "outcome": "timeout"}, "error"),
    ],
)
def test_what_counts(flight, facts, reason):
    """Exceptions, answers of 500 and above, and slow calls count; a 404 is an answer like any."""
    found = take(flight(slow_ms=500), good("a", **facts))
    assert found == ([] if reason is None else [("a", reason, None)])


def test_slow_counts_only_where_asked_for(flight):
    """Without ``slow_ms`` no call is slow."""
    assert take(flight(), good("a", duration_ms=1e6)) == []


def test_outage_is_logged_at_a_bounded_rate(flight, clock):
    """10,000 failures a second: ten traces a second are logged, the rest are kept and counted."""
    recorder, logged = flight(), 0
    for n in range(20_000):
        if n % 100 == 0:
            clock.now += 0.01
        logged += len(take(recorder, bad(f"t{n}")))
    assert 20 <= logged <= 31
    assert recorder.stats().held_back >= 19_900
    assert recorder.stats().kept == 256


def test_number_and_bytes_are_bounded(flight):
    """However many and large the traces, memory holds at most so many, and so many bytes."""
    recorder = flight(traces=50)
    take(recorder, *(good(f"t{n}") for n in range(200)))
    assert recorder.stats().kept == 50
    assert recorder.recent()[0].trace_id == "t150"
    small = flight(max_bytes=20_000)
    take(small, *(good(f"t{n}", verdict_sentence="x" * 5000) for n in range(50)))
    assert 15_000 < small.stats().bytes <= 20_000


def test_single_huge_trace_is_cut(flight):
    """A trace of a thousand attempts is cut to a line's size before it is kept."""
    recorder = flight(max_bytes=20_000)
    take(recorder, good("a", attempts=tuple(attempt(exchange(), number=n) for n in range(1000))))
    (kept,) = recorder.recent()
    assert kept.truncated
    assert recorder.stats().bytes < 15_000


def test_recent_of_one_origin(flight):
    """``recent`` gives the traces of one origin, by its host or by host and port."""
    recorder = flight()
    take(recorder, good("a"), good("b", "other.test"))
    assert [trace.trace_id for trace in recorder.recent("api.test")] == ["a"]
    assert [trace.trace_id for trace in recorder.recent("other.test:443")] == ["b"]
    assert recorder.recent("third.test") == ()


def test_call_without_an_origin_is_kept_too(flight):
    """A call that had no valid URL fails like any other."""
    found = flight().take(result(outcome="invalid_request"), is_emitted=False)
    assert [trace.emit_reason for trace in found] == ["error"]


def test_threads(flight):
    """Eight threads that fail at once: each trace is logged at most once, and none is lost."""
    recorder, found = flight(traces=10_000, max_bytes=10**8, max_per_second=1000), []

    def work(number):
        for n in range(200):
            trace = (bad if n % 50 == 49 else good)(f"{number}-{n}")
            found.extend(t.trace_id for t in recorder.take(trace, is_emitted=False))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 32 * 6
    assert recorder.stats().kept == 1600


def test_forked_child_begins_empty(flight):
    """A child logs nothing that its parent kept, also when another thread held the lock then."""
    recorder = flight()
    take(recorder, good("a"))
    holding, done = threading.Event(), threading.Event()

    def hold():
        with recorder._lock:
            holding.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    assert holding.wait(10)
    recorder.after_fork()
    assert take(recorder, bad("b")) == [("b", "error", None)]
    done.set()
    holder.join()


def test_signal_handler_may_look(flight):
    """Asking for the recent traces while this very thread keeps one does not wait for ever."""
    recorder = flight()
    take(recorder, good("a"))
    with recorder._lock:
        assert len(recorder.recent()) == recorder.stats().kept == 1


@pytest.mark.parametrize(
    ("config", "error"),
    [
        ({"traces": 0}, ValueError),
        ({"traces": 1.5}, TypeError),
        ({"max_bytes": 100}, ValueError),
        ({"before": -1}, ValueError),
        ({"before": True}, TypeError),
        ({"slow_ms": 0}, ValueError),
        ({"slow_ms": "500"}, TypeError),
        ({"max_per_second": 0}, ValueError),
        ({"max_per_second": float("nan")}, ValueError),
    ],
)
def test_values_that_cannot_be_meant(config, error):
    """A value that makes no sense is refused, and the message names the field."""
    with pytest.raises(error, match=f"^{next(iter(config))} must be"):
        FlightRecorder(**config)


def test_values_are_immutable():
    """A ``FlightRecorder`` cannot be changed once made."""
    with pytest.raises(AttributeError):
        FlightRecorder().traces = 5
