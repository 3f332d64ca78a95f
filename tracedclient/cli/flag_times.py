"""Moments and spans as an operator reads them: ``14:30 UTC``, ``29 min``."""

from __future__ import annotations

from datetime import datetime, timezone

from tracedclient.cli.quantities import counted

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_FAR = 1e10
"""Seconds, some 300 years: beyond that the number says more than words."""


def moment(epoch: float, now: float) -> str:
    """Return ``14:30 UTC``, with the seconds if there are some, and the date if it is not today's.

    ``epoch``, ``now``: seconds since 1970; any number.
    """
    try:
        at, today = (datetime.fromtimestamp(each, timezone.utc) for each in (epoch, now))
    except (OverflowError, ValueError, OSError):
        return f"second {epoch:.4g} since 1970"
    date = "" if at.date() == today.date() else f"{at:%Y-%m-%d} "
    return f"{date}{at:%H:%M:%S} UTC" if at.second else f"{date}{at:%H:%M} UTC"


def span(seconds: float) -> str:
    """Return ``45 s``, ``29 min``, ``3 h 20 min``, ``2 days``: rounded down, never above the truth."""
    if seconds >= _FAR:
        return "more than 300 years"
    whole = int(seconds)
    if whole < 2 * _MINUTE:
        return f"{whole} s"
    if whole < 2 * _HOUR:
        return f"{whole // _MINUTE} min"
    if whole >= 2 * _DAY:
        return counted(whole // _DAY, "day", "days")
    hours, minutes = whole // _HOUR, whole % _HOUR // _MINUTE
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def until(epoch: float, now: float) -> str:
    """Return ``until 14:30 UTC (in 29 min)``, or ``ended 14:30 UTC (5 min ago)``."""
    if epoch > now:
        return f"until {moment(epoch, now)} (in {span(epoch - now)})"
    return f"ended {moment(epoch, now)} ({span(now - epoch)} ago)"
