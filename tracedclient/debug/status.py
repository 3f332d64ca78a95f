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
    until: float | None
    """Epoch seconds at which the document in force ends, or ended; ``None``: it has no end."""
    revision: str | None
    """Of the document in force."""
    age_s: float | None
    """Seconds since the source last answered; ``None``: it never did."""
    last_error: str | None
    """What is wrong now; ``None`` when all is well."""
