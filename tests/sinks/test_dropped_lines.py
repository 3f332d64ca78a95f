"""Debug is on, but logging drops the line: that is said, once, with what to do about it."""

from __future__ import annotations

import io
import logging
import logging.config
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest
from made_traces import result

from tracedclient import JsonLogSink, logging_config
from tracedclient.trace.schema import from_json

WARNING = "debug is on, but the logger 'tracedclient.trace' drops"


@contextmanager
def bare_root():
    """The root logger as Python starts with it: level WARNING, no handler."""
    root = logging.getLogger()
    handlers, root.handlers = root.handlers, []
    root.setLevel(logging.WARNING)
    try:
        yield
    finally:
        root.handlers = handlers


def test_dropped_line_is_warned_of_once(caplog):
    """With the usual root level an INFO line is lost: that is said once, with what to do."""
    logging.getLogger().setLevel(logging.WARNING)
    sink = JsonLogSink()
    for _ in range(3):
        sink.emit(result())
    (record,) = caplog.records
    assert record.name == "tracedclient"
    assert WARNING in record.getMessage()
    assert "INFO lines" in record.getMessage()
    assert "tracedclient.logging_config()" in record.getMessage()
    assert "logging.config.dictConfig" in record.getMessage()


def test_dropped_lines_of_many_threads_are_warned_of_once(caplog):
    """The warning comes once also when many threads find out at the same moment."""
    sink, together = JsonLogSink(), Barrier(8)

    def work(_):
        together.wait(10)
        sink.emit(result())

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert len(caplog.records) == 1


@pytest.mark.parametrize("outcome", ["ok", "timeout"])
def test_without_any_logging_there_is_one_warning_and_no_rest(capsys, outcome):
    """In a process that configured no logging, standard error gets the warning, once, and no more."""
    sink = JsonLogSink()
    with bare_root():
        for _ in range(3):
            sink.emit(result(outcome=outcome))
    written = capsys.readouterr().err
    assert written.count("\n") == 1
    assert WARNING in written


def drop_by_level():
    logging.getLogger("tracedclient.trace").setLevel(logging.CRITICAL)


def drop_by_handler():
    logging.getLogger("tracedclient.trace").setLevel(logging.INFO)
    logging.getLogger("tracedclient.trace").propagate = False
    logging.getLogger("tracedclient.trace").addHandler(logging.StreamHandler(io.StringIO()))
    logging.getLogger("tracedclient.trace").handlers[0].setLevel(logging.ERROR)


def drop_by_null_handler():
    logging.getLogger("tracedclient.trace").setLevel(logging.INFO)
    logging.getLogger("tracedclient.trace").propagate = False
    logging.getLogger("tracedclient.trace").addHandler(logging.NullHandler())


def drop_by_disabling():
    # What dictConfig does to loggers it does not name, unless told not to.
    logging.getLogger("tracedclient.trace").disabled = True


@pytest.mark.parametrize(
    "drop", [drop_by_level, drop_by_handler, drop_by_null_handler, drop_by_disabling]
)
def test_every_way_to_drop_a_line_is_noticed(drop, caplog):
    """Level, handler, handler of nothing, disabled logger: each way to lose the line is warned of."""
    drop()
    JsonLogSink().emit(result(outcome="timeout"))
    assert caplog.text.count(WARNING) == 1
    assert "WARNING lines" in caplog.text


def test_no_warning_where_the_line_appears(log, caplog):
    """Where the line is written, nothing is warned of."""
    JsonLogSink().emit(result())
    JsonLogSink().emit(result(outcome="timeout"))
    assert len(log.records) == 2
    assert [record for record in caplog.records if record.name == "tracedclient"] == []


def test_root_handler_is_enough(caplog):
    """A handler of the root logger gets the line, once the level lets it through."""
    logging.getLogger("tracedclient.trace").setLevel(logging.INFO)
    JsonLogSink().emit(result(trace_id="call-1"))
    (record,) = caplog.records
    assert (record.name, record.trace_id) == ("tracedclient.trace", "call-1")


def test_line_appears_once_logging_is_put_right(tmp_path, caplog):
    """A sink that warned writes as soon as the application has configured its logging."""
    logging.getLogger().setLevel(logging.WARNING)
    sink = JsonLogSink()
    sink.emit(result())
    logging.config.dictConfig(logging_config(filename=tmp_path / "late.log"))
    sink.emit(result(trace_id="call-2"))
    assert from_json((tmp_path / "late.log").read_text()).trace_id == "call-2"
