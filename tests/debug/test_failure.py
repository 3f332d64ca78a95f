"""Sources that fail, and threads that die: the last good flag stays, and one line says why."""

from __future__ import annotations

import threading
import time

import pytest

from tracedclient.debug import FlagSource, SourceError
from tracedclient.debug.poller import backoff_limit
from tracedclient.debug.source import Document

ON = Document(b"true", "r1")


def test_last_good_is_kept(updater, scripted, lines):
    """Failures of any kind leave the flag as it was, and each distinct one is told once."""
    source = scripted(ON)
    flag = updater(source)
    assert flag.wait_ready(10)
    for problem in (SourceError("no route"), ValueError("odd"), SourceError("no route")):
        source.taken(problem)
        assert flag.is_on()
    source.taken(Document(b"{}", "r5"))
    assert flag.is_on()
    assert [line.split(": ", 1)[1].split(" field")[0] for line in lines("WARNING")] == [
        "no route; it stays on",
        "ValueError: odd; it stays on",
        "Object missing required",
    ]


def test_problem_is_told_again_after_recovery(updater, scripted, lines):
    """Once all is well, which is told too, the same problem is news again."""
    source = scripted(SourceError("away"))
    flag = updater(source)
    flag.is_on()
    source.taken(SourceError("away"))
    source.taken(ON)
    assert flag.status().last_error is None
    source.taken(SourceError("away"))
    assert len(lines("WARNING")) == 2
    assert lines("INFO").count("debug flag scripted: all is well again") == 1


def test_ever_changing_problem_does_not_flood_the_log(updater, lines, eventually):
    """A message that differs each time ends after ten lines."""

    class Counting(FlagSource):
        name = "counting"
        count = 0

        def fetch(self, previous, *, wait, cancel):
            self.count += 1
            raise SourceError(f"request {self.count} failed")

    source = Counting()
    updater(source, jitter=lambda: 0.0).is_on()
    eventually(lambda: source.count > 30)
    assert len(lines("WARNING")) == 10


def test_error_text_stays_on_its_line(updater, scripted, lines):
    """An exception's text is cut, and cannot write lines of its own."""
    flag = updater(scripted(SourceError("a\nERROR forged " + "x" * 1000), immediate=True))
    assert lines("WARNING")[0].isprintable()
    assert len(flag.status().last_error) < 210


def test_backoff_doubles_to_half_a_minute():
    """The longest pause grows 1, 2, 4 … 30 s and stays there for ever."""
    limits = [backoff_limit(failures) for failures in (1, 2, 3, 4, 5, 6, 7, 100_000)]
    assert limits == [1, 2, 4, 8, 16, 30, 30, 30]


def test_invalid_document_is_looked_at_as_often_as_any(updater, scripted):
    """A source that answers with nonsense is not unwell: its repair is seen within an interval."""
    drawn = []
    source = scripted(SourceError("away"))
    updater(source, jitter=lambda: drawn.append(1) or 0.0).is_on()
    source.taken(SourceError("away"))
    source.taken(Document(b"nonsense", "r9"))
    pauses = len(drawn)
    source.taken(Document(b"nonsense", "r9"))
    assert len(drawn) == pauses > 0


@pytest.mark.parametrize("seconds", [60, 1e300, float("nan")])
def test_source_that_asks_to_be_left_alone(updater, scripted, flag_threads, seconds):
    """``retry_after`` of a failure is a pause, of five minutes at most; ``close`` ends it."""
    source = scripted(SourceError("busy", retry_after=seconds))
    flag = updater(source, jitter=lambda: 0.0)
    flag.is_on()
    source.next_call()
    nothing = threading.Event()
    nothing.wait(0.1)
    assert source.fetched == 1
    assert flag.status().last_error == "busy"
    assert len(flag_threads()) == 1
    flag.close()
    assert flag_threads() == []


@pytest.mark.parametrize("end", [SystemExit(1), KeyboardInterrupt(), GeneratorExit()])
def test_dead_thread_is_replaced(updater, scripted, eventually, end, flag_threads):
    """A thread that dies is noticed by the next question, which starts another."""
    source = scripted(end)
    flag = updater(source)
    flag.is_on()
    eventually(lambda: flag_threads() == [])
    assert flag.status().state == "ERROR"
    source.answer = ON
    eventually(flag.is_on)
    assert len(flag_threads()) == 1


def test_hanging_source_slows_no_call(updater, held):
    """While a fetch hangs, 99 of 100 decisions take less than a millisecond."""
    source = held(answers=1)
    flag = updater(source)
    assert flag.wait_ready(10)
    assert source.entered.wait(10)
    taken = []
    for _ in range(10_000):
        began = time.perf_counter()
        assert flag.decide("GET", "a", "/", "f" * 32) is not None
        taken.append(time.perf_counter() - began)
    source.released.set()
    assert sorted(taken)[9900] < 0.001
