"""A flag that changes all the time: slowly followed, sparsely told; its first change at once."""

from __future__ import annotations

import pytest

from tracedclient.debug.source import Absent, Document, NotModified
from tracedclient.debug.state import FlagState


@pytest.fixture
def state(clock):
    """The state of a flag that was off when the process started."""
    found = FlagState("s", clock=clock, patience=6.0, constant=False, settle=5.0)
    found.watching()
    found.learn(Document(b"false", "r0"))
    return found


def test_first_change_is_applied_at_once(state, clock):
    """What a process starts with is no change: the first flip after it waits for nothing."""
    clock.advance(0.1)
    state.learn(Document(b"true", "r1"))
    assert state.is_on()
    assert state.status().changes_held == 0


def test_second_change_waits_for_five_seconds(state, clock):
    """A change within five seconds of the last is not applied, does not count, and comes later."""
    state.learn(Document(b"true", "r1"))
    clock.advance(4.9)
    state.learn(Document(b"false", "r2"))
    state.learn(Absent())
    status = state.status()
    assert (status.on, status.revision, status.state) == (True, "r1", "READY")
    assert (status.changes, status.changes_held) == (2, 2)
    clock.advance(0.1)
    state.learn(Document(b"false", "r2"))
    assert (state.is_on(), state.status().revision) == (False, "r2")


def test_flag_that_flaps_at_100_hertz(state, clock, lines):
    """Ten minutes at 100 Hz: one change in five seconds, ten lines, then one line a minute."""
    for n in range(60_000):
        clock.advance(0.01)
        state.learn(Document(b"true" if n % 2 else b"false", f"r{n + 1}"))
        state.tick()
    assert 100 < state.status().changes <= 122
    assert len(lines("INFO")) <= 21
    assert "lines before were left out)" in lines("INFO")[-1]


def test_last_state_is_told_when_it_settles(state, clock, lines):
    """When lines were left out, how the flag stands at last is told once a line is allowed."""
    for n in range(20):
        clock.advance(5.0)
        state.learn(Document(b"true" if n % 2 == 0 else b"false", f"r{n + 1}"))
    before = len(lines("INFO"))
    clock.advance(60)
    state.learn(NotModified())
    state.tick()
    state.tick()
    (last,) = lines("INFO")[before:]
    assert last.startswith("debug flag s: off, revision r20 (")


def test_document_that_flaps_between_good_and_bad_is_told_sparsely(state, clock, lines):
    """A source that is broken every other time does not fill the log either."""
    for n in range(3600):
        clock.advance(1.0)
        state.learn(Document(b"?" if n % 2 else b"false", f"r{n}"))
    assert len(lines("WARNING")) + len(lines("INFO")) <= 10 + 60


def test_same_content_under_new_revisions_prolongs_nothing(state, clock, lines):
    """A source that names the same content anew at each fetch does not keep debug on."""
    for n in range(400):
        state.learn(Document(b"true", f"r{n}"))
        state.tick()
        clock.advance(5.0)
    assert not state.is_on()
    assert state.status().revision == "r399"
    assert state.status().changes == 2
    on, off = lines("INFO")
    assert "revision r0 -> r0" in on
    assert off == "debug flag s: off, its time is up"


def test_new_content_under_an_old_revision_counts(state):
    """Of content and revision the content counts: two edits within a second may share an ETag."""
    state.learn(Document(b"true", "r0"))
    assert state.is_on()


@pytest.mark.parametrize(
    ("settle", "error"), [(-1, ValueError), ("5", TypeError), (4e3, ValueError)]
)
def test_settle_must_be_seconds(updater, scripted, settle, error):
    """A ``settle`` that is no time is refused by name."""
    with pytest.raises(error, match="settle must be"):
        updater(scripted(), settle=settle)
