"""The end of an updater, asked for or not."""

from __future__ import annotations

import gc
import time
import weakref

import pytest

from tracedclient.debug import FlagUpdater, SourceError, StaticFlag
from tracedclient.debug.source import Document

ON = Document(b"true", "r1")


def test_close_is_instant_and_final(scripted, flag_threads):
    """``close`` ends the thread in the middle of its pause, and the answer is off from then on."""
    source = scripted(ON)
    flag = FlagUpdater(source, interval=3600)
    assert flag.wait_ready(10)
    assert flag.is_on()
    began = time.monotonic()
    flag.close()
    flag.close()
    assert time.monotonic() - began < 5
    assert flag_threads() == []
    assert not flag.is_on()
    assert not flag.wait_ready(0)
    assert flag_threads() == []
    assert not flag.status().on
    assert source.closed == 1


def test_close_of_a_static_flag():
    """A closed updater is off, even one that was always on."""
    flag = FlagUpdater(StaticFlag(True))
    assert flag.is_on()
    flag.close()
    assert not flag.is_on()


@pytest.mark.parametrize("late", [ON, SourceError("connection closed")])
def test_close_does_not_wait_for_a_hanging_source(held, flag_threads, lines, late):
    """``close`` waits a second at most; what comes later, answer or failure, is dropped."""
    source = held()
    source.late = late
    flag = FlagUpdater(source)
    flag.is_on()
    assert source.entered.wait(10)
    (thread,) = flag_threads()
    began = time.monotonic()
    flag.close()
    assert 0.9 < time.monotonic() - began < 5
    source.released.set()
    thread.join(10)
    assert not thread.is_alive()
    assert flag.status().revision is None
    assert not flag.is_on()
    assert lines("INFO") == lines("WARNING") == []


def test_close_from_a_subscriber(updater, scripted, eventually, flag_threads, lines):
    """A subscriber may close the updater from the updater's own thread."""
    source = scripted(ON)
    flag = updater(source)
    flag.subscribe(lambda _: flag.close())
    flag.is_on()
    eventually(lambda: source.closed == 1 and flag_threads() == [])
    assert not flag.is_on()
    assert lines("WARNING") == []


def test_source_that_cannot_be_closed(lines):
    """What a source raises when closed is logged, and harms nobody."""

    class Stubborn(StaticFlag):
        def close(self):
            raise OSError("still busy")

    FlagUpdater(Stubborn(True)).close()
    assert "still busy" in lines("WARNING")[0]


def test_dropped_updater_is_collected(scripted, eventually, flag_threads):
    """A client that is dropped without ``close`` leaves neither object nor thread behind."""
    flag = FlagUpdater(scripted(ON), interval=3600)
    assert flag.wait_ready(10)
    gone = weakref.ref(flag)
    del flag
    gc.collect()
    assert gone() is None
    eventually(lambda: flag_threads() == [])
