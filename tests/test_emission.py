"""Which finished traces go to the sinks, and that keeping one cannot harm the request."""

from __future__ import annotations

from contextlib import closing

import pytest
from made_traces import attempt, exchange, result

from tracedclient import FlightRecorder
from tracedclient._emission import Emission
from tracedclient.debug import Decision, FlagUpdater, StaticFlag
from tracedclient.sinks import FanOut
from tracedclient.sinks.flight import FOR_THE_RECORD, Flight
from tracedclient.testing import RecordingSink


@pytest.fixture
def sink():
    return RecordingSink()


@pytest.fixture
def emission(sink):
    """An ``Emission`` with a flight recorder, in front of ``sink``."""
    with closing(FlagUpdater(StaticFlag(False))) as flag:
        yield Emission(FanOut((sink,)), flag, Flight(FlightRecorder()))


def trace(trace_id, **facts):
    return result(attempt(exchange()), trace_id=trace_id, **facts)


def test_trace_that_a_rule_did_not_want_may_lead_up_to_one(emission, sink):
    """A call recorded for ``emit: errors`` that went well is logged once another one fails."""
    rule = Decision(source="s", emit="errors")
    emission.take(trace("a"), rule)
    assert sink.results == []
    emission.take(trace("b", outcome="timeout"), rule)
    assert [(r.trace_id, r.emit_reason) for r in sink.results] == [
        ("b", "error"),
        ("a", "led_up_to"),
    ]


def test_failure_is_logged_once(emission, sink):
    """A failed call that the flag's rule had logged is not logged by the recorder again."""
    emission.take(trace("a", outcome="timeout"), Decision(source="s", emit="errors_or_slow"))
    emission.take(trace("b", outcome="timeout"), FOR_THE_RECORD)
    assert [r.trace_id for r in sink.results] == ["a", "b"]


def test_trace_that_cannot_be_kept_harms_nothing(emission, sink, caplog):
    """A trace that cannot be JSON is complained of, and the call goes on."""
    emission.take(trace("a", url_full="\ud800"), FOR_THE_RECORD)
    assert "the flight recorder lost a" in caplog.text
    emission.take(trace("b", outcome="timeout"), FOR_THE_RECORD)
    assert [r.trace_id for r in sink.results] == ["b"]
