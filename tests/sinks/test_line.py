"""The short way of a trace's line into a handler: the same bytes, and only where nobody looks."""

from __future__ import annotations

import io
import json
import logging
import re
import time
from contextlib import closing
from importlib.metadata import version

import pytest
from made_traces import attempt, exchange, result
from pythonjsonlogger.core import RESERVED_ATTRS
from structlog.contextvars import bound_contextvars

from tracedclient import JsonLogSink
from tracedclient.inbound import TraceIdFilter, trace_context
from tracedclient.sinks import LineFileHandler
from tracedclient.sinks.formatter import JsonLineFormatter
from tracedclient.sinks.line import LineRecord
from tracedclient.trace.model import Connect
from tracedclient.trace.moments import utc_ns

LOGGER = logging.getLogger("tracedclient.trace")


class OwnHandler(logging.StreamHandler):
    """A handler of the application's: who knows what it does with a record."""


def handled(kind, trace, formatter=None):
    """The lines that a handler of ``kind`` writes of ``trace``, but for their time."""
    handler = kind(io.StringIO())
    emitted(handler, trace, formatter)
    return untimed(handler.stream.getvalue())


def emitted(handler, trace, formatter=None):
    handler.setFormatter(formatter or JsonLineFormatter())
    handler.addFilter(TraceIdFilter())
    LOGGER.handlers, LOGGER.propagate = [handler], False
    LOGGER.setLevel(logging.INFO)
    JsonLogSink().emit(trace)


def untimed(lines):
    return re.sub(r'"timestamp":"[^"]{27}"', "", lines)


TRACES = pytest.mark.parametrize(
    "trace",
    [
        result(),
        result(outcome="timeout", service_name="naïve\nservice \N{GRINNING FACE}"),
        result(attempt(exchange(status=200), status=200), trace_id='"quoted\\'),
        result(verdict_sentence="é" * 20_000),
        result(attempt(exchange(connects=tuple(Connect(addr="h:1", ms=1.0) for _ in range(900))))),
    ],
    ids=["small", "failed", "quoted", "long text", "cut"],
)
BOUND = pytest.mark.parametrize("bound", [{}, {"tenant": "é", "outcome": "mine", "n": 2**70}])


@TRACES
@BOUND
def test_both_ways_write_the_same(trace, bound):
    """A handler of logging's own gets the very line that any other handler gets."""
    with bound_contextvars(**bound), trace_context("another"):
        assert handled(logging.StreamHandler, trace) == handled(OwnHandler, trace)


@TRACES
@BOUND
def test_own_file_handler_writes_the_same(trace, bound, tmp_path):
    """``LineFileHandler`` writes those very bytes, with the first line and with those after it."""
    with (
        bound_contextvars(**bound),
        closing(LineFileHandler(tmp_path / "log", encoding="utf-8", look_every=3600)) as handler,
    ):
        for _ in range(3):
            emitted(handler, trace)
        expected = handled(OwnHandler, trace)
    assert untimed((tmp_path / "log").read_text(encoding="utf-8")) == 3 * expected


def test_line_says_when_it_was_made():
    """The time of a line is that of its making, to the microsecond."""
    for _ in range(1000):
        before = utc_ns(time.time_ns())
        line = LineRecord(logging.INFO, "{}").line
        assert before <= line[len('{"timestamp":"') :][: len(before)] <= utc_ns(time.time_ns())


def test_level_of_another_name_is_written_by_it():
    """Who renames a level of logging's finds that name in the line, fit for JSON."""
    logging.addLevelName(logging.INFO, 'A "NOTE"')
    try:
        line = handled(logging.StreamHandler, result())
    finally:
        logging.addLevelName(logging.INFO, "INFO")
    assert json.loads(line.replace("{,", "{"))["level"] == 'a "note"'


def test_record_of_a_usual_handler_is_its_line():
    """Where nobody else looks at it, a record is made without a field of the trace on it."""
    seen = []

    class Formatter(JsonLineFormatter):
        writes_lines = True

        def format(self, record):
            seen.append(record)
            return super().format(record)

    handled(logging.StreamHandler, result(), Formatter())
    handled(OwnHandler, result(), Formatter())
    assert [hasattr(record, "trace_id") for record in seen] == [False, True]


SETTINGS_SINCE_4 = (
    [{"fmt": ["threadName", "outcome"]}, {"defaults": {"team": "payments"}}]
    if int(version("python-json-logger").partition(".")[0]) >= 4
    else []
)


@pytest.mark.parametrize(
    "settings",
    [
        {"reserved_attrs": ["duration_ms", *RESERVED_ATTRS]},
        {"static_fields": {"team": "payments"}},
        {"rename_fields": {"duration_ms": "took"}},
        {"prefix": "trace: "},
        {"timestamp": "at"},
        *SETTINGS_SINCE_4,
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_settings_of_the_formatter_count(settings):
    """What a formatter is told to leave out, add or rename it does in every handler's lines."""
    lines = [
        re.sub(r'"at":"[^"]*"', '"at"', handled(kind, result(), JsonLineFormatter(**settings)))
        for kind in (logging.StreamHandler, OwnHandler)
    ]
    assert lines[0] == lines[1] != handled(OwnHandler, result())


class TeamFilter(TraceIdFilter):
    """A filter of the application's, made from ours: it reads what it likes of a record."""

    def filter(self, record):
        return super().filter(record) and record.msecs >= 0 and record.outcome != "ok"


def test_a_filter_made_from_ours_gets_each_field_of_the_record():
    """A subclass of ``TraceIdFilter`` is asked about a usual record, and what it drops is not written."""
    handler = logging.StreamHandler(io.StringIO())
    handler.setFormatter(JsonLineFormatter())
    handler.addFilter(TeamFilter())
    LOGGER.handlers, LOGGER.propagate = [handler], False
    LOGGER.setLevel(logging.INFO)
    JsonLogSink().emit(result(outcome="ok"))
    assert not handler.stream.getvalue()
    JsonLogSink().emit(result(outcome="timeout"))
    assert '"outcome":"timeout"' in handler.stream.getvalue()


@pytest.mark.parametrize("method", ["makeRecord", "handle", "callHandlers"])
def test_an_agent_that_watches_all_loggers_sees_each_trace(method, monkeypatch):
    """Who replaces a method of ``logging.Logger``, as Sentry, New Relic and Datadog do, is called."""
    seen, original = [], getattr(logging.Logger, method)

    def watched(self, *args, **kwargs):
        seen.append(self.name)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(logging.Logger, method, watched)
    line = handled(logging.StreamHandler, result())
    assert seen == [LOGGER.name]
    monkeypatch.undo()
    assert line == handled(logging.StreamHandler, result())
    assert seen == [LOGGER.name]


def test_broken_stream_is_complained_of_as_ever(capsys):
    """logging's own complaint about a handler that cannot write names the event."""
    handler = logging.StreamHandler(io.StringIO())
    handler.stream.close()
    handler.setFormatter(JsonLineFormatter())
    LOGGER.handlers, LOGGER.propagate = [handler], False
    LOGGER.setLevel(logging.INFO)
    JsonLogSink().emit(result())
    assert "Message: 'http.client.trace'" in capsys.readouterr().err
