"""Which finished traces go to the sinks."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tracedclient.instruments import FOR_INSTRUMENTS
from tracedclient.sinks.json_log import JsonLogSink
from tracedclient.trace.schema import MAX_LINE, fits

if TYPE_CHECKING:
    from tracedclient.debug import FlagUpdater
    from tracedclient.debug.unasked import Unasked
    from tracedclient.recorder import Recorder
    from tracedclient.sinks import FanOut
    from tracedclient.sinks.flight import Flight
    from tracedclient.trace.decision import Decision
    from tracedclient.trace.model import TraceResult


logger = logging.getLogger("tracedclient")

_SHORT = MAX_LINE // 5
"""Characters of a line that fits whatever they are: each has four bytes at most."""


class Emission:
    """Hands on what somebody asked for, and what the flight recorder finds worth it."""

    def __init__(self, sinks: FanOut, flag: FlagUpdater | Unasked, flight: Flight | None) -> None:
        self._sinks = sinks
        self._flag = flag
        self._flight = flight
        self._log = sinks.only(JsonLogSink)

    def take_line(self, recorder: Recorder) -> bool:
        """Log the line of a call that ended well; False when that needs its record.

        Nearly always it is wanted by nobody but the log, which would make this very line of it.
        """
        decision = recorder.decision
        if self._log is None or self._flight is not None or decision.emit != "all":
            return False
        try:
            takers = self._log.takers_of_lines()
            line = recorder.usual_line() if takers else None
        except Exception:  # noqa: BLE001 - on the record's own way somebody complains of it
            return False
        if line is None or (len(line) > _SHORT and not fits(line)):
            return False
        if self._flag.admit(decision):
            try:
                self._log.emit_line(line, takers)
            except Exception:  # noqa: BLE001 - a log that fails must not fail the request
                self._sinks.complain(0, self._log)
        return True

    def take(self, result: TraceResult, decision: Decision) -> None:
        """Emit the trace of a call that was traced because of ``decision``, or do not."""
        wanted = self._wanted(result, decision)
        if wanted is not None:
            self._sinks.emit(wanted)
        # Of a call with `debug=False`, an instrument alone has a record.
        if self._flight is not None and decision is not FOR_INSTRUMENTS:
            for found in self._found(self._flight, wanted or result, is_emitted=wanted is not None):
                self._sinks.emit(found)

    @staticmethod
    def _found(flight: Flight, result: TraceResult, *, is_emitted: bool) -> list[TraceResult]:
        try:
            return flight.take(result, is_emitted=is_emitted)
        except Exception:
            # What cannot be kept must not fail the request, nor must the complaint.
            with suppress(Exception):
                logger.warning("the flight recorder lost %s", result.trace_id, exc_info=True)
            return []

    def _wanted(self, result: TraceResult, decision: Decision) -> TraceResult | None:
        """Return what the rule wants of it, at most as often as the flag's document allows."""
        if decision.emit != "all":
            reason = decision.reason_for(result)
            if reason is None:
                return None
            result = replace(result, emit_reason=reason)
        return result if self._flag.admit(decision) else None
