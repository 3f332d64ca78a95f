"""Flags decided in the code and in the environment."""

from __future__ import annotations

import threading

import pytest

from tracedclient.debug import EnvSource, SourceError, StaticFlag
from tracedclient.debug.snapshot import parse
from tracedclient.debug.source import Absent, NotModified

VARIABLE = "TRACEDCLIENT_DEBUG"


def ask(source, previous=None):
    return source.fetch(previous, wait=0.0, cancel=threading.Event())


@pytest.mark.parametrize("on", [True, False])
def test_static_flag_answers_as_told(updater, clock, on):
    """A ``StaticFlag`` is what it was told, for ever, without a thread and without a log line."""
    before = set(threading.enumerate())
    flag = updater(StaticFlag(on), clock=clock)
    clock.advance(10 * 365 * 86400)
    assert flag.is_on() is on
    assert flag.wait_ready(0)
    assert flag.status().state == "READY"
    assert flag.status().until is None
    assert set(threading.enumerate()) <= before


def test_static_flag_says_nothing(updater, lines):
    """The default of every client writes no line when a client is made."""
    updater(StaticFlag(False))
    updater(StaticFlag(True))
    assert lines("INFO") == lines("WARNING") == []


@pytest.mark.parametrize("wrong", [1, None, "true"])
def test_static_flag_takes_a_bool_only(wrong):
    """A text such as "false" cannot switch debug on by being true."""
    with pytest.raises(TypeError, match="on must be True or False"):
        StaticFlag(wrong)


@pytest.mark.parametrize(
    ("value", "on"),
    [
        *((word, True) for word in ("1", "true", "on", "yes", "TRUE", "On", " yes ")),
        *((word, False) for word in ("0", "false", "off", "no", "False", "OFF")),
    ],
)
def test_words_of_the_environment(monkeypatch, value, on):
    """The usual words mean what they say, in any case."""
    monkeypatch.setenv(VARIABLE, value)
    assert parse(ask(EnvSource()).body, now=0.0, since=0.0).on is on


@pytest.mark.parametrize("value", [None, "", "  "])
def test_unset_variable_is_absent(monkeypatch, value):
    """An unset or empty variable is no document."""
    if value is not None:
        monkeypatch.setenv(VARIABLE, value)
    assert ask(EnvSource()) == Absent()


def test_document_in_the_environment(monkeypatch, document):
    """A JSON document in the variable is taken as it stands."""
    monkeypatch.setenv("ORDERS_DEBUG", document(50.0, reason="Überlast").decode())
    snapshot = parse(ask(EnvSource("ORDERS_DEBUG")).body, now=0.0, since=0.0)
    assert (snapshot.until, snapshot.reason) == (50.0, "Überlast")


def test_variable_unchanged(monkeypatch):
    """The same value is not modified, and another word for the same is not a change."""
    monkeypatch.setenv(VARIABLE, "1")
    source = EnvSource()
    revision = ask(source).revision
    assert ask(source, revision) == NotModified()
    monkeypatch.setenv(VARIABLE, "yes")
    assert ask(source, revision) == NotModified()
    monkeypatch.setenv(VARIABLE, "no")
    assert ask(source, revision).body == b"false"


def test_meaningless_value(monkeypatch):
    """Any other value is an error that names the variable and the words, but not the value."""
    monkeypatch.setenv(VARIABLE, "hunter2")
    with pytest.raises(SourceError) as error:
        ask(EnvSource())
    assert VARIABLE in str(error.value)
    assert "yes" in str(error.value)
    assert "hunter2" not in str(error.value)


def test_value_that_is_no_text(monkeypatch, updater, lines):
    """Bytes that are not UTF-8 are refused as a document, and harm nobody."""
    monkeypatch.setenv(VARIABLE, '{"a\udcff": 1}')
    assert not updater(EnvSource()).is_on()
    assert len(lines("WARNING")) == 1


def test_environment_flips(monkeypatch, updater, eventually):
    """A process that sets its own variable sees the flag follow."""
    flag = updater(EnvSource())
    assert not flag.is_on()
    monkeypatch.setenv(VARIABLE, "on")
    eventually(flag.is_on)


@pytest.mark.parametrize(
    ("variable", "error"),
    [(None, TypeError), (b"X", TypeError), ("", ValueError), ("A=B", ValueError)],
)
def test_variable_must_be_a_name(variable, error):
    """What cannot be a variable's name is refused at construction, by name of the argument."""
    with pytest.raises(error, match=r"^variable must be"):
        EnvSource(variable)


def test_names():
    """Sources say what they are."""
    assert (str(StaticFlag(True)), repr(StaticFlag(True))) == ("static", "StaticFlag(True)")
    assert str(EnvSource()) == "env:TRACEDCLIENT_DEBUG"
    assert repr(EnvSource("X")) == "<EnvSource env:X>"
