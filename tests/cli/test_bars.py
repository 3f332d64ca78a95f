import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedclient.cli.bars import GLYPHS, MIN_CELLS, Run, apportion, draw
from tracedclient.cli.timeline import Row, Segment
from tracedclient.trace.model import PHASES

ms = st.floats(min_value=0.001, max_value=1e6)


def row(*segments, start=0.0, failed=False):
    parts = tuple(Segment(phase, spent) for phase, spent in segments)
    spent = sum(segment.ms for segment in parts)
    return Row(
        attempt=1,
        hop=0,
        exchange=None,
        start_ms=start,
        duration_ms=spent,
        segments=parts,
        failed=failed,
    )


def test_lengths_are_in_proportion():
    """On an axis of 100 ms and 50 cells, 30 ms take 15 cells, from their start on."""
    bar = draw(row(("wait", 30.0), ("receive", 10.0), start=60.0), 100.0, 50)
    assert bar == (30, (Run("wait", 15), Run("receive", 5)))


def test_a_short_phase_still_gets_a_cell():
    """A microsecond of sending beside a second of waiting is seen."""
    bar = draw(row(("send", 0.001), ("wait", 1000.0)), 1000.0, 40)
    assert bar.runs == (Run("send", 1), Run("wait", 39))


def test_time_that_nobody_claims_needs_no_cell():
    """Unaccounted time is drawn only where it is long enough for a cell."""
    bar = draw(row(("wait", 100.0), ("unaccounted", 0.01)), 100.0, 40)
    assert bar.runs == (Run("wait", 40),)


def test_a_failure_is_marked_where_the_bar_breaks_off():
    """The mark of a failure follows the last phase; what came after it is nobody's phase."""
    bar = draw(row(("connect", 10.0), ("unaccounted", 4.0), failed=True), 100.0, 50)
    assert bar.runs == (Run("connect", 5), Run("failed", 1), Run("unaccounted", 2))


def test_a_short_bar_at_the_end_stays_on_the_axis():
    """A bar that has grown by its short phases is moved to the left, never over the edge."""
    short = row(("dns", 0.1), ("connect", 0.1), ("send", 0.1), start=999.0)
    bar = draw(short, 1000.0, 20)
    assert (bar.start, bar.cells) == (17, 3)


def test_an_axis_without_time_is_drawn():
    """A call that took no measurable time is no division by zero."""
    assert draw(row(), 0.0, 20) == (0, ())


@given(
    st.lists(st.tuples(st.sampled_from([*PHASES, "unaccounted"]), ms), unique_by=lambda p: p[0]),
    st.floats(min_value=0, max_value=1e6),
    st.integers(min_value=MIN_CELLS, max_value=200),
    st.booleans(),
)
def test_every_bar_fits_and_shows_every_phase(segments, start, cells, failed):
    """Whatever the times are, the bar lies on the axis and no phase that took time is missing."""
    drawn = row(*segments, start=start, failed=failed)
    bar = draw(drawn, start + drawn.duration_ms, cells)
    assert 0 <= bar.start <= bar.start + bar.cells <= cells
    assert {p for p, _ in segments} - {"unaccounted"} <= {run.phase for run in bar.runs}
    assert all(run.cells > 0 for run in bar.runs)


@given(st.lists(st.tuples(ms, st.integers(0, 1)), min_size=1, max_size=9), st.integers(9, 200))
def test_apportion_gives_out_every_seat(parties, seats):
    """All seats are given, none below its least, and a minimum costs others no more than needed."""
    weights, least = zip(*parties, strict=True)
    given_out = apportion(weights, seats, least)
    assert sum(given_out) == seats
    assert all(have >= low for have, low in zip(given_out, least, strict=True))


@pytest.mark.parametrize("alphabet", ["unicode", "ascii"])
def test_every_phase_has_a_character_of_its_own(alphabet):
    """Phases can be told apart without colour, with block characters and without."""
    used = [getattr(glyph, alphabet) for glyph in GLYPHS.values()]
    assert set(PHASES) <= set(GLYPHS)
    assert len(set(used)) == len(used)
    assert alphabet == "unicode" or all(char.isascii() for char in used)
