"""Which finished traces go to the sinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

if TYPE_CHECKING:
    from tracedclient.debug import FlagUpdater
    from tracedclient.sinks import FanOut
    from tracedclient.trace.decision import Decision
    from tracedclient.trace.model import TraceResult


class Emission:
    """Hands on what its rule wants, at most as fast as the flag's document allows."""

    def __init__(self, sinks: FanOut, flag: FlagUpdater) -> None:
        self._sinks = sinks
        self._flag = flag

    def take(self, result: TraceResult, decision: Decision) -> None:
        """Emit the trace of a call that was traced because of ``decision``, or do not."""
        if decision.emit != "all":
            reason = decision.reason_for(result)
            if reason is None:
                return
            result = replace(result, emit_reason=reason)
        if self._flag.admit(decision):
            self._sinks.emit(result)
