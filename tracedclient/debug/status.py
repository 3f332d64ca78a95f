"""``FlagStatus``: how the flag of this process stands, for a health page or a metric."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

StateName: TypeAlias = Literal["DEFAULT", "READY", "STALE", "ERROR", "ABSENT"]


class FlagStatus(msgspec.Struct, frozen=True, kw_only=True):
    source: str
    state: StateName
    """DEFAULT  nothing is known yet, or the updater is closed: off
    READY    the last fetch went well
    ABSENT   the source has no such document: off
    ERROR    the last fetch failed, or brought an invalid document; the last good one stays
    STALE    the source has not answered for three intervals; the last good one stays
    """
    on: bool
    """Whether a call may be traced now, by the document in force or by an override."""
    until: float | None
    """Epoch seconds at which that ends, or ended; ``None``: it has no end."""
    revision: str | None
    """Of the source's document in force."""
    age_s: float | None
    """Seconds since the source last answered; ``None``: it never did."""
    last_error: str | None
    """What is wrong now; ``None`` when all is well."""
    updated_by: str | None = None
    reason: str | None = None
    """Who switched it, and why, as the document in force or the override says."""
    overridden_by: str | None = None
    """``call``, ``environment`` or ``signal`` while an override is in force."""
    changes: int = 0
    """Applied since the start."""
    changes_held: int = 0
    """Times that a change waited, because the last was less than five seconds before it."""
    dropped: int = 0
    """Traces not logged because of ``max_per_second``, since the start."""
    pid: int = 0
