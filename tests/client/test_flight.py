"""The flight recorder in a client: the incident is in the log the first time."""

from __future__ import annotations

import os

import pytest
import requests
import servers

from tracedclient import FlightRecorder, HTTPClient, RetryPolicy

ONCE = RetryPolicy(max_attempts=1)


@pytest.fixture
def client(make_client):
    """A client without a flag, and with a flight recorder."""
    return make_client(debug=False, retry=ONCE, flight_recorder=FlightRecorder())


def test_incident_is_caught_the_first_time(client, collected, echo_server):
    """Without any flag, a failed call is logged together with the calls that led up to it."""
    for n in range(3):
        client.get(f"{echo_server.url}/ok", trace_id=f"before-{n}")
    client.get(f"{echo_server.url}/status/503", trace_id="failed")
    assert [(r.trace_id, r.emit_reason) for r in collected.results] == [
        *((f"before-{n}", "led_up_to") for n in range(3)),
        ("failed", "error"),
    ]
    assert {r.debug_source for r in collected.results} == {"flight_recorder"}
    assert [r.led_up_to for r in collected.results] == ["failed"] * 3 + [None]
    assert collected.results[0].attempts


def test_exception_is_logged_and_carries_its_trace(client, collected):
    """A call that raises is logged, and its error has the trace."""
    with pytest.raises(requests.ConnectionError) as failure:
        client.get(f"http://127.0.0.1:{servers.refused_port()}/")
    assert collected.one.outcome == "connect_error"
    assert failure.value.trace.trace_id == collected.one.trace_id


def test_recent_is_there_for_a_debugger(client, collected, echo_server):
    """``client.flight.recent()`` gives the last traces, though none was logged."""
    client.get(f"{echo_server.url}/a")
    client.get(f"{echo_server.url}/b")
    assert [t.url_full[-2:] for t in client.flight.recent(f"127.0.0.1:{echo_server.port}")] == [
        "/a",
        "/b",
    ]
    assert collected.results == []


def test_other_services_are_not_told_to_sample(client, echo_server):
    """Keeping a trace for ourselves does not make the services behind record theirs."""
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    kept = client.get(echo_server.url, trace_id=trace_id)
    asked_for = client.get(echo_server.url, trace_id=trace_id, debug=True)
    assert kept.json()["headers"] != asked_for.json()["headers"]
    assert kept.request.headers["traceparent"].endswith("-00")
    assert asked_for.request.headers["traceparent"].endswith("-01")


def test_debug_false_of_a_call_is_kept_out(client, collected, echo_server):
    """``debug=False`` keeps a call out of the recorder too, whatever becomes of it."""
    client.get(f"{echo_server.url}/status/503", debug=False)
    assert client.flight.recent() == ()
    assert collected.results == []


def test_without_a_recorder_there_is_none(make_client):
    """A client without one has ``flight`` of ``None``."""
    assert make_client().flight is None


def test_wrong_value_is_refused():
    """Something that is no ``FlightRecorder`` is refused by name."""
    with pytest.raises(TypeError, match="flight_recorder must be a FlightRecorder"):
        HTTPClient(flight_recorder=True)


def test_forked_child_logs_its_own_only(client, collected, echo_server):
    """A child's failure brings none of its parent's calls."""
    client.get(f"{echo_server.url}/parent")
    pid = os.fork()
    if pid == 0:
        try:
            client.get(f"{echo_server.url}/status/503", trace_id="child")
            os._exit(0 if [r.trace_id for r in collected.results] == ["child"] else 1)
        finally:
            os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(client.flight.recent()) == 1
