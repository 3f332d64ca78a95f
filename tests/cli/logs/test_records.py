import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logged import ID, STAMP, app_line, trace_line

from tracedclient.cli.reading import tally
from tracedclient.cli.reading.clock import of_day
from tracedclient.cli.reading.records import understood
from tracedclient.cli.reading.wrapping import Line
from tracedclient.testing import make_trace_result


def entry(data, **about):
    return understood(Line(0, data.rstrip(b"\n"), **about), "app.log", (ID,))


def changed(**fields):
    record = json.loads(trace_line())
    return json.dumps(record | fields).encode()


def test_a_trace_is_one():
    """A trace's line becomes the TraceResult it was made from, and says when it was written."""
    found = entry(trace_line())
    assert found.trace == make_trace_result()
    assert found.fields["timestamp"] == STAMP
    assert of_day(found.moment) == "22:27:58.200"
    assert found.oddities == ()


def test_a_trace_behind_a_text_is_one():
    """What syslog, journald or docker compose put before the JSON does not hide it."""
    assert entry(b"orders-1  | " + trace_line()).trace == make_trace_result()


def test_the_applications_lines_are_no_traces():
    """JSON and text of the application come as they are, without complaint."""
    assert entry(app_line()).fields["event"] == "order.created"
    text = entry(f"failed {ID}".encode())
    assert (text.fields, text.text, text.oddities) == (None, f"failed {ID}", ())


@pytest.mark.parametrize(
    ("data", "oddity"),
    [
        (trace_line()[:900], tally.HALF),
        (changed(duration_ms="long"), tally.MISSHAPEN),
        (changed(started_at="yesterday"), tally.MISSHAPEN),
        (changed(duration_ms=1e300), tally.MISSHAPEN),
        (changed(duration_ms=-5.0), tally.BACKWARDS),
        (changed(schema="tracedclient.trace/2"), tally.FUTURE),
    ],
)
def test_a_damaged_record_is_shown_as_a_line(data, oddity):
    """What cannot be drawn is said to be so, and its text is kept."""
    found = entry(data)
    assert found.trace is None
    assert found.oddities == (oddity,)
    assert found.text == data.decode()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_what_is_no_number_is_absent(number):
    """NaN and infinity count as absent, never as 0, and are told."""
    found = entry(changed(dns_ms=42424242).replace(b"42424242", number.encode()))
    assert found.trace is not None
    assert found.trace.dns_ms is None
    assert found.oddities == (tally.NOT_NUMBERS,)


def test_a_key_twice_is_told():
    """The last of two equal keys counts, as for every reader of JSON, and it is told."""
    found = entry(trace_line().replace(b'"outcome":"ok"', b'"outcome":"other","outcome":"ok"'))
    assert found.trace.outcome == "ok"
    assert found.oddities == (tally.TWICE,)


def test_bytes_that_are_not_utf8_are_shown():
    """A wrong byte is shown as what it is, and the rest of the line stays."""
    found = entry(f"caf\xe9 {ID}".encode("latin-1"))
    assert found.text == f"caf\\xe9 {ID}"
    assert found.oddities == (tally.NOT_UTF8,)


def test_binary_data_is_not_shown():
    """A line with NUL bytes is told and not shown; NULs before it, of a truncated file, are none."""
    assert entry(b"ab\0" + ID.encode()).oddities == (tally.BINARY,)
    assert entry(b"\0" * 5000 + trace_line()).trace is not None


@pytest.mark.parametrize("lack", [tally.TOO_LONG, tally.PIECES])
def test_what_is_not_whole_is_told(lack):
    """A line of which a part is missing says why."""
    assert entry(trace_line()[:900], lack=lack).oddities == (lack,)


def test_deep_and_huge_json_is_a_text():
    """JSON that no parser takes is a line of text."""
    for data in (b'{"a":' * 100_000, b'{"a":' + b"9" * 5000 + b"}"):
        assert entry(data).fields is None


@given(
    st.recursive(
        st.none() | st.floats() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_no_record_is_too_strange(value):
    """Whatever a field of a record holds, the line is understood, or shown as it is."""
    for name in ("attempts", "started_at", "duration_ms", "trace_id", "schema"):
        assert entry(changed(**{name: value})).text
