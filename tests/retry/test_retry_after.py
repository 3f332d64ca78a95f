"""``Retry-After``: what a server can say with it, and what it cannot do to us."""

from __future__ import annotations

import math
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.retry.retry_after import retry_after

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT, the RFC's own example


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("1", 1),
        ("007", 7),
        (" 120\t", 120),
        ("999999999", 999_999_999),
        (f"{' ' * 63}5", 5),
    ],
)
def test_seconds(value, seconds):
    """Seconds are taken as they are, with or without space around them."""
    assert retry_after(value, now=NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
        "Sun, 06 Nov 1994 10:49:37 +0200",
    ],
    ids=["imf-fixdate", "rfc850", "asctime", "with an offset"],
)
def test_dates(value):
    """All three forms of an HTTP date count from now, and are GMT where they do not say."""
    assert retry_after(value, now=NOW - 30) == 30.0
    assert retry_after(value, now=NOW) == 0.0


def test_past_date_is_now():
    """A date that has passed asks for no wait, not for a negative one."""
    assert retry_after("Sun, 06 Nov 1994 08:49:37 GMT", now=NOW + 1e9) == 0.0


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        " ",
        "-1",
        "+1",
        "1.5",
        "1e3",
        "0x10",
        "1_000",
        "inf",
        "-inf",
        "nan",
        "Infinity",
        "9" * 10,
        "9" * 5000,
        f"{' ' * 64}5",
        "٣",
        "१२",
        "²",
        "\uff11",
        "Fri, ٣١ Dec 2026 23:59:59 GMT",
        "Fri, 31 Dec 99999 23:59:59 GMT",
        "Fri, 32 Dec 2026 23:59:59 GMT",
        "Fri, 31 Dec 2026 25:61:61 GMT",
        "Fri, 31 Dec 2026 23:59:59 +99999999999999999999",
        "120, 5",
        "120 seconds",
        "soon",
        "2026-11-20T22:27:58Z",
        "5\0",
    ],
)
def test_what_is_neither_is_ignored(value):
    """A value that is neither seconds nor a date is as if it were not there."""
    assert retry_after(value, now=NOW) is None


@pytest.mark.parametrize(
    "value",
    [
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Fri, 31 Dec 0000 23:59:59 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ],
)
def test_dates_at_the_ends_of_the_calendar_raise_nothing(value):
    """The first and the last dates there are end as None or as seconds, never as an error."""
    found = retry_after(value, now=NOW)
    assert found is None or found >= 0


date_like = st.text(st.sampled_from("0123456789 :,+-GMTSunNovFriDecUTCZ٣²\t"), max_size=64)


@given(st.none() | st.text(max_size=80) | date_like, st.floats(0, 4e9))
def test_no_text_raises(value, now):
    """Whatever a server sends, the result is None or a finite number of seconds from 0."""
    found = retry_after(value, now=now)
    assert found is None or (math.isfinite(found) and found >= 0)


@given(
    st.integers(0, 253_402_300_799),
    st.floats(0, 4e9),
)
def test_any_http_date_is_understood(moment, now):
    """Each date a server can write, to the year 9999, is waited for to the second."""
    assert retry_after(formatdate(moment, usegmt=True), now=now) == max(0.0, moment - now)
