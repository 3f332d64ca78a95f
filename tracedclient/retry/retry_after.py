"""``Retry-After`` (RFC 9110 §10.2.3): the server's word on when to come back."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from tracedclient._pattern import pattern

# Few digits: int() and float() refuse very long strings by raising, or take them for infinity.
_SECONDS = pattern(r"[0-9]{1,9}")
_MAX_LENGTH = 64


def retry_after(value: str | None, *, now: float) -> float | None:
    """Return the seconds from ``now`` (epoch) that a ``Retry-After`` asks for; 0 for a past date.

    ``None`` for no value, and for one that is neither seconds nor an HTTP date: it is then as if
    it were not there. Never raises, whatever the server sent.
    """
    if value is None or len(value) > _MAX_LENGTH:
        return None
    value = value.strip()
    if not value.isascii():
        return None
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        # It would take the digits of other scripts, were there any.
        date = parsedate_to_datetime(value)
        return max(0.0, _utc(date).timestamp() - now)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _utc(date: datetime) -> datetime:
    # HTTP dates are GMT, also where they do not say so (RFC 9110 §5.6.7).
    return date.replace(tzinfo=timezone.utc) if date.tzinfo is None else date
