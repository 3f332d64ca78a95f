"""What must not be published, published."""

from __future__ import annotations

import threading

import pytest

from tracedclient.debug.document import MAX_BYTES

BAD = {
    "garbage": b"{enabled: yes",
    "bytes": b"\x80\xff\xfe{}",
    "html": b"<!DOCTYPE html><html><body>Please log in</body></html>",
    "oversized": b'{"schema": 1, "enabled": false, "reason": "' + b"x" * MAX_BYTES + b'"}',
    "wrong type": b'{"schema": 1, "enabled": "true", "until": 1795000000}',
    "unknown key": b'{"schema": 1, "enabled": false, "untill": 1795000000}',
    "no end": b'{"schema": 1, "enabled": true}',
    "NaN": b'{"schema": 1, "enabled": true, "until": NaN}',
    "schema 2": b'{"schema": 2, "enabled": true, "until": 1795000000}',
}


@pytest.mark.parametrize("bad", BAD)
def test_last_good_one_is_kept(rig, follow, eventually, lines, bad):
    """Whatever is no flag document leaves the last good one in force, with one warning that says
    what is wrong, however often it is looked at; the next good one is seen."""
    rig.publish(b"true")
    flag, source = follow(rig)
    eventually(flag.is_on)
    rig.publish(BAD[bad])
    eventually(lambda: flag.status().last_error is not None and lines("WARNING"))
    if not rig.pushed:
        looks = source.fetches
        eventually(lambda: source.fetches > looks + 2)
    threading.Event().wait(0.05)
    assert flag.is_on()
    assert flag.status().state in {"ERROR", "STALE"}
    assert len(lines("WARNING")) == 1
    rig.publish(b"false")
    eventually(lambda: not flag.is_on())
    assert flag.status().state == "READY"
    assert len(lines("WARNING")) == 1
