"""Backing off from a source that is now well, now not."""

from __future__ import annotations

import pytest

from tracedclient.debug import SourceError
from tracedclient.debug.source import Document, NotModified
from tracedclient.debug.state import FlagState


@pytest.fixture
def state(clock):
    return FlagState("s", clock=clock, patience=6.0, constant=False, settle=5.0)


def test_backoff_starts_anew_after_a_minute_of_health(state, clock):
    """A source that answers now and then is backed off from as before; after 60 s well, anew."""
    for _ in range(4):
        state.failed(SourceError("away"))
    state.learn(NotModified())
    assert (state.failing, state.failures) == (False, 4)
    clock.advance(59.9)
    state.learn(NotModified())
    state.failed(SourceError("away"))
    assert (state.failing, state.failures) == (True, 5)
    state.learn(NotModified())
    clock.advance(60)
    state.failed(SourceError("away"))
    assert state.failures == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 429, 500])
def test_no_failure_is_final(updater, scripted, eventually, status):
    """Whatever a source fails with, it is asked again, and believed when it is well."""
    source = scripted(SourceError(f"HTTP {status}"))
    flag = updater(source)
    flag.is_on()
    source.taken(SourceError(f"HTTP {status}"))
    source.answer = Document(b"true", "r1")
    eventually(flag.is_on)


def test_parser_out_of_memory_does_not_end_the_thread(updater, scripted, eventually, flag_threads):
    """An error of any kind while a document is dealt with leaves the thread alive, and the flag."""
    source = scripted(MemoryError())
    flag = updater(source)
    flag.is_on()
    (thread,) = flag_threads()
    source.taken(MemoryError())
    assert flag_threads() == [thread]
    assert flag.status().last_error == "MemoryError: "
