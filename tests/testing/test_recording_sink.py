"""A sink that keeps what it gets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tracedclient import HTTPClient, Sink
from tracedclient.testing import Answer, faulty_server, make_trace_result


def test_it_keeps_what_a_client_tells(sink):
    """The trace of a call is there when the call has returned, the one on the response."""
    with (
        HTTPClient(debug=True, sinks=[sink]) as client,
        faulty_server(Answer(404)) as server,
    ):
        response = client.get(server.url, trace_id="4bf92f35")

    assert isinstance(sink, Sink)
    assert sink.one is response.trace
    assert sink.results == [response.trace]
    assert (sink.one.trace_id, sink.one.outcome) == ("4bf92f35", "http_error")


def test_one_says_what_there_is_instead(sink):
    """None, and more than one, fail the test with words that help."""
    with pytest.raises(AssertionError, match="got none: was the call made, with debug on"):
        _ = sink.one
    sink.emit(make_trace_result())
    sink.emit(make_trace_result(outcome="timeout"))
    with pytest.raises(AssertionError, match=r"got 2: GET https://api.example.org/v1/orders/7 ok;"):
        _ = sink.one


def test_by_trace_id(sink):
    """The calls of one id are found in order, and none for an id that never was."""
    mine = [make_trace_result(trace_id="mine", duration_ms=ms) for ms in (1.0, 2.0)]
    for result in (mine[0], make_trace_result(), mine[1]):
        sink.emit(result)

    assert sink.by_trace_id("mine") == mine
    assert sink.by_trace_id("other") == []


def test_clear_and_copies(sink):
    """``results`` is a copy of its moment: clearing the sink does not empty it, nor the reverse."""
    sink.emit(make_trace_result())
    results = sink.results
    sink.clear()
    assert (len(results), sink.results) == (1, [])

    sink.emit(make_trace_result())
    sink.results.clear()
    assert len(sink.results) == 1


def test_threads(sink):
    """Nothing is lost when many threads emit at once."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: sink.emit(make_trace_result(trace_id=str(n))), range(400)))
    assert sorted(int(result.trace_id) for result in sink.results) == list(range(400))
