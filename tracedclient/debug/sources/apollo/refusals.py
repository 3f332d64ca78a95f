"""What a refusal of Apollo means, in words for the one who can put it right."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from tracedclient.debug.fetching.web import refusal
from tracedclient.debug.source import SourceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracedclient.debug.fetching.web import Answer

TOLERATED_SKEW = 60.0
"""Seconds that a signed request's time may differ from the server's, unless it is told another."""
_ROUGHLY = 2.0
"""``Date`` has whole seconds, and the answer took its time."""


def refused(url: str, answer: Answer, *, has_key: bool, now: float) -> SourceError:
    """Return the error for an ``answer`` that is neither a config nor "there is none"."""
    error = refusal(url, answer)
    if answer.status != 401:
        return error
    return SourceError(f"{error}: {_why_unauthorized(answer, has_key, now)}")


def _why_unauthorized(answer: Answer, has_key: bool, now: float) -> str:
    if not has_key:
        return "the app has an access key; pass access_key="
    ahead = seconds_ahead(answer.headers, now)
    # The name of the reason is only in the answers of older servers.
    if b"RequestTimeTooSkewed" in answer.body or abs(ahead or 0.0) > TOLERATED_SKEW - _ROUGHLY:
        return f"this machine's clock is {_skew(ahead)}; set it"
    return (
        "the access key is wrong or disabled, or a proxy changes the path on its way; "
        f"the clock is not to blame, it is {_skew(ahead)}"
    )


def _skew(ahead: float | None) -> str:
    if ahead is None:
        return "another than the server's, who does not tell its time"
    side = "ahead of" if ahead >= 0 else "behind"
    return f"{abs(ahead):.0f} s {side} the server's, and {TOLERATED_SKEW:.0f} s are tolerated"


def seconds_ahead(headers: Mapping[str, str], now: float) -> float | None:
    """Return by how much ``now`` is ahead of the server's ``Date``; ``None`` without one."""
    try:
        return now - parsedate_to_datetime(headers["Date"]).timestamp()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
