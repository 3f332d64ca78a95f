"""What the operator does is seen, and in time."""

from __future__ import annotations

import statistics

PUSHED = 0.2
POLLED = 2.0
INTERVAL = 1.5
"""What ``FlagUpdater`` has by itself: the rest is for the look, on a busy machine."""


def test_flip_is_seen_in_time(rig, follow, eventually):
    """With the settings that users get, a flip is seen within two seconds; one that is pushed within
    0.2 seconds (the median of five, so that no stall of the machine decides).
    """
    rig.publish(b"false")
    flag, source = follow(rig, interval=INTERVAL)
    assert flag.wait_ready(10)
    took = []
    for body in (
        (b"true", b"false", b"true", b"false", b"true") if rig.pushed else (b"true", b"false")
    ):
        if rig.pushed:
            eventually(source.is_held)
        rig.publish(body)
        took.append(eventually(lambda body=body: flag.is_on() == (body == b"true")))
    assert max(took) < POLLED
    if rig.pushed:
        assert statistics.median(took) < PUSHED


def test_document_that_comes_later(rig, follow, eventually):
    """Without a document the flag is off and says so; the first one is seen."""
    flag, _ = follow(rig)
    assert flag.wait_ready(10)
    assert (flag.is_on(), flag.status().state) == (False, "ABSENT")
    rig.publish(b"true")
    eventually(flag.is_on)
    assert flag.status().state == "READY"


def test_deletion_switches_off(rig, follow, eventually):
    """Deleting the document switches debug off, without an error; publishing again, on."""
    rig.publish(b"true")
    flag, _ = follow(rig)
    for _ in range(2):
        eventually(flag.is_on)
        rig.publish(None)
        eventually(lambda: not flag.is_on())
        assert (flag.status().state, flag.status().last_error) == ("ABSENT", None)
        rig.publish(b"true")
    eventually(flag.is_on)


def test_flaps_settle(rig, follow, eventually, lines):
    """After fifty flips in a row the last one counts: no update is lost."""
    rig.publish(b"false")
    flag, _ = follow(rig)
    assert flag.wait_ready(10)
    for last in (b"true", b"false"):
        for number in range(25):
            rig.publish(b" " * number + (b"false" if last == b"true" else b"true"))
            rig.publish(b" " * number + last)
        eventually(lambda last=last: flag.is_on() == (last == b"true"))
        eventually(lambda: flag.status().last_error is None)
    assert lines("WARNING") == []
