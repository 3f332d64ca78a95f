"""Debug turns itself off: at its ``until``, by whichever clock gets there first."""

from __future__ import annotations

import pytest

from tracedclient.debug.source import Document


def test_off_when_the_time_is_up(updater, scripted, clock, document, lines):
    """At its ``until`` the flag is off for the very next question, and says so once."""
    source = scripted(Document(document(clock.wall + 60), "r1"))
    flag = updater(source, clock=clock)
    assert flag.wait_ready(10)
    clock.advance(59.9)
    assert flag.is_on()
    clock.advance(0.1)
    assert not flag.is_on()
    source.taken(source.answer)
    assert lines("INFO")[1:] == ["debug flag scripted: off, its time is up"]


@pytest.mark.parametrize("looked_at", [True, False])
def test_wall_clock_set_back(updater, scripted, clock, document, looked_at):
    """A wall clock that is set back neither prolongs debug nor switches it on again."""
    source = scripted(Document(document(clock.wall + 60), "r1"))
    flag = updater(source, clock=clock)
    assert flag.wait_ready(10)
    if looked_at:
        clock.advance(61)
        source.taken(source.answer)
        clock.wall -= 3600
    else:
        clock.wall -= 3600
        clock.since_start += 61
    assert not flag.is_on()


def test_wall_clock_set_forward(updater, scripted, clock, document):
    """A machine that slept through ``until``, whose monotonic clock stood still, wakes up off."""
    flag = updater(scripted(Document(document(clock.wall + 60), "r1")), clock=clock)
    assert flag.wait_ready(10)
    clock.wall += 60
    assert not flag.is_on()
