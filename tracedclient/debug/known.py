"""One consistent view of what is known of the flag, and what to call that in a status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

from tracedclient.debug.snapshot import Snapshot

if TYPE_CHECKING:
    from tracedclient.debug.source import Document
    from tracedclient.debug.status import StateName


class Clock(Protocol):
    """The module ``time``, or a stand-in."""

    def time(self) -> float: ...
    def monotonic(self) -> float: ...


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """Replaced as a whole, so that no reader sees half a change."""

    snapshot: Snapshot = Snapshot()
    document: Document | None = None
    """The one in force."""
    first_seen: tuple[float, float] = (0.0, 0.0)
    """When its content was, by the wall clock and the monotonic one."""
    contact: float | None = None
    """When the source last answered, on the monotonic clock."""
    error: str | None = None

    @property
    def revision(self) -> str | None:
        return None if self.document is None else self.document.revision

    def state(self, now: float, *, watched_since: float | None, patience: float) -> StateName:
        """Name it at ``now``, of a source that is to answer every ``patience`` seconds."""
        if self._is_overdue(now, watched_since, patience):
            return "STALE"
        if self.error is not None:
            return "ERROR"
        if self.contact is None:
            return "DEFAULT"
        return "ABSENT" if self.document is None else "READY"

    def _is_overdue(self, now: float, watched_since: float | None, patience: float) -> bool:
        # Nothing is overdue in a process whose first request has not come yet.
        if self.contact is None or watched_since is None:
            return False
        return now - max(self.contact, watched_since) > patience
