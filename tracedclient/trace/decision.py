"""Why a call is traced, and whether its finished trace is worth a line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

from tracedclient._value import Value

if TYPE_CHECKING:
    from tracedclient.trace.model import TraceResult

Emit: TypeAlias = Literal["all", "errors", "slow", "errors_or_slow"]
Level: TypeAlias = Literal["timing", "headers"]


class Decision(Value):
    """Debug is on for this call: who says so, and what is wanted of it."""

    source: str
    """``call`` for ``debug=True`` of the call itself, or the flag source's name."""
    rule: str | None = None
    """Id of the rule that matched; ``None`` where there is no document, or it has no rules."""
    emit: Emit | Literal["on_failure"] = "all"
    """Which finished traces go to the sinks. ``on_failure``: the flight recorder says."""
    slow_ms: float | None = None
    """From how many milliseconds a call is slow; a number where ``emit`` needs one."""
    level: Level = "timing"
    revision: str | None = None
    """Of the document in force."""

    def reason_for(self, result: TraceResult) -> str | None:
        """``error`` or ``slow``, if that is what ``emit`` asks for; ``None``: nothing of it."""
        if self.emit in _ERRORS and result.outcome != "ok":
            return "error"
        slow_ms = self.slow_ms
        if self.emit in _SLOW and slow_ms is not None and result.duration_ms >= slow_ms:
            return "slow"
        return None


_ERRORS = ("errors", "errors_or_slow")
_SLOW = ("slow", "errors_or_slow")

BY_CALL = Decision(source="call")
"""The caller said ``debug=True``."""
