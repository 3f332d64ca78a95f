from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from logged import cri, docker, trace_line

from tracedclient.cli.reading.clock import iso, of_day, parse, parse_around, time_of

NOON = datetime(2026, 11, 20, 12, tzinfo=timezone.utc).timestamp()


@pytest.mark.parametrize(
    "line",
    [
        '{"timestamp":"2026-11-20T12:00:00.000000Z"}',
        '{"started_at":"2020-01-01T00:00:00Z","timestamp": "2026-11-20T12:00:00Z"}',
        '{"@timestamp": "2026-11-20T13:00:00+01:00"}',
        '{"time":"2026-11-20T07:00:00-0500"}',
        '{"ts":1795176000}',
        '{"ts":1795176000.0}',
        '{"time":1795176000000}',
        '{"time":1795176000000000000}',
        "2026-11-20 12:00:00,000 INFO text",
        "INFO:root:2026-11-20 12:00:00 text",
        "2026-11-20T12:00:00Z stdout F text",
        '{"log":"{\\"timestamp\\":\\"2026-11-20T12:00:00Z\\"}\\n","time":"2026-11-20T12:00:01Z"}',
    ],
)
def test_the_time_of_a_line_is_found(line):
    """The time is found where loggers, runtimes and people put it; without a zone it is UTC."""
    assert time_of(line.encode()) == NOON


@pytest.mark.parametrize(
    "line",
    [
        "",
        "text",
        "2026-13-45T99:99:99Z",
        '{"ts":12}',
        "0000-01-01 00:00:00",
        "x" * 500 + " 2026-11-20 12:00:00",
    ],
)
def test_a_line_may_have_no_time(line):
    """What is no time, or far inside of a text, is none."""
    assert time_of(line.encode()) is None


def test_our_lines_have_their_time_in_every_wrapping():
    """A trace's line tells its time, plain and in every wrapping."""
    line = trace_line()
    for stored in (line, docker(line), cri(line)):
        assert of_day(time_of(stored)) == "22:27:58.200"


@given(st.binary(max_size=60))
def test_no_line_is_too_strange(line):
    """Any bytes have a time or none."""
    assert time_of(line) is None or time_of(line) >= 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T11:30:00Z", "2026-11-20T11:30:00Z"),
        ("2026-11-20 11:30", "2026-11-20T11:30:00Z"),
        ("2026-11-20T12:30:00+01:00", "2026-11-20T11:30:00Z"),
        ("11:30", "2026-11-20T11:30:00Z"),
        ("11:30:01Z", "2026-11-20T11:30:01Z"),
        ("12:30", "2026-11-19T12:30:00Z"),
        ("-30m", "2026-11-20T11:30:00Z"),
        ("1.5h ago", "2026-11-20T10:30:00Z"),
        ("2d", "2026-11-18T12:00:00Z"),
        ("now", "2026-11-20T12:00:00Z"),
    ],
)
def test_a_time_may_be_given_in_many_ways(text, expected):
    """Absolute, of the day (the last one), or how long ago."""
    assert iso(parse(text, now=NOON)) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "25:00", "12:60", "2026-02-30", "3w"])
def test_what_is_no_time_is_refused(text):
    """The message says what would do."""
    with pytest.raises(ValueError, match="no time"):
        parse(text, now=NOON)


@pytest.mark.parametrize("text", ["11:30±5m", "11:30+-5m", "2026-11-20T11:30+/-300s"])
def test_around_takes_a_radius(text):
    """A time and how far around it."""
    assert tuple(map(iso, parse_around(text, now=NOON))) == (
        "2026-11-20T11:25:00Z",
        "2026-11-20T11:35:00Z",
    )


def test_around_is_ten_minutes_by_default():
    """Without a radius, ten minutes before and after."""
    assert parse_around("now", now=NOON) == (NOON - 600, NOON + 600)
