"""``JsonLineFormatter``: one JSON object per line, whatever an application logs."""

from __future__ import annotations

import io
import json
import logging
import math
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracedclient.sinks.formatter import JsonLineFormatter


def strict(constant):
    raise ValueError(f"{constant} is no JSON")


def written(log):
    """The one object that ``log(logger)`` wrote through the formatter."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLineFormatter())
    logger = logging.getLogger("app")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.INFO)
    log(logger)
    line = stream.getvalue()
    assert line.count("\n") == 1, line
    return json.loads(line, parse_constant=strict)


def test_applications_lines_have_the_same_three_keys():
    """A line of the application opens with timestamp, level and event, and carries its extras."""
    record = written(lambda logger: logger.warning("paid %s", 7, extra={"trace_id": "call-1"}))
    assert list(record) == ["timestamp", "level", "event", "trace_id", "logger"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", record["timestamp"])
    assert (record["level"], record["event"]) == ("warning", "paid 7")
    assert (record["trace_id"], record["logger"]) == ("call-1", "app")


def test_time_is_that_of_the_record():
    """The timestamp is when the line was logged, in UTC, with six digits also when they are 0."""
    record = logging.makeLogRecord({"created": 1_795_213_678.0, "msg": "x"})
    line = json.loads(JsonLineFormatter().format(record))
    assert line["timestamp"] == "2026-11-20T22:27:58.000000Z"


@pytest.mark.parametrize("name", ["timestamp", "level", "event", "logger"])
def test_extra_does_not_replace_the_formatters_keys(name):
    """An extra of one of these names does not hide when, how bad, what and who."""
    record = written(lambda logger: logger.info("paid", extra={name: "mine"}))
    assert record["event"] == "paid"
    assert record[name] != "mine"


def test_dict_as_message():
    """A dict that is logged becomes the line's keys, its own ``event`` included."""
    record = written(lambda logger: logger.info({"event": "paid", "amount": 7}))
    assert (record["event"], record["amount"]) == ("paid", 7)
    assert written(lambda logger: logger.info({"amount": 7}))["event"] is None


def test_message_of_another_type():
    """An object that is logged stands as its text."""
    assert written(lambda logger: logger.info(ValueError("why")))["event"] == "why"


def test_traceback_is_in_the_line():
    """An exception's traceback is in the same line."""

    def log(logger):
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            logger.exception("failed")

    record = written(log)
    assert record["event"] == "failed"
    assert "ZeroDivisionError" in record["exc_info"]


def looped():
    loop = []
    loop.append(loop)
    return loop


@pytest.mark.parametrize(
    "value",
    [
        math.nan,
        -math.inf,
        2**70,
        10**5000,
        "\udc80",
        {"\udc80": [math.nan, 2**70]},
        {(1, 2): 3},
        looped(),
        object(),
        b"\xff",
        {1, 2},
    ],
    ids=lambda value: type(value).__name__,
)
def test_value_that_json_cannot_say_does_not_lose_the_line(value):
    """Whatever is logged, the line is strict JSON, and the other keys are whole."""
    record = written(lambda logger: logger.info("odd", extra={"a": value, "b": math.nan, "c": 1}))
    assert record["event"] == "odd"
    assert "a" in record
    assert (record["b"], record["c"]) == (None, 1)


def test_message_that_json_cannot_say_does_not_lose_the_line():
    """A lone surrogate in the message stands as its code."""
    assert written(lambda logger: logger.info("caf\udc80"))["event"] == "caf\\udc80"


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.builds(pow, st.just(10), st.just(5000)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.floats(), inner),
    max_leaves=8,
)
names = st.text(st.characters(), min_size=1).filter(
    lambda name: name not in {*vars(logging.makeLogRecord({})), "message", "asctime"}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text(st.characters()), st.dictionaries(names, values, max_size=4))
def test_any_message_with_any_extras_is_one_line(message, extra):
    """Any text and any extras are one line of strict JSON."""
    record = written(lambda logger: logger.info(message, extra=extra))
    assert record["level"] == "info"
