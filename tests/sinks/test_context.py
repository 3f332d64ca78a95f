"""What the application bound in structlog's context rides along, and cannot harm the line."""

from __future__ import annotations

import contextvars
import enum
import io
import logging
import logging.config
import math

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_traces import result
from structlog.contextvars import bind_contextvars, bound_contextvars, clear_contextvars

from tracedclient import JsonLogSink, logging_config
from tracedclient.trace.model import TraceResult
from tracedclient.trace.schema import from_json


def emit():
    JsonLogSink().emit(result())


def test_bound_context_rides_along(log):
    """What the application bound in structlog stands at the end of the line, in its own types."""
    bind_contextvars(request_id="r-1", user=42, ratio=0.5, admin=False, team=None)
    emit()
    record = log.one
    bound = {"request_id": "r-1", "user": 42, "ratio": 0.5, "admin": False, "team": None}
    assert {key: record[key] for key in bound} == bound
    assert list(record).index("request_id") > list(record).index("unaccounted_ms")
    assert structlog.contextvars.get_contextvars() == bound


def test_each_context_sees_its_own(log):
    """What one context bound is not in the lines of another."""
    contextvars.copy_context().run(lambda: [bind_contextvars(request_id="r-1"), emit()])
    emit()
    assert [record.get("request_id") for record in log.records] == ["r-1", None]


class Unbound:
    """What stands for a thing of the current request, as in Flask, and of none here."""

    @property
    def __class__(self):
        raise RuntimeError("working outside of a request")

    def __str__(self):
        raise RuntimeError("working outside of a request")


def test_value_that_does_not_say_what_it_is_loses_no_line(log):
    """A bound proxy that raises for all it is asked stands as its class; the line is whole."""
    bind_contextvars(user=Unbound(), request_id="r-1")
    emit()
    assert (log.one["user"], log.one["request_id"]) == ("<Unbound>", "r-1")


RESERVED = [
    *vars(logging.makeLogRecord({})),
    "message",
    "asctime",
    "taskName",
    "stacklevel",
    "extra",
    "msg",
    "event",
    "level",
    "timestamp",
    "logger",
    "self",
]


@pytest.mark.parametrize("name", sorted(set(RESERVED)))
def test_reserved_name_that_the_application_bound_harms_nothing(log, name):
    """A bound key of a name that logging, or the line, has for itself does not change the line."""
    bind_contextvars(**{name: "the application's", "request_id": "r-1"})
    emit()
    record = log.one
    assert record["request_id"] == "r-1"
    assert record["event"] == "http.client.trace"
    assert record["level"] == "info"
    assert record["timestamp"].endswith("Z")
    assert name == "self" or record.get(name) != "the application's"


@pytest.mark.parametrize("name", [*TraceResult.__struct_fields__, "context_dropped"])
def test_bound_key_does_not_pass_for_a_fact(log, name):
    """A bound key of a field's name neither replaces a fact nor stands for one there is none of."""
    bind_contextvars(**{name: "the application's"})
    emit()
    assert from_json(log.raw[0]) == result()
    assert log.one.get(name) != "the application's"


@pytest.mark.parametrize(("more", "dropped"), [(0, None), (1, 1)])
def test_too_much_context_is_counted(log, more, dropped):
    """800 bytes of context fit; of what is more the largest is dropped, and it is counted."""
    least = len('{"a": ""}')
    bind_contextvars(a="x" * 300, b="x" * (800 + more - 300 - 2 * least))
    emit()
    assert log.one.get("context_dropped") == dropped
    assert log.one["a"] == "x" * 300
    assert ("b" in log.one) is (dropped is None)


class Colour(enum.IntEnum):
    RED = 3


class Hostile:
    def __str__(self):
        raise RuntimeError("no text for you")


class Endless(float):
    def __str__(self):
        raise RuntimeError("no text for you")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (math.nan, None),
        (math.inf, None),
        (Endless(0.5), 0.5),
        ("\udc80\nx\0", "\\udc80\\x0ax\\x00"),
        (2**63, 2**63),
        (2**64 - 1, 2**64 - 1),
        (2**64, str(2**64)),
        (-(2**63), -(2**63)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (2**70, str(2**70)),
        (-(2**70), str(-(2**70))),
        (10**5000, "<int>"),
        (Colour.RED, 3),
        (b"\xff", "b'\\xff'"),
        (["a", 1], "['a', 1]"),
        ({"a": math.nan}, "{'a': nan}"),
        ("x" * 512, "x" * 512),
        ("x" * 513, "x" * 511 + "…"),
        (Hostile(), "<Hostile>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_bound_value_that_json_cannot_say(log, value, written):
    """A bound value of any kind leaves one valid line, with the trace whole."""
    bind_contextvars(value=value, request_id="r-1")
    emit()
    assert log.one["value"] == written
    assert log.one["request_id"] == "r-1"
    assert from_json(log.raw[0]) == result()


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.binary()
    | st.builds(Hostile)
    | st.builds(pow, st.just(10), st.just(5000))
    | st.sampled_from([object, Colour.RED]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(st.text(st.characters(), min_size=1), anything, max_size=6))
def test_anything_may_be_bound(bound):
    """Whatever is bound under whatever names, there is one line of strict JSON with the trace."""
    written = io.StringIO()
    config = logging_config()
    logging.config.dictConfig(config)
    logging.getLogger("tracedclient.trace").handlers[0].setStream(written)
    clear_contextvars()
    with bound_contextvars(**bound):
        emit()
    assert written.getvalue().count("\n") == 1
    assert from_json(written.getvalue()) == result()
