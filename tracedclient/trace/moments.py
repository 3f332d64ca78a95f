"""Moments as a trace writes them: UTC, to the microsecond, always of the same width."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import lru_cache

SECOND = 1_000_000_000
"""Nanoseconds."""


def utc(seconds: float) -> str:
    """Return a time since the epoch as ``2026-11-20T22:27:58.009138Z``."""
    return utc_ns(round(seconds * 1e6) * 1000)


def utc_ns(nanoseconds: int) -> str:
    """Return a time since the epoch as ``2026-11-20T22:27:58.009138Z``, cut to the microsecond."""
    second, rest = divmod(nanoseconds, SECOND)
    return f"{utc_second(second)}.{rest // 1_000:06d}Z"


@lru_cache(maxsize=8)
def utc_second(seconds: int) -> str:
    """Return a whole second, ``2026-11-20T22:27:58``: of many moments, it is the same."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
