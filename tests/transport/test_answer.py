"""A response's trace, made when somebody asks for it."""

from __future__ import annotations

import pickle
import sys
import threading

from tracedclient import HTTPClient
from tracedclient.transport.answer import TracedResponse


def hold_after_first_line(function, go_on):
    """Have this thread wait for ``go_on`` after the first line of each call of ``function``."""
    lines = []

    def within(frame, event, _):
        if event == "line":
            lines.append(frame.f_lineno)
            if len(lines) == 2:
                first_line_done.set()
                assert go_on.wait(30)
        return within

    def each(frame, *_):
        return within if frame.f_code is function.__code__ else None

    first_line_done = threading.Event()
    return each, first_line_done


def test_two_threads_may_ask_for_a_trace_at_once():
    """Who asks while another thread is being told gets the trace too."""
    response, result, found = TracedResponse(), object(), []
    response.trace_on_demand(lambda: result)
    other_is_told = threading.Event()
    each, has_looked = hold_after_first_line(TracedResponse.trace.fget, other_is_told)

    def ask():
        sys.settrace(each)
        found.append(response.trace)

    thread = threading.Thread(target=ask)
    thread.start()
    assert has_looked.wait(30)
    found.append(response.trace)
    other_is_told.set()
    thread.join()
    assert found == [result, result]


def test_a_response_whose_trace_nobody_asked_for_can_be_pickled(echo_server):
    """What makes the trace on demand stays behind, as the trace itself does."""
    with HTTPClient(sinks=()) as client:
        client.get(f"{echo_server.url}/", debug=True)
        response = client.get(f"{echo_server.url}/", debug=True)
    copy = pickle.loads(pickle.dumps(response))
    assert (copy.status_code, copy.content) == (response.status_code, response.content)
    assert copy.trace is None
    assert response.trace.outcome == "ok"
