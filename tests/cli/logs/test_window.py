import pytest
from logged import source

from tracedclient.cli.reading.clock import iso, time_of
from tracedclient.cli.reading.window import SLACK_S, Span, window

BEGAN = 1_795_000_000


class Counting:
    """A source that counts what is read of it."""

    def __init__(self, inner):
        self.inner, self.bytes = inner, 0

    def seek(self, offset):
        return self.inner.seek(offset)

    def readinto(self, buffer):
        count = self.inner.readinto(buffer)
        self.bytes += count
        return count


def log(moments, pad=200):
    return b"".join(b"%s %s\n" % (iso(moment).encode(), b"x" * pad) for moment in moments)


ORDERED = [BEGAN + second for second in range(40_000)]


@pytest.mark.parametrize("since", [-1000, 0, 100, 20_000, 39_990, 50_000])
@pytest.mark.parametrize("length", [0, 300, 100_000])
def test_every_line_of_the_span_is_in_the_window(tmp_path, since, length):
    """Whatever span is asked for, its lines are in the window, which begins at a line's beginning."""
    data = log(ORDERED)
    span = Span(BEGAN + since, BEGAN + since + length)
    with source(tmp_path, data) as opened:
        found = window(opened, len(data), span)
    assert found.ordered
    assert found.start == 0 or data[found.start - 1 : found.start] == b"\n"
    assert found.end == len(data) or data[found.end - 1 : found.end] == b"\n"
    outside = data[: found.start].splitlines() + data[found.end :].splitlines()
    assert not any(span.holds(time_of(line)) for line in outside)


def test_a_window_costs_a_few_reads(tmp_path):
    """Of 8 MB only little is read to find one minute, and the window is not much wider than it."""
    data = log(ORDERED)
    with source(tmp_path, data) as opened:
        counting = Counting(opened)
        found = window(counting, len(data), Span(BEGAN + 20_000, BEGAN + 20_060))
    assert counting.bytes < len(data) / 3
    assert found.end - found.start < (60 + 2 * SLACK_S) * 222 + 200_000


def test_an_open_span_has_one_end(tmp_path):
    """Without a since the window begins with the file, without an until it ends with it."""
    data = log(ORDERED)
    with source(tmp_path, data) as opened:
        assert window(opened, len(data), Span(until=BEGAN + 100)).start == 0
        assert window(opened, len(data), Span(since=BEGAN + 39_000)).end == len(data)


def test_a_file_that_is_not_in_order_is_read_whole(tmp_path):
    """When the lines that are looked at contradict each other, the window is the whole file."""
    data = log(ORDERED[20_000:] + ORDERED[:20_000])
    with source(tmp_path, data) as opened:
        assert window(opened, len(data), Span(BEGAN + 5, BEGAN + 9)) == (0, len(data), False)


def test_lines_without_a_time_belong_to_those_before(tmp_path):
    """Tracebacks between the lines do not stop the search."""
    data = b"".join(log([moment]) + b"  File x\n" * 50 for moment in ORDERED[::10])
    with source(tmp_path, data) as opened:
        found = window(opened, len(data), Span(BEGAN + 20_000, BEGAN + 20_060))
    assert found.ordered
    assert iso(BEGAN + 20_030).encode() in data[found.start : found.end]


def test_lines_longer_than_a_probe_are_passed(tmp_path):
    """Lines of 200 kB are stepped over to the next beginning."""
    data = log(ORDERED[:60], pad=200_000)
    with source(tmp_path, data) as opened:
        found = window(opened, len(data), Span(BEGAN + 30, BEGAN + 31))
    assert found.start == 0 or data[found.start - 1 : found.start] == b"\n"
    assert iso(BEGAN + 30).encode() in data[found.start : found.end]


@pytest.mark.parametrize("data", [b"", b"no time\n" * 1000, b"x" * 3_000_000])
def test_a_file_without_times_is_read_whole(tmp_path, data):
    """Where no line has a time, nothing is left out."""
    with source(tmp_path, data) as opened:
        found = window(opened, len(data), Span(BEGAN, BEGAN))
    assert (found.start, found.end) == (0, len(data))
