"""When the updater asks, when it starts its thread, and what it refuses to start with."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tracedclient.debug import FlagSource, FlagUpdater, StaticFlag
from tracedclient.debug.source import Absent, Document

ON = Document(b"true", "r1")


def test_construction_starts_nothing(updater, scripted, flag_threads):
    """Constructing, and looking at the status, start no thread and ask no remote source."""
    source = scripted(ON)
    flag = updater(source)
    assert flag.status().state == "DEFAULT"
    assert flag_threads() == []
    assert source.fetched == 0


def test_local_source_is_read_at_construction(updater, scripted, flag_threads):
    """A quick local source has answered before the first request, without a thread."""
    flag = updater(scripted(ON, immediate=True))
    assert flag.status().on
    assert flag_threads() == []


def test_local_source_that_fails_at_construction(updater, scripted, lines):
    """A source that fails at construction is one warning, and debug is off."""
    flag = updater(scripted(RuntimeError("broken"), immediate=True))
    assert not flag.status().on
    assert flag.status().state == "ERROR"
    assert lines("WARNING") == ["debug flag scripted: RuntimeError: broken; it stays off"]


def test_first_question_starts_one_daemon(updater, scripted, eventually, flag_threads):
    """However many threads ask first, one daemon thread is started, named after the source."""
    flag = updater(scripted(ON))
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: flag.is_on(), range(64)))
    (thread,) = flag_threads()
    assert thread.daemon
    assert thread.name == "tracedclient-scripted"
    eventually(flag.is_on)


def test_question_never_waits(updater, held):
    """While the source hangs, the answer is the last known one, at once."""
    source = held()
    flag = updater(source)
    began = time.monotonic()
    assert not flag.is_on()
    assert source.entered.wait(10)
    assert not flag.is_on()
    assert time.monotonic() - began < 5
    source.released.set()


def test_thread_that_cannot_be_started():
    """A process out of threads gets an answer and a warning, never an exception."""
    script = """
import logging, threading
from tracedclient.debug import FileSource, FlagUpdater
logging.basicConfig(format="%(message)s")
flag = FlagUpdater(FileSource("/nonexistent"))
threading.stack_size(1 << 46)
print(flag.is_on(), flag.is_on(), flag.status().state)
threading.stack_size(0)
print(flag.is_on(), flag.wait_ready(10), threading.active_count())
"""
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )
    assert ran.stdout.splitlines() == ["False False ERROR", "False True 2"]
    assert ran.stderr.count("can't start new thread") == 1


@pytest.mark.parametrize("source", [True, None, "flag.json", StaticFlag])
def test_source_must_be_a_source(source):
    """Anything but a source is refused, and the message says what to pass."""
    with pytest.raises(TypeError, match=r"source must be a FlagSource .* StaticFlag\(True\)"):
        FlagUpdater(source)


def test_source_must_have_a_name():
    """A source of the user's that forgot its name is told so."""

    class Nameless(FlagSource):
        def fetch(self, previous, *, wait, cancel):
            return Absent()

    with pytest.raises(TypeError, match=r"set Nameless\.name"):
        FlagUpdater(Nameless())


def test_source_must_fetch():
    """A source of the user's that forgot to fetch is told so when it is made."""

    class Lazy(FlagSource):
        name = "lazy"

    with pytest.raises(TypeError, match="fetch"):
        Lazy()


@pytest.mark.parametrize(
    ("interval", "error"),
    [
        (True, TypeError),
        ("2", TypeError),
        (None, TypeError),
        (0, ValueError),
        (-1, ValueError),
        (float("nan"), ValueError),
        (float("inf"), ValueError),
    ],
)
def test_interval_must_be_seconds(scripted, interval, error):
    """An interval that cannot be waited for is refused, by name of the argument."""
    with pytest.raises(error, match=r"^interval must be"):
        FlagUpdater(scripted(), interval=interval)
