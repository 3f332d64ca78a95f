"""Each trace to every sink; none of them can harm the request, or another sink."""

from __future__ import annotations

import logging

import pytest
from made_traces import result

from tracedclient import JsonLogSink, Sink
from tracedclient.sinks import FanOut


class Keeping:
    def __init__(self):
        self.results = []

    def emit(self, result):
        self.results.append(result)


class Broken(Keeping):
    def emit(self, result):
        super().emit(result)
        raise ZeroDivisionError("the sink's own fault")


class AlsoBroken(Broken):
    pass


def test_every_sink_gets_every_trace():
    """All sinks get the same objects, in the order of the traces."""
    sinks = [Keeping(), Keeping()]
    traces = [result(trace_id=str(number)) for number in range(3)]
    fan_out = FanOut(sinks)
    for trace in traces:
        fan_out.emit(trace)
    assert all(sink.results == traces for sink in sinks)
    assert sinks[0].results[0] is traces[0]


def test_sink_that_raises_harms_nobody(caplog):
    """A sink that raises stops neither the others nor the request, and is complained of once."""
    broken, good = Broken(), Keeping()
    fan_out = FanOut([broken, good])
    for _ in range(3):
        fan_out.emit(result())
    assert (len(broken.results), len(good.results)) == (3, 3)
    (record,) = caplog.records
    assert (record.name, record.levelname) == ("tracedclient", "WARNING")
    assert record.getMessage() == "Broken raised; its trace is lost"
    assert record.exc_info[0] is ZeroDivisionError


def test_each_sink_is_complained_of(caplog):
    """That one sink was complained of does not keep another one's failure from being known."""
    fan_out = FanOut([Broken(), AlsoBroken(), Broken()])
    for _ in range(2):
        fan_out.emit(result())
    assert [record.getMessage().split()[0] for record in caplog.records] == [
        "Broken",
        "AlsoBroken",
        "Broken",
    ]


def test_complaint_that_cannot_be_made_harms_nobody():
    """When the handler that gets the complaint raises as well, the request still goes on."""

    class Handler(logging.Handler):
        calls = 0

        def emit(self, record):
            self.calls += 1
            raise ZeroDivisionError

    handler, good = Handler(), Keeping()
    logging.getLogger("tracedclient").addHandler(handler)
    FanOut([Broken(), good]).emit(result())
    assert handler.calls == 1
    assert len(good.results) == 1


def test_interruption_goes_through():
    """A sink cannot swallow what is meant to end the process."""

    class Interrupting:
        def emit(self, result):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        FanOut([Interrupting()]).emit(result())


def test_no_sinks_is_no_error():
    """Traces may go nowhere: ``response.trace`` is enough for some."""
    FanOut([]).emit(result())


@pytest.mark.parametrize("sink", [None, print, "app.log", object()])
def test_what_is_no_sink_is_refused(sink):
    """What has no ``emit`` is refused when the client is made, not when the first trace is lost."""
    with pytest.raises(TypeError, match=r"sinks must have an emit\(result\) method"):
        FanOut([sink])


def test_anything_with_emit_is_a_sink():
    """A sink needs no base class."""
    assert isinstance(Keeping(), Sink)
    assert isinstance(JsonLogSink(), Sink)
    assert not isinstance(object(), Sink)
