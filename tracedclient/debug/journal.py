"""The flag's log lines, on the stdlib logger ``tracedclient.debug``.

A change is one INFO line that says who, why, until when. A problem is one WARNING however often it
comes, until all is well again.
"""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING

from tracedclient.debug.document import excerpt

if TYPE_CHECKING:
    from tracedclient.debug.document import Snapshot

MAX_PROBLEMS = 10
"""Distinct problems told of before all is well again: a text that differs each time ends there."""

logger = logging.getLogger("tracedclient.debug")


class Journal:
    """What one flag has told its operator."""

    __slots__ = ("_problems", "_source")

    def __init__(self, source: str) -> None:
        self._source = source
        self._problems: set[str] = set()

    def changed(self, before: str | None, revision: str, snapshot: Snapshot) -> None:
        logger.info(
            "debug flag %s: %s, by %s, reason %s, revision %s -> %s",
            self._source,
            _decision(snapshot),
            _quoted(snapshot.updated_by),
            _quoted(snapshot.reason),
            "none" if before is None else excerpt(before),
            excerpt(revision),
        )

    def gone(self) -> None:
        logger.info("debug flag %s: off, the document is gone", self._source)

    def expired(self) -> None:
        logger.info("debug flag %s: off, its time is up", self._source)

    def problem(self, text: str, *, on: bool) -> None:
        if text not in self._problems and len(self._problems) < MAX_PROBLEMS:
            self._problems.add(text)
            stays = "on" if on else "off"
            logger.warning("debug flag %s: %s; it stays %s", self._source, text, stays)

    def well(self) -> None:
        if self._problems:
            self._problems.clear()
            logger.info("debug flag %s: all is well again", self._source)

    def subscriber_raised(self, error: Exception) -> None:
        logger.warning("debug flag %s: a subscriber raised", self._source, exc_info=error)


def _decision(snapshot: Snapshot) -> str:
    if snapshot.until is None:
        return "on" if snapshot.on else "off"
    if not snapshot.on:
        return "off, its until has passed"
    return f"on until {datetime.fromtimestamp(snapshot.until, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def _quoted(text: str | None) -> str:
    return "not given" if text is None else f"'{excerpt(text, 200)}'"
