"""The trace id of the work that is being done: bound, seen, and gone again."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

import pytest

from tracedclient.inbound import current_trace_id, trace_context
from tracedclient.trace.context import TraceContext


def test_id_is_bound_inside_of_the_block_only():
    """The id is there inside of the block, and what was there before is there after it."""
    assert current_trace_id() is None
    with trace_context("outer") as bound:
        assert bound == "outer" == current_trace_id()
        with trace_context("inner"):
            assert current_trace_id() == "inner"
        assert current_trace_id() == "outer"
    assert current_trace_id() is None


def test_id_is_gone_after_a_block_that_raised():
    """An exception leaves no id behind for the next piece of work."""
    with pytest.raises(RuntimeError), trace_context("job-1"):
        raise RuntimeError
    assert current_trace_id() is None


@pytest.mark.parametrize(
    ("trace", "named"),
    [
        (TraceContext('x","outcome":"forged'), "trace_id must"),
        (TraceContext("a\nb"), "trace_id must"),
        (TraceContext("t-1", span_id='a","x":"b'), "trace must have a span_id of 16 hex digits"),
        (TraceContext("t-1", span_id="0" * 16), "trace must have a span_id of 16 hex digits"),
    ],
)
def test_context_with_a_bad_id_is_refused_and_not_bound(trace, named):
    """Neither id of a trace that is given whole can forge a header or a log line."""
    with pytest.raises(ValueError, match=named), trace_context(trace):
        pytest.fail("bound")
    assert current_trace_id() is None


@pytest.mark.parametrize(
    ("trace_id", "error"), [("", ValueError), ("a\nb", ValueError), (None, TypeError)]
)
def test_bad_id_is_refused_and_not_bound(trace_id, error):
    """An id that is none is an error on entry, and the one bound before stays."""
    with trace_context("good"):
        with pytest.raises(error, match="trace_id must"), trace_context(trace_id):
            pass
        assert current_trace_id() == "good"


def test_thread_starts_without_unless_given_a_copy():
    """A pool's thread does not see the id, and sees it when run in a copy of the context."""
    with ThreadPoolExecutor(1) as pool, trace_context("job-1"):
        assert pool.submit(current_trace_id).result() is None
        copied = contextvars.copy_context()
        assert pool.submit(copied.run, current_trace_id).result() == "job-1"
        assert pool.submit(current_trace_id).result() is None


def test_tasks_do_not_see_each_others_ids():
    """Tasks that run interleaved each see their own id, and inherit the one they were made in."""

    async def served(trace_id, mine, other):
        inherited = current_trace_id()
        with trace_context(trace_id):
            mine.set()
            await other.wait()
            return inherited, current_trace_id()

    async def main():
        first, second = asyncio.Event(), asyncio.Event()
        with trace_context("server"):
            return await asyncio.gather(served("a", first, second), served("b", second, first))

    assert asyncio.run(main()) == [("server", "a"), ("server", "b")]
