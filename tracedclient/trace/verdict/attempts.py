"""What became of the attempts before the last one, and why there was no other after it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tracedclient.trace.verdict.words import listed, span, why

if TYPE_CHECKING:
    from tracedclient.trace.model import Attempt
    from tracedclient.trace.verdict.facts import Facts

_WERE = re.compile("^was")
_STALE = "stale connection"
_WORTH_SAYING = (
    "no budget left",
    "no time left",
    "is too long",
    "the policy's stop says so",
    "is not idempotent",
    "body not replayable",
)
"""How ``Attempt.reason`` may end that the rest of a sentence does not tell."""


def are_alike(facts: Facts) -> bool:
    """Whether all attempts ended as the last one did."""
    return len({_kind(attempt) for attempt in facts.attempts}) <= 1


def earlier(facts: Facts) -> str:
    """Return how each attempt before the last one ended, empty when there was none."""
    fates: dict[str, list[Attempt]] = {}
    for attempt in facts.attempts[:-1]:
        fates.setdefault(_fate(attempt), []).append(attempt)
    return ", ".join(_told(attempts, fate) for fate, attempts in fates.items())


def not_tried_again(facts: Facts) -> str:
    """Return why there was no other attempt, where it is not evident."""
    reason = (facts.attempts[-1].reason if facts.attempts else None) or ""
    if not reason.endswith(_WORTH_SAYING):
        return ""
    last = reason.replace(", ", "; ").rpartition("; ")[2]
    return f"; not tried again: {last}"


def _kind(attempt: Attempt) -> tuple[int | None, str | None, str | None]:
    error = attempt.error
    return attempt.status, error.type if error else None, error.phase if error else None


def _fate(attempt: Attempt) -> str:
    if attempt.status is not None:
        return f"was answered {attempt.status}"
    if attempt.reason == _STALE:
        return "met a kept-alive connection that the server had closed"
    if attempt.error is not None:
        return f"failed in {attempt.error.phase} ({why(attempt.error)})"
    return "ended without an answer"


def _told(attempts: list[Attempt], fate: str) -> str:
    took = span(max(attempt.duration_ms for attempt in attempts))
    if len(attempts) == 1:
        return f"attempt {attempts[0].number} (of {took}) {fate}"
    numbers = listed([str(attempt.number) for attempt in attempts])
    return f"attempts {numbers} (at most {took}) {_WERE.sub('were', fate)}"
