"""What changes while a call is under way: the clock of the wall, the time zone, the file it sends."""

from __future__ import annotations

import time

import pytest
import servers
from requests.exceptions import UnrewindableBodyError

from faults.cases import SLEPT
from tracedclient import Timeout
from tracedclient.retry.retry_after import retry_after


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wall_clock_that_is_set_changes_nothing(make_client, start, monkeypatch, hours):
    """A clock set by an hour in the middle of a call neither ends nor prolongs it."""
    real = time.time
    shift = []

    def app(_):
        shift.append(3600 * hours)
        return 503 if len(shift) < 3 else 200, [], b""

    monkeypatch.setattr(time, "time", lambda: real() + sum(shift))
    monkeypatch.setattr(time, "time_ns", lambda: int((real() + sum(shift)) * 1e9))
    server = start(servers.serve(app))

    trace = make_client(timeout=Timeout(1, 1, 5)).get(server.url).trace

    assert trace.outcome == "ok"
    assert [attempt.sleep_ms for attempt in trace.attempts] == [SLEPT, SLEPT, None]
    assert 2 * SLEPT <= trace.duration_ms < 4000
    assert trace.wait_ms >= 0


@pytest.mark.parametrize("zone", ["Asia/Jerusalem", "America/St_Johns", "UTC"])
def test_a_date_is_gmt_in_every_time_zone(monkeypatch, zone):
    """All three forms of Retry-After's date mean the same wherever the process runs."""
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        forms = [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ]
        assert {retry_after(form, now=784_111_777.0 - 12) for form in forms} == {12.0}
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("size", [0, 500, 1500])
def test_a_file_of_another_length_meanwhile_is_not_sent_again(make_client, start, tmp_path, size):
    """A file that is shorter, or longer, at the second attempt is an error at once: neither a wait
    for its rest, nor bytes that the server takes for the next request."""
    path = tmp_path / "body"
    path.write_bytes(b"x" * 1000)

    def app(_):
        path.write_bytes(b"x" * size)
        return 503, [], b""

    server = start(servers.serve(app))
    with path.open("rb") as body, pytest.raises(UnrewindableBodyError) as caught:
        make_client(timeout=Timeout(1, 0.5, 3)).put(server.url, data=body)

    assert len(server.requests) == 1
    assert caught.value.trace.verdict_culprit == "client"
    assert caught.value.trace.error_phase == "prepare"
