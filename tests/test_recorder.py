"""The recorder itself: what it makes of what it was given."""

from __future__ import annotations

import msgspec

from tracedclient._replay import Replay
from tracedclient.httptrace import HOOKS
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
