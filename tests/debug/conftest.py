"""Sources that do as told, a clock that stands still, and updaters that are closed at the end."""

from __future__ import annotations

import json
import queue
import threading
import time
from contextlib import ExitStack, closing

import pytest

from tracedclient.debug import FlagSource, FlagUpdater
from tracedclient.debug.source import Absent, Document

PATIENCE = 10.0


class Scripted(FlagSource):
    """Answers with ``answer`` until told otherwise; an exception is raised."""

    name = "scripted"

    def __init__(self, answer=None, *, immediate=False):
        self.answer = Absent() if answer is None else answer
        self.immediate = immediate
        self.calls = queue.SimpleQueue()
        self.fetched = 0
        self.closed = 0

    def fetch(self, previous, *, wait, cancel):
        answer = self.answer
        self.calls.put((previous, wait))
        self.fetched += 1
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self):
        self.closed += 1

    def next_call(self):
        """``(previous, wait)`` of the next fetch not looked at yet."""
        return self.calls.get(timeout=PATIENCE)

    def taken(self, answer):
        """Give ``answer``, and wait until it has been fetched and dealt with."""
        self.answer = answer
        before = self.fetched
        eventually(lambda: self.fetched >= before + 3)


class Held(FlagSource):
    """Answers ``answers`` times; then a fetch hangs until released, whatever else happens."""

    name = "held"

    def __init__(self, answers=0, *, immediate=False):
        self.answers = answers
        self.late = Document(b"true", "late")
        self.immediate = immediate
        self.entered = threading.Event()
        self.released = threading.Event()

    def fetch(self, previous, *, wait, cancel):
        self.answers -= 1
        if self.answers >= 0:
            return Document(b"true", "r1")
        self.entered.set()
        self.released.wait(PATIENCE)
        if isinstance(self.late, Exception):
            raise self.late
        return self.late


class HeldClock:
    """Both clocks of ``time``, moved by hand."""

    def __init__(self, now=1_800_000_000.0):
        self.wall = now
        self.since_start = 1000.0

    def time(self):
        return self.wall

    def monotonic(self):
        return self.since_start

    def advance(self, seconds):
        self.wall += seconds
        self.since_start += seconds


def eventually(holds):
    end = time.monotonic() + PATIENCE
    nothing = threading.Event()
    while not holds():
        assert time.monotonic() < end, "it never came true"
        nothing.wait(0.002)


@pytest.fixture(name="eventually")
def _eventually():
    """``eventually(predicate)`` returns when it holds, and fails after ten seconds."""
    return eventually


@pytest.fixture
def scripted():
    """The class ``Scripted``."""
    return Scripted


@pytest.fixture
def held():
    """The class ``Held``."""
    return Held


@pytest.fixture
def flag_threads():
    """``flag_threads()``: the updaters' threads that are alive."""
    return lambda: [t for t in threading.enumerate() if t.name.startswith("tracedclient-")]


@pytest.fixture
def clock():
    """A ``HeldClock``."""
    return HeldClock()


@pytest.fixture
def updater():
    """``updater(source, …)``: a ``FlagUpdater`` that looks every 10 ms and takes every change, closed at the end."""
    with ExitStack() as stack:

        def make(source, **options):
            options = {"interval": 0.01, "settle": 0, "jitter": lambda: 0.001, **options}
            return stack.enter_context(closing(FlagUpdater(source, **options)))

        yield make


@pytest.fixture
def document():
    """``document(until, **fields)``: the bytes of a document that switches debug on."""

    def make(until, **fields):
        return json.dumps({"schema": 1, "enabled": True, "until": until, **fields}).encode()

    return make


@pytest.fixture
def lines(caplog):
    """``lines("INFO")``: what the flag's logger said at that level."""
    caplog.set_level("INFO", logger="tracedclient.debug")

    def at(level):
        records = [r for r in caplog.records if r.name == "tracedclient.debug"]
        return [r.getMessage() for r in records if r.levelname == level]

    return at
