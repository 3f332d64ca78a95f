"""The flag's log lines, on the stdlib logger ``tracedclient.debug``.

A change is one INFO line that says who, why, until when. A problem is one WARNING however often it
comes, until all is well again. A flag that flaps gets ten lines, then one a minute.
"""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tracedclient.bucket import TokenBucket
from tracedclient.debug.document import excerpt

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.debug.snapshot import Snapshot

MAX_PROBLEMS = 10
"""Distinct problems told of before all is well again: a text that differs each time ends there."""
LINES = 10.0
"""Lines that may be written at once; another one is allowed a minute later."""

logger = logging.getLogger("tracedclient.debug")


class Journal:
    """What one flag has told its operator. ``now`` is the monotonic clock."""

    __slots__ = ("_lines", "_problems", "_source", "_untold")

    def __init__(self, source: str, now: Callable[[], float]) -> None:
        self._source = source
        self._problems: set[str] = set()
        self._lines = TokenBucket(1 / 60, LINES, now)
        self._untold = 0

    def changed(self, before: str | None, revision: str, snapshot: Snapshot) -> None:
        self._say(
            f"{_decision(snapshot)}, {_motive(snapshot)}, "
            f"revision {'none' if before is None else excerpt(before)} -> {excerpt(revision)}"
        )

    def gone(self) -> None:
        self._say("off, the document is gone")

    def expired(self) -> None:
        self._say("off, its time is up")

    def overridden(self, by: str, snapshot: Snapshot) -> None:
        self._say(f"{_decision(snapshot)}, {_motive(snapshot)}, overridden by {by}")

    def override_ended(self, by: str, *, on: bool) -> None:
        self._say(f"the override by {by} has ended; the flag is {'on' if on else 'off'} again")

    def problem(self, text: str, *, on: bool) -> None:
        if text not in self._problems and len(self._problems) < MAX_PROBLEMS:
            self._problems.add(text)
            self._say(f"{text}; it stays {'on' if on else 'off'}", logging.WARNING)

    def well(self) -> None:
        if self._problems:
            self._problems.clear()
            self._say("all is well again")

    def subscriber_raised(self, error: Exception) -> None:
        logger.warning("debug flag %s: a subscriber raised", self._source, exc_info=error)

    def catch_up(self, revision: str | None, snapshot: Snapshot) -> None:
        """Tell how it stands, when lines were left out and one may be written again."""
        if self._untold and self._lines.take():
            self._write(f"{_decision(snapshot)}, revision {excerpt(str(revision))}")

    def after_fork(self) -> None:
        self._lines.after_fork()

    def _say(self, text: str, level: int = logging.INFO) -> None:
        if self._lines.take():
            self._write(text, level)
        else:
            self._untold += 1

    def _write(self, text: str, level: int = logging.INFO) -> None:
        left_out = f" ({self._untold} lines before were left out)" if self._untold else ""
        self._untold = 0
        logger.log(level, "debug flag %s: %s%s", self._source, text, left_out)


def _decision(snapshot: Snapshot) -> str:
    if not snapshot.on:
        return "off" if snapshot.why_off is None else f"off, {snapshot.why_off}"
    if snapshot.until is None:
        return "on"
    return f"on until {_utc(snapshot.until)}"


def _utc(until: float) -> str:
    try:
        return f"{datetime.fromtimestamp(until, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OverflowError, OSError):
        # This machine's own clock is that far off: until is at most hours ahead of it.
        return f"{until:.0f} s since 1970"


def _motive(snapshot: Snapshot) -> str:
    return f"by {_quoted(snapshot.updated_by)}, reason {_quoted(snapshot.reason)}"


def _quoted(text: str | None) -> str:
    return "not given" if text is None else f"'{excerpt(text, 200)}'"
