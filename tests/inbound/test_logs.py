"""The application's own lines: one grep finds them and the traces."""

from __future__ import annotations

import contextvars
import io
import logging
import logging.handlers
import queue
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from tracedclient.inbound import TraceIdFilter, trace_context


@pytest.fixture
def log():
    """A logger, and what its handler writes: ``log.info(…)``, ``log.lines()``."""
    logger = logging.getLogger("app.of.a.test")
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(logging.Formatter("%(message)s %(trace_id)s", defaults={"trace_id": "-"}))
    handler.addFilter(TraceIdFilter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.lines = lambda: handler.stream.getvalue().splitlines()
    yield logger
    logger.removeHandler(handler)


def test_every_record_has_the_id(log):
    """A record made within a trace has its id, one made outside has none, and both are written."""
    log.info("before")
    with trace_context("order-5"):
        log.info("paid")
        logging.getLogger("app.of.a.test.deep.down").warning("twice")
    log.info("after")
    assert log.lines() == ["before -", "paid order-5", "twice order-5", "after -"]


def test_id_that_the_record_brought_stays(log):
    """``extra={"trace_id": …}`` knows better."""
    with trace_context("order-5"):
        log.info("paid", extra={"trace_id": "order-4"})
    assert log.lines() == ["paid order-4"]


def test_what_stands_where_there_is_none():
    """``missing`` is there for formats that cannot do without."""
    record = logging.makeLogRecord({})
    assert TraceIdFilter(missing="none").filter(record)
    assert record.trace_id == "none"
    bare = logging.makeLogRecord({})
    assert TraceIdFilter().filter(bare)
    assert not hasattr(bare, "trace_id")


def test_pool_threads_have_it_by_a_copy_of_the_context(log):
    """In a pool, ``copy_context().run`` takes the id along; without it there is none."""
    with ThreadPoolExecutor(1) as pool, trace_context("order-5"):
        pool.submit(log.info, "without").result()
        pool.submit(contextvars.copy_context().run, log.info, "with").result()
    assert log.lines() == ["without -", "with order-5"]


def test_queue_is_filtered_where_the_record_is_made():
    """Before a ``QueueHandler`` the filter sees the request's id; the listener's thread has none."""
    written = io.StringIO()
    target = logging.StreamHandler(written)
    target.setFormatter(logging.Formatter("%(trace_id)s"))
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    handler.addFilter(TraceIdFilter())
    listener = logging.handlers.QueueListener(records, target)
    logger = logging.getLogger("app.with.a.queue")
    logger.addHandler(handler)
    listener.start()
    with trace_context("order-5"):
        logger.error("paid")
    listener.stop()
    logger.removeHandler(handler)
    assert written.getvalue() == "order-5\n"


def test_structlog_has_it_bound():
    """structlog's context has ``trace_id`` inside of the block, and what was there comes back."""
    with structlog.contextvars.bound_contextvars(user="u", trace_id="mine"):
        with trace_context("order-5"):
            bound = structlog.contextvars.get_contextvars()
            assert bound == {"user": "u", "trace_id": "order-5"}
            structlog.contextvars.bind_contextvars(step=2)
        assert structlog.contextvars.get_contextvars() == {
            "user": "u",
            "trace_id": "mine",
            "step": 2,
        }
        structlog.contextvars.unbind_contextvars("step")
    assert structlog.contextvars.get_contextvars() == {}


def test_structlog_may_be_cleared_in_between():
    """``clear_contextvars`` in the application's own middleware does no harm."""
    with trace_context("order-5"):
        structlog.contextvars.clear_contextvars()
    assert structlog.contextvars.get_contextvars() == {}


def test_structlog_is_not_loaded_for_who_does_not_use_it():
    """An application without structlog does not pay for its import."""
    script = (
        "import sys\n"
        "from tracedclient.inbound import trace_context\n"
        "with trace_context('order-5'): pass\n"
        "sys.exit('structlog' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False, timeout=30).returncode == 0
