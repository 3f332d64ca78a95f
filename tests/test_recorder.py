"""The recorder itself: what it makes of what it was given."""

from __future__ import annotations

import time

import msgspec

from tracedclient import httptrace
from tracedclient._replay import Replay
from tracedclient.httptrace import HOOKS
from tracedclient.notes import BodyRead, Notes
from tracedclient.recorder import Recorder
from tracedclient.trace.decision import Decision


def test_text_that_json_cannot_hold_is_escaped():
    """A lone surrogate in what the caller named does not lose the record."""
    decision = Decision(source="file", rule="r\n1", revision="\udc80")
    names = {"service": "caf\udc80", "method": "G\nET", "url": "http://h.test/\udc80"}
    found = Recorder("t-1", decision=decision, **names).finish(None, None)
    assert found.service_name == "caf\\udc80"
    assert found.http_request_method == "G\\x0aET"
    assert (found.debug_rule, found.debug_revision) == ("r\\x0a1", "\\udc80")
    assert msgspec.json.decode(msgspec.json.encode(found))["url_full"] == "http://h.test/\\udc80"


def test_all_that_is_noted_can_be_played():
    """No hook is noted that a journal's replay would stumble over."""
    noted = [hook for hook in (*HOOKS, "noted", "body_noted") if hook in vars(Recorder)]
    assert len(noted) > len(HOOKS)
    # The reads of one body are one entry.
    assert [hook for hook in noted if not hasattr(Replay, hook)] == ["body_read"]


SECOND = 10**9
CONN = httptrace.GotConnInfo(
    conn_id=1,
    reused=False,
    was_idle=False,
    idle_time=None,
    age=0.0,
    uses=1,
    local=None,
    remote=None,
)


def test_reads_after_those_that_were_noted_are_counted_from_the_last_of_them():
    """Of an exchange that was noted up to the middle of its body, no silence counts twice."""
    recorder, now = Recorder("t-1", method="GET", url="http://h.test/"), time.perf_counter_ns()
    recorder.exchange_start(
        httptrace.ExchangeStartInfo(method="GET", url="http://h.test/", proxy=None)
    )
    notes = Notes(CONN, now - 8 * SECOND)
    notes.wrote_at = notes.first_byte_at = notes.head_at = now - 8 * SECOND
    notes.status, notes.reads = 200, 1
    notes.body_reads = [BodyRead(5, 4.0, now - 4 * SECOND)]
    recorder.noted(notes)
    recorder.body_read(httptrace.BodyReadInfo(size=5, waited=4.0))
    recorder.body_done(httptrace.BodyDoneInfo(complete=True, tcp=None))
    (exchange,) = recorder.finish(200, None).attempts[0].exchanges
    assert exchange.reads == 3
    assert 4000 <= exchange.longest_silence_ms < 7000
