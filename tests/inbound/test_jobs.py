"""Jobs and consumers: the trace of work that no request brought."""

from __future__ import annotations

import asyncio
import re

import pytest

from tracedclient.inbound import (
    current_context,
    current_trace_id,
    received_trace,
    trace_context,
    trace_headers,
    traced_job,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@traced_job
def job():
    """A job."""
    return current_trace_id()


def test_each_run_has_an_id_of_its_own():
    """Without a message, a run gets a new id, which is gone afterwards."""
    first, second = job(), job()
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second
    assert current_trace_id() is None


def test_run_within_a_trace_belongs_to_it():
    """A job that is called and not queued keeps its caller's id."""
    with trace_context("order-5"):
        assert job() == "order-5"


def test_decorated_function_looks_like_itself():
    """Name, docstring and signature are the function's."""
    assert (job.__name__, job.__doc__) == ("job", "A job.")


def test_headers_of_the_message_count():
    """``headers`` is called as the job is; what it returns is believed as a request's headers are."""

    @traced_job(headers=lambda message, *, retry: message)
    def consume(message, *, retry):
        return current_context(), retry

    context, retry = consume({"TraceParent": f"00-{TRACE}-{SPAN}-01".encode()}, retry=3)
    assert (context.trace_id, context.span_id, context.sampled) == (TRACE, SPAN, True)
    assert retry == 3
    with trace_context("outer"):
        assert consume({"X-Trace-Id": "bad\nid"}, retry=0)[0].trace_id == "outer"
        assert consume(None, retry=0)[0].trace_id == "outer"


def test_coroutine_functions_are_bound_while_they_run():
    """Two coroutine jobs at a time each have their own id."""

    @traced_job(headers=lambda name, *_: {"X-Trace-Id": name})
    async def work(name, mine, other):
        mine.set()
        await other.wait()
        return current_trace_id()

    async def main():
        a, b = asyncio.Event(), asyncio.Event()
        return await asyncio.gather(work("a", a, b), work("b", b, a))

    assert asyncio.run(main()) == ["a", "b"]


def test_headers_that_cannot_be_had_do_not_stop_the_job(caplog):
    """An error in ``headers`` is logged, and the job runs under an id of its own."""

    @traced_job(headers=lambda message: message.headers)
    def consume(message):
        return current_trace_id()

    assert re.fullmatch("[0-9a-f]{32}", consume("no headers here"))
    assert "headers=" in caplog.text
    assert "AttributeError" in caplog.text


def test_error_of_the_job_is_the_jobs():
    """What the job raises goes up as it is, and the id does not stay."""

    @traced_job
    def fails():
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        fails()
    assert current_trace_id() is None


def test_generators_are_refused():
    """A generator's body runs in whatever context asks for the next value: that is said."""

    def generator():
        yield

    async def async_generator():
        yield

    for function in (generator, async_generator):
        with pytest.raises(TypeError, match=f"the generator {function.__name__}"):
            traced_job(function)


@pytest.mark.parametrize(
    "headers",
    [{"x-trace-id": "order-5"}, {"X-Trace-Id": b"order-5"}, {"X-Trace-Id": ["order-5"], 5: 6}],
)
def test_received_trace_binds_what_a_message_names(headers):
    """Whatever a broker calls text, the id in it is bound inside of the block."""
    with received_trace(headers) as trace_id:
        assert trace_id == current_trace_id() == "order-5"
    assert current_trace_id() is None


@pytest.mark.parametrize(
    "headers",
    [None, {}, {"X-Trace-Id": ["a", "b"]}, {"X-Trace-Id": 5}, {"X-Trace-Id": b"\xff"}],
)
def test_received_trace_makes_an_id_where_there_is_none(headers):
    """Without a good id there is a new one, even inside of another trace: messages are not calls."""
    with trace_context("outer"), received_trace(headers) as trace_id:
        assert re.fullmatch("[0-9a-f]{32}", trace_id)


def test_headers_for_a_message_bring_the_trace_there():
    """What ``trace_headers`` gives, ``received_trace`` understands, in every format."""
    with received_trace({"traceparent": f"00-{TRACE}-{SPAN}-03", "tracestate": "a=1"}):
        assert trace_headers() == {
            "traceparent": f"00-{TRACE}-{SPAN}-03",
            "tracestate": "a=1",
            "X-Trace-Id": TRACE,
        }
        assert trace_headers(("b3",)) == {"b3": f"{TRACE}-{SPAN}-1"}
        sent = trace_headers(("b3multi",))
    with received_trace(sent):
        context = current_context()
        assert (context.trace_id, context.span_id, context.sampled) == (TRACE, SPAN, True)


def test_headers_for_a_message_without_a_trace():
    """Where no trace is bound, the message begins one."""
    headers = trace_headers()
    assert headers["traceparent"].startswith(f"00-{headers['X-Trace-Id']}-")
    assert headers["X-Trace-Id"] != trace_headers()["X-Trace-Id"]


def test_formats_of_a_message_are_checked():
    """A name that is none is refused by the argument's name."""
    with pytest.raises(ValueError, match="carried must hold names"):
        trace_headers(("a b",))
