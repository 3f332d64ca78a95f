"""What the source says → what the flag says."""

from __future__ import annotations

import queue
import threading
import time

import pytest

from tracedclient.debug import FileSource, FlagSource, SourceError
from tracedclient.debug.source import Absent, Document

ON = Document(b"true", "r1")


def test_flip_is_seen(tmp_path, updater, eventually):
    """A flag file that is written, changed and deleted is followed within an interval."""
    path = tmp_path / "flag.json"
    flag = updater(FileSource(path))
    assert not flag.is_on()
    path.write_bytes(b"true")
    eventually(flag.is_on)
    path.write_bytes(b"false")
    eventually(lambda: not flag.is_on())
    path.write_bytes(b"true")
    eventually(flag.is_on)
    path.unlink()
    eventually(lambda: not flag.is_on())


def test_same_revision_is_applied_once(updater, scripted, clock, eventually):
    """A source that repeats itself does not prolong debug: first sight counts."""
    source = scripted(ON)
    flag = updater(source, clock=clock)
    assert flag.wait_ready(10)
    until = flag.status().until
    clock.advance(1700)
    source.taken(ON)
    assert flag.is_on()
    assert flag.status().until == until
    clock.advance(100)
    assert not flag.is_on()


def test_error_between_does_not_prolong(updater, scripted, clock):
    """A failure, then the same document again, leaves the end where it was."""
    source = scripted(ON)
    flag = updater(source, clock=clock)
    assert flag.wait_ready(10)
    until = flag.status().until
    clock.advance(60)
    source.taken(SourceError("away"))
    source.taken(Document(b"?", "r3"))
    source.taken(ON)
    assert flag.status().until == until


def test_revision_counts_once_applied(updater, scripted):
    """The source is told the revision in force, not one that was fetched and refused."""
    source = scripted(ON)
    flag = updater(source)
    assert flag.wait_ready(10)
    source.taken(Document(b"tru", "r9"))
    while not source.calls.empty():
        source.calls.get()
    assert source.next_call()[0] == "r1"
    assert flag.status().revision == "r1"


@pytest.mark.parametrize(("kind", "seconds"), [(FileSource, 60), (FlagSource, 300)])
def test_source_is_rechecked(updater, scripted, clock, kind, seconds):
    """Every minute (a file) or five, a source is asked without a revision, so that a lost change is found."""
    source = scripted(ON)
    source.recheck = kind.recheck
    flag = updater(source, clock=clock)
    assert flag.wait_ready(10)
    for step in (0, seconds - 1, 1, 1):
        clock.advance(step)
        source.taken(ON)
    asked = [source.calls.get()[0] for _ in range(source.calls.qsize())]
    assert asked[0] is None
    assert asked[1:].count(None) == 1


def test_no_fetch_is_held_after_a_failure(updater, scripted):
    """After a failure a source answers at once: that it is back is news, whatever the flag."""
    source = scripted(SourceError("down"))
    flag = updater(source)
    flag.is_on()
    assert [source.next_call()[1] for _ in range(3)] == [FlagSource.hold, 0.0, 0.0]
    source.taken(Document(b"true", "r1"))
    while source.next_call() != ("r1", FlagSource.hold):
        pass


@pytest.mark.parametrize(("immediate", "wait"), [(True, 0.0), (False, FlagSource.hold)])
def test_only_remote_sources_may_hold_a_fetch(updater, scripted, immediate, wait):
    """A remote source is given time for a long poll, a local one none."""
    source = scripted(immediate=immediate)
    updater(source).is_on()
    assert source.next_call() == (None, wait)


def test_fetches_are_an_interval_apart(updater, scripted):
    """However fast a source answers, its fetches begin at least an interval apart."""
    source = scripted(ON)
    began = time.monotonic()
    updater(source, interval=0.05).is_on()
    # The second is the first that could be a long poll: it need not wait.
    for _ in range(6):
        source.next_call()
    assert time.monotonic() - began > 4 * 0.05


def test_first_long_poll_begins_at_once(updater, eventually):
    """A pushed source's first change is seen at once, also right after its document was read."""

    class Pushed(FlagSource):
        name = "pushed"
        changed = threading.Event()
        waits = queue.SimpleQueue()

        def fetch(self, previous, *, wait, cancel):
            self.waits.put((previous, wait))
            if previous == "r1" and self.changed.wait(wait):
                return Document(b"false", "r2")
            if previous == "r2":
                cancel.wait(wait)
            return ON

    source = Pushed()
    flag = updater(source, interval=60)
    assert flag.wait_ready(10)
    assert source.waits.get(timeout=10) == (None, FlagSource.hold)
    assert source.waits.get(timeout=10) == ("r1", FlagSource.hold)
    source.changed.set()
    eventually(lambda: not flag.is_on())
    flag.close()


@pytest.mark.parametrize("answer", [Absent(), Document(b"nonsense", "r1")])
def test_source_without_a_document_is_not_hurried(updater, scripted, answer):
    """Where there is no document, or only nonsense, fetches are an interval apart from the first."""
    source = scripted(answer)
    began = time.monotonic()
    updater(source, interval=0.05).is_on()
    for _ in range(5):
        source.next_call()
    assert time.monotonic() - began > 4 * 0.05


def test_long_poll_is_followed_by_the_next(updater, eventually):
    """A fetch that was held for an interval or longer is repeated at once; cancel ends it."""

    class LongPoll(FlagSource):
        name = "long-poll"
        began = 0
        cancelled = threading.Event()

        def fetch(self, previous, *, wait, cancel):
            self.began += 1
            if self.began < 5:
                cancel.wait(0.5)
            elif cancel.wait(wait):
                self.cancelled.set()
            return Absent()

    source = LongPoll()
    flag = updater(source, interval=0.5)
    began = time.monotonic()
    flag.is_on()
    eventually(lambda: source.began == 5)
    # With pauses between them it would be four seconds.
    assert time.monotonic() - began < 3.5
    flag.close()
    assert source.cancelled.is_set()


def test_answer_that_is_none_of_the_three(updater, scripted, lines, eventually):
    """A source that returns something else is told so, and debug stays as it was."""
    source = scripted(ON)
    flag = updater(source)
    assert flag.wait_ready(10)
    source.taken(True)
    assert flag.is_on()
    (line,) = lines("WARNING")
    assert "fetch() returned bool, not Document, NotModified or Absent; it stays on" in line
