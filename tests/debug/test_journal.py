"""The log lines and the subscribers: each change once."""

from __future__ import annotations

import pytest

from tracedclient.debug import SourceError
from tracedclient.debug.source import Absent, Document

ON = Document(b"true", "r1")
OFF = Document(b"false", "r2")


def test_change_says_who_why_and_until_when(updater, scripted, clock, document, lines):
    """Each applied change is one line: the decision, its end in UTC, who, why, both revisions."""
    body = document(clock.wall + 60, updated_by="alice", reason="INC-4711")
    source = scripted(Document(body, "r1"))
    flag = updater(source, clock=clock)
    assert flag.wait_ready(10)
    source.taken(OFF)
    on, off = lines("INFO")
    assert on.startswith("debug flag scripted: on until 2027-01-15T08:01:00Z, by 'alice', ")
    assert on.endswith("reason 'INC-4711', revision none -> r1")
    assert off.endswith(": off, by not given, reason not given, revision r1 -> r2")


def test_change_that_comes_too_late(updater, scripted, clock, document, lines):
    """A document whose time has passed is announced as such."""
    updater(scripted(Document(document(clock.wall - 1), "r1"), immediate=True), clock=clock)
    assert "off, its until has passed" in lines("INFO")[0]


def test_reason_cannot_forge_a_line(updater, scripted, clock, document, lines):
    """Who writes the flag cannot write lines or terminal escapes into the log."""
    body = document(clock.wall + 60, reason="x\n\x1b[2JERROR " + "y" * 5000)
    updater(scripted(Document(body, "r\n1"), immediate=True), clock=clock)
    (line,) = lines("INFO")
    assert line.isprintable()
    assert len(line) < 500


def test_absence_switches_off(updater, scripted, lines):
    """A document that is deleted while on switches off, and says so; one that was off does not."""
    source = scripted(ON)
    flag = updater(source)
    assert flag.wait_ready(10)
    source.taken(Absent())
    assert not flag.is_on()
    assert lines("INFO")[1:] == ["debug flag scripted: off, the document is gone"]
    source.taken(OFF)
    source.taken(Absent())
    assert len(lines("INFO")) == 3


def test_document_that_comes_back_is_new(updater, scripted, clock):
    """After an absence the same revision is applied again, from its new first sight."""
    source = scripted(ON)
    flag = updater(source, clock=clock)
    assert flag.wait_ready(10)
    until = flag.status().until
    source.taken(Absent())
    clock.advance(10)
    source.taken(ON)
    assert flag.status().until == until + 10


def test_subscribers_hear_each_change(updater, scripted, lines):
    """Each change reaches every subscriber once, until it unsubscribes; what one raises is logged."""
    source = scripted(Document(b"false", "r0"))
    flag = updater(source)
    assert flag.wait_ready(10)
    heard, left_early = [], []

    def broken(status):
        raise RuntimeError("in the callback")

    flag.subscribe(broken)
    flag.subscribe(heard.append)
    unsubscribe = flag.subscribe(left_early.append)
    source.taken(ON)
    unsubscribe()
    unsubscribe()
    source.taken(SourceError("no change"))
    source.taken(Absent())
    assert [(s.on, s.state, s.revision) for s in heard] == [
        (True, "READY", "r1"),
        (False, "ABSENT", None),
    ]
    assert len(left_early) == 1
    assert lines("WARNING").count("debug flag scripted: a subscriber raised") == 2


def test_subscribers_hear_the_end(updater, scripted, clock):
    """Subscribers hear, once, that the time is up."""
    source = scripted(ON)
    flag = updater(source, clock=clock)
    assert flag.wait_ready(10)
    heard = []
    flag.subscribe(heard.append)
    clock.advance(1801)
    source.taken(ON)
    assert [s.on for s in heard] == [False]


def test_subscriber_must_be_callable(updater, scripted):
    """A subscriber that cannot be called is refused when it subscribes."""
    with pytest.raises(TypeError, match="callback must be callable, not str"):
        updater(scripted()).subscribe("print")
