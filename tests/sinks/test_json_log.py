"""The log line: one per trace, whole, found by its id, and harmless whatever the handlers do."""

from __future__ import annotations

import io
import logging
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import structlog
from made_traces import attempt, exchange, result
from structlog.contextvars import bound_contextvars

from tracedclient import JsonLogSink
from tracedclient.sinks import FanOut
from tracedclient.trace.model import Connect
from tracedclient.trace.schema import MAX_LINE, fit, from_json


def emit(trace=None, **facts):
    JsonLogSink().emit(trace or result(**facts))


def large():
    """A trace that does not fit into a line."""
    connects = tuple(Connect(addr=f"10.0.{n}.1:443", ms=1.0, error="é" * 20) for n in range(200))
    return result(attempt(exchange(connects=connects)), verdict_sentence="é" * 6000)


def test_one_line_per_trace(log):
    """Each trace is one line, in the order in which they ended."""
    for number in range(5):
        emit(trace_id=f"call-{number}")
    assert [record["trace_id"] for record in log.records] == [f"call-{n}" for n in range(5)]


def test_line_is_the_trace(log):
    """The line can be read back into the very trace that was emitted."""
    trace = result(attempt(exchange(status=200), status=200), service_name="naïve\nservice")
    emit(trace)
    assert from_json(log.raw[0]) == trace


def test_time_comes_first_and_the_id_soon_after(log):
    """The line opens with a UTC time of fixed width; the id stands in its first 250 bytes."""
    trace_id = "i" * 128
    emit(trace_id=trace_id, outcome="too_many_redirects")
    (line,) = log.raw
    assert re.match(r'\{"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","level":"', line)
    assert list(log.one)[:5] == ["timestamp", "level", "event", "schema", "trace_id"]
    assert trace_id in line.encode()[:300].decode()
    assert line.index(trace_id) < 250


def test_grep_for_an_id_finds_its_line(log):
    """``grep -F ID`` finds the line of that trace, and no other."""
    logging.getLogger("app").addHandler(logging.getLogger("tracedclient.trace").handlers[0])
    ids = [f"4bf92f3577b34da6a3ce929d0e0e47{n:02d}" for n in range(20)]
    for trace_id in ids:
        emit(trace_id=trace_id)
        logging.getLogger("app").warning("something else happened")
    for trace_id in (ids[0], ids[19]):
        found = subprocess.run(
            ["grep", "-F", trace_id, log.path], capture_output=True, text=True, check=True
        )
        assert len(found.stdout.splitlines()) == 1
        assert from_json(found.stdout).trace_id == trace_id


@pytest.mark.parametrize(
    ("outcome", "level"), [("ok", "info"), ("http_error", "warning"), ("dns_error", "warning")]
)
def test_level_says_whether_it_went_well(log, outcome, level):
    """A call that went well is INFO, any other WARNING."""
    emit(outcome=outcome)
    assert log.one["level"] == level
    assert log.one["event"] == "http.client.trace"
    assert log.one["logger"] == "tracedclient.trace"


def test_threads_write_whole_lines(log):
    """Traces of many threads at once are as many whole lines, none lost or mixed."""
    sink, together = JsonLogSink(), Barrier(8)

    def work(thread):
        together.wait(10)
        for number in range(25):
            sink.emit(result(trace_id=f"{thread}-{number}", service_name="s" * 3000))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    expected = {f"{thread}-{number}" for thread in range(8) for number in range(25)}
    assert len(log.records) == 200
    assert {record["trace_id"] for record in log.records} == expected


def test_line_keeps_its_limit_whatever_is_bound(log):
    """A line has at most 15,000 bytes, however large the trace and however much is bound."""
    with bound_contextvars(**{f"key_{n}": "é\N{GRINNING FACE}" * 100 for n in range(60)}):
        emit(large())
    (line,) = log.raw
    assert len(line.encode()) < MAX_LINE
    assert log.one["truncated"] is True
    assert log.one["context_dropped"] >= 58
    assert from_json(line) == fit(large())


def test_applications_structlog_stays_its_own(log):
    """The application's structlog configuration is neither used nor changed."""
    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.KeyValueRenderer()])
    try:
        configured = structlog.get_config()
        emit()
        assert structlog.get_config() == configured
        assert log.one["event"] == "http.client.trace"
    finally:
        structlog.configure(**before)


def test_record_factory_of_the_application_keeps_its_fields(log):
    """A record factory that sets keys of ours does not lose the line, and adds those of its own."""
    made = logging.getLogRecordFactory()

    def factory(*args, **kwargs):
        record = made(*args, **kwargs)
        record.trace_id, record.region = "the factory's", "eu-1"
        return record

    logging.setLogRecordFactory(factory)
    emit(trace_id="call-1")
    assert (log.one["trace_id"], log.one["region"]) == ("call-1", "eu-1")


def test_other_formatters_work_too():
    """A handler with a formatter of the application's own gets the event, and its fields as extra."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s %(trace_id)s %(outcome)s"))
    logger = logging.getLogger("tracedclient.trace")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    emit(trace_id="call-1")
    assert written.getvalue() == "INFO http.client.trace call-1 ok\n"


def test_filter_of_the_application_is_asked(log):
    """A filter on the logger can drop a line."""
    logger = logging.getLogger("tracedclient.trace")

    def keep(record):
        return record.trace_id != "noise"

    logger.addFilter(keep)
    try:
        emit(trace_id="noise")
        emit(trace_id="signal")
    finally:
        logger.removeFilter(keep)
    assert log.one["trace_id"] == "signal"


def test_closed_stream_harms_nothing(log, capsys):
    """A handler whose stream is closed loses its own line only; other handlers get theirs."""
    closed = io.StringIO()
    closed.close()
    broken = logging.StreamHandler(closed)
    logging.getLogger("tracedclient.trace").handlers.insert(0, broken)
    emit(trace_id="call-1")
    assert log.one["trace_id"] == "call-1"
    assert "I/O operation on closed file" in capsys.readouterr().err


def test_handler_that_raises_harms_nothing(log):
    """A handler that raises goes no further than the fan-out, even if it is the root's as well."""

    class Broken(logging.Handler):
        calls = 0

        def emit(self, record):
            self.calls += 1
            raise ZeroDivisionError

    broken = Broken()
    logging.getLogger("tracedclient.trace").addHandler(broken)
    logging.getLogger().handlers.insert(0, broken)
    FanOut([JsonLogSink()]).emit(result(trace_id="call-1"))
    assert broken.calls == 2
    assert log.one["trace_id"] == "call-1"
