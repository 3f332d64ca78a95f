"""The flag overridden in this process, while the config centre is what is down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from tracedclient.debug import InvalidDocument, SourceError, StaticFlag, override_on_signal
from tracedclient.debug.source import Document

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ON = Document(b"true", "r1")
OFF = Document(b"false", "r0")


def decided(flag, host="a"):
    return flag.decide("GET", host, "/", TRACE)


@pytest.fixture
def flag(updater, scripted, clock):
    """An updater whose source says off."""
    return updater(scripted(OFF, immediate=True), clock=clock)


@pytest.fixture
def handler():
    """A signal whose handler is put back."""
    before = signal.getsignal(signal.SIGUSR2)
    yield signal.SIGUSR2
    signal.signal(signal.SIGUSR2, before)


def test_override_wins_until_its_end(flag, clock):
    """An override decides at once, for as long as it was asked for, and then the source again."""
    assert decided(flag) is None
    flag.override(True, ttl=60)
    assert decided(flag).source == "override:call"
    status = flag.status()
    assert (status.on, status.overridden_by, status.until) == (True, "call", clock.wall + 60)
    clock.advance(59.9)
    assert flag.is_on()
    clock.advance(0.1)
    assert decided(flag) is None
    assert flag.status().overridden_by is None


def test_override_off_stops_what_the_source_says(updater, scripted, clock):
    """``override(False, ttl)`` is a kill switch: off, whatever the source says, until its end."""
    flag = updater(scripted(ON, immediate=True), clock=clock)
    flag.override(False, ttl=60)
    assert not flag.is_on()
    assert decided(flag) is None
    clock.advance(60)
    assert flag.is_on()


def test_override_works_while_the_source_is_down(updater, scripted, clock):
    """A source that never answered, or is away, does not stand in the way of an override."""
    flag = updater(scripted(SourceError("away"), immediate=True), clock=clock)
    flag.override(True, ttl=60)
    assert decided(flag) is not None
    assert flag.status().state == "ERROR"


def test_override_of_what_code_decided(updater, clock):
    """A client made with ``debug=False`` can be overridden too; it has no thread that helps."""
    flag = updater(StaticFlag(False), clock=clock)
    flag.override(True, ttl=60)
    assert decided(flag) is not None
    clock.advance(60)
    assert not flag.is_on()


def test_override_by_a_document(flag, clock, document):
    """An override may be a document with rules, as JSON or as a mapping; its earlier end counts."""
    rules = [{"id": "r", "hosts": ["only.this"]}]
    flag.override(document(clock.wall + 30, rules=rules), ttl=60)
    assert decided(flag, "only.this").rule == "r"
    assert decided(flag, "other") is None
    assert flag.status().until == clock.wall + 30
    flag.override({"schema": 1, "enabled": True, "until": clock.wall + 1e6}, ttl=60)
    assert flag.status().until == clock.wall + 60
    clock.advance(60)
    assert decided(flag) is None


def test_override_outlives_no_clock_set_back(flag, clock):
    """The wall clock set back does not prolong an override."""
    flag.override(True, ttl=60)
    clock.wall -= 86_400
    clock.since_start += 60
    assert decided(flag) is None


def test_end_override(flag):
    """``end_override`` lets the source decide again, and may be called for nothing."""
    flag.end_override()
    flag.override(True, ttl=60)
    flag.end_override()
    assert not flag.is_on()


@pytest.mark.parametrize(
    ("given", "ttl", "error", "says"),
    [
        ("tru", 60, InvalidDocument, "not JSON"),
        (b"{}", 60, InvalidDocument, "missing required field"),
        (object(), 60, InvalidDocument, "cannot be JSON"),
        (None, 60, InvalidDocument, "got `null`"),
        (True, 0, ValueError, "ttl must be above 0 and at most 14400 seconds, not 0"),
        (True, 14_401, ValueError, "ttl must be above 0"),
        (True, float("nan"), ValueError, "ttl must be above 0"),
        (True, "60", TypeError, "ttl must be a number of seconds, not str"),
        (True, True, TypeError, "ttl must be a number"),
    ],
)
def test_override_refuses_what_it_cannot_mean(flag, given, ttl, error, says):
    """A document or a time that cannot be meant is refused where it is given, and changes nothing."""
    with pytest.raises(error, match=says):
        flag.override(given, ttl)
    assert not flag.is_overridden()


def test_override_is_told(flag, clock, document, lines, eventually):
    """Its beginning and its end are a log line each, and subscribers hear of both."""
    heard = []
    flag.subscribe(lambda status: heard.append(status.on))
    body = document(clock.wall + 60, updated_by="alice", reason="INC-4711")
    flag.override(body, ttl=60)
    clock.advance(60)
    flag.is_on()
    # The thread that the question started may be the one that tells.
    eventually(lambda: heard == [True, False])
    begun, ended = lines("INFO")[-2:]
    assert begun.endswith("by 'alice', reason 'INC-4711', overridden by call")
    assert ended == "debug flag scripted: the override by call has ended; the flag is off again"


def test_closed_flag_is_not_overridden(flag):
    """Closed is off, override or not."""
    flag.override(True, ttl=60)
    flag.close()
    assert decided(flag) is None
    assert not flag.status().on


@pytest.mark.parametrize(
    ("value", "on", "seconds"),
    [("on:30", True, 1800), ("ON:0.5", True, 30), (" on:240 ", True, 14_400), ("off", False, None)],
)
def test_environment_overrides(monkeypatch, updater, scripted, clock, value, on, seconds):
    """``TRACEDCLIENT_TRACE`` is ``off``, or ``on:<minutes>`` from the client's making on."""
    monkeypatch.setenv("TRACEDCLIENT_TRACE", value)
    flag = updater(
        scripted(Document(b"false" if on else b"true", "r1"), immediate=True), clock=clock
    )
    assert flag.is_on() is on
    assert flag.status().overridden_by == "environment"
    clock.advance(seconds or 1e6)
    assert not flag.is_on()


def test_environment_holds_a_document(monkeypatch, updater, scripted, clock, document):
    """``TRACEDCLIENT_TRACE`` may be a flag document, which ends by its ``until``."""
    rules = [{"id": "env", "hosts": ["a"]}]
    monkeypatch.setenv("TRACEDCLIENT_TRACE", document(clock.wall + 60, rules=rules).decode())
    flag = updater(scripted(OFF, immediate=True), clock=clock)
    assert (decided(flag).rule, decided(flag, "b")) == ("env", None)
    clock.advance(60)
    assert decided(flag) is None


@pytest.mark.parametrize("value", ["on", "on:", "on:-5", "on:0", "on:9999", "yes", "{", "on:1e3"])
def test_environment_that_means_nothing(monkeypatch, updater, scripted, lines, value):
    """Another value is warned of, and the source decides."""
    monkeypatch.setenv("TRACEDCLIENT_TRACE", value)
    flag = updater(scripted(ON, immediate=True))
    assert flag.is_on()
    assert not flag.is_overridden()
    assert "TRACEDCLIENT_TRACE is ignored: " in lines("WARNING")[0]


def test_signal_switches_on_and_off(updater, scripted, clock, handler, lines):
    """The signal that was asked for traces every call of every client; the next one ends that."""
    flags = [updater(scripted(OFF, immediate=True), clock=clock), updater(StaticFlag(False))]
    override_on_signal(minutes=10)
    os.kill(os.getpid(), handler)
    assert [decided(flag).source for flag in flags] == ["override:signal"] * 2
    assert flags[0].status().until == clock.wall + 600
    assert any("overridden by signal" in line for line in lines("INFO"))
    os.kill(os.getpid(), handler)
    assert [decided(flag) for flag in flags] == [None, None]


def test_signal_calls_the_handler_before(handler):
    """A handler that the application had for the signal is called as well."""
    called = []
    signal.signal(handler, lambda number, frame: called.append(number))
    override_on_signal(handler)
    os.kill(os.getpid(), handler)
    assert called == [handler]
    os.kill(os.getpid(), handler)


def test_signal_is_nobodys_until_asked_for(handler):
    """Importing and making clients leaves the signal's handler as it is."""
    script = """
import signal
before = signal.getsignal(signal.SIGUSR2)
from tracedclient import HTTPClient
HTTPClient(debug=True).close()
assert signal.getsignal(signal.SIGUSR2) is before
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)


@pytest.mark.parametrize(
    ("minutes", "error"), [(0, ValueError), (241, ValueError), ("5", TypeError)]
)
def test_signal_refuses_minutes(handler, minutes, error):
    """Minutes that cannot be meant are refused when the handler is asked for."""
    with pytest.raises(error, match="minutes must be"):
        override_on_signal(handler, minutes=minutes)


def test_child_keeps_an_override():
    """A forked child of an overridden process is overridden too, until the same moment."""
    script = """
import os, warnings
warnings.simplefilter("ignore")
from tracedclient.debug import FlagUpdater, StaticFlag
flag = FlagUpdater(StaticFlag(False))
flag.override(True, ttl=60)
pid = os.fork()
if pid == 0:
    os._exit(0 if flag.is_on() and flag.status().until else 1)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
