"""How the flag stands, for a health page."""

from __future__ import annotations

import pytest

from tracedclient.debug import FlagSource, SourceError
from tracedclient.debug.source import Absent, Document

ON = Document(b"true", "r1")
OFF = Document(b"false", "r2")


def test_status_through_a_life(updater, scripted, clock):
    """The state is DEFAULT, then what the last fetch made it; age counts from the last answer."""
    source = scripted(SourceError("not yet"))
    flag = updater(source, clock=clock)
    assert (flag.status().state, flag.status().age_s) == ("DEFAULT", None)
    flag.is_on()
    source.taken(SourceError("not yet"))
    assert (flag.status().state, flag.status().age_s) == ("ERROR", None)
    assert flag.status().last_error == "not yet"
    source.taken(Absent())
    assert (flag.status().state, flag.status().age_s) == ("ABSENT", 0.0)
    source.taken(ON)
    status = flag.status()
    assert (status.source, status.state, status.on) == ("scripted", "READY", True)
    assert (status.revision, status.until) == ("r1", clock.wall + 1800)
    assert status.last_error is None


def test_stale_after_three_intervals(updater, scripted, clock):
    """A source that was well and fails is ERROR, and STALE once three intervals are missed."""
    source = scripted(ON, immediate=True)
    flag = updater(source, clock=clock)
    flag.is_on()
    source.taken(SourceError("away"))
    assert flag.status().state == "ERROR"
    clock.since_start += 0.031
    status = flag.status()
    assert (status.state, status.on, status.last_error) == ("STALE", True, "away")
    assert status.age_s == pytest.approx(0.031)
    source.taken(ON)
    assert flag.status().state == "READY"


def test_hanging_long_poll_becomes_stale(updater, clock, held):
    """A remote source that never returns is STALE after three times the wait it was allowed."""
    source = held(answers=1)
    flag = updater(source, clock=clock)
    assert flag.wait_ready(10)
    assert source.entered.wait(10)
    clock.since_start += 3 * FlagSource.hold
    assert flag.status().state == "READY"
    clock.since_start += 0.1
    assert flag.status().state == "STALE"
    source.released.set()


def test_idle_process_is_not_stale(updater, clock, held):
    """Intervals are missed from the first request on only; the age is told all the same."""
    source = held(answers=1, immediate=True)
    flag = updater(source, clock=clock)
    clock.advance(3600)
    assert (flag.status().state, flag.status().age_s) == ("READY", 3600.0)
    flag.is_on()
    assert source.entered.wait(10)
    assert flag.status().state == "READY"
    clock.advance(0.031)
    assert flag.status().state == "STALE"
    source.released.set()


def test_invalid_document_is_an_error_not_staleness(updater, scripted, clock):
    """A source that answers with nonsense is heard of, and the state names the nonsense."""
    source = scripted(Document(b"nonsense", "r1"), immediate=True)
    flag = updater(source, clock=clock)
    assert not flag.is_on()
    clock.advance(60)
    source.taken(source.answer)
    status = flag.status()
    assert (status.state, status.age_s, status.revision) == ("ERROR", 0.0, None)
    assert "not JSON" in status.last_error


def test_status_is_immutable_and_printable(updater, scripted):
    """A status cannot be changed, and an updater's repr says how it stands."""
    flag = updater(scripted(ON, immediate=True))
    with pytest.raises(AttributeError):
        flag.status().on = False
    assert repr(flag) == "<FlagUpdater scripted READY on>"
    assert flag.name == "scripted"


@pytest.mark.parametrize("answer", [ON, OFF, Absent()])
def test_wait_ready(updater, scripted, answer):
    """``wait_ready`` starts the thread and is True once the source answered, if only "absent"."""
    assert updater(scripted(answer)).wait_ready(10)


@pytest.mark.parametrize("answer", [SourceError("away"), Document(b"?", "r1")])
def test_wait_ready_gives_up(updater, scripted, eventually, answer):
    """Without one good answer ``wait_ready`` is False after its timeout."""
    source = scripted(answer)
    flag = updater(source)
    assert not flag.wait_ready(0.05)
    eventually(lambda: source.fetched > 1)
    assert not flag.wait_ready(0.0)
