"""The traces of one client: why a call has one, who records it, and where it goes when finished.

What that takes, from the recorder to msgspec, costs as much as a third of requests, and most
processes never trace: it is ``_recording``, loaded for the first call that is traced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.debug.target import target
from tracedclient.trace.decision import BY_CALL

if TYPE_CHECKING:
    from tracedclient._recording import Recording
    from tracedclient.debug import FlagUpdater
    from tracedclient.debug.unasked import Unasked
    from tracedclient.inflight import OngoingCall
    from tracedclient.recorder import Recorder
    from tracedclient.sinks import FanOut
    from tracedclient.sinks.flight import Flight
    from tracedclient.trace.decision import Decision
    from tracedclient.trace.model import TraceResult


class Tracing:
    """Safe to use from several threads, and after a fork. Without ``sinks``, traces are logged.

    ``otherwise``: why a call is recorded that neither its caller nor the flag wants traced, if it is.
    """

    def __init__(
        self,
        service: str,
        sinks: FanOut | None,
        flag: FlagUpdater | Unasked,
        flight: Flight | None,
        otherwise: Decision | None,
    ) -> None:
        self._service = service
        self._sinks = sinks
        self._flag = flag
        self._flight = flight
        self._otherwise = otherwise
        self._loaded: Recording | None = None

    def decision(self, debug: bool | None, ongoing: OngoingCall) -> Decision | None:
        """Return why ``ongoing``, called with ``debug``, is traced; ``None`` when it is not."""
        if debug is None:
            asked = None if self._flag.is_quiet() else self._asked_flag(ongoing)
            return asked or self._otherwise
        if not isinstance(debug, bool):
            raise TypeError(f"debug must be True, False or None, not {debug!r}")
        return BY_CALL if debug else None

    def _asked_flag(self, ongoing: OngoingCall) -> Decision | None:
        host, path = target(ongoing.url)
        return self._flag.decide(ongoing.method or "", host, path, ongoing.trace_id)

    def recorder(
        self, ongoing: OngoingCall, decision: Decision, parent_span_id: str | None
    ) -> Recorder:
        """Return what records ``ongoing``, which is traced because of ``decision``."""
        if self._loaded is None:
            self.recording()
            # A short total timeout is the network's to keep, and not the file system's.
            ongoing.begins_now()
        return self.recording().recorder(ongoing, decision, parent_span_id)

    def take(self, result: TraceResult, decision: Decision) -> None:
        """Hand on the trace of a call that has ended."""
        self.recording().emission.take(result, decision)

    def take_line(self, recorder: Recorder) -> bool:
        """Hand on the line of a call that ended well; False when its record is needed for that."""
        return (self._loaded or self.recording()).emission.take_line(recorder)

    def recording(self) -> Recording:
        """Load what a traced call needs, if that is not done."""
        if self._loaded is None:
            from tracedclient._recording import Recording  # noqa: PLC0415 - see above

            made = Recording(self._service, self._sinks, self._flag, self._flight)
            # Of several threads, the first; no lock that a fork could leave behind.
            self._loaded = vars(self).setdefault("_made", made)
        return self._loaded

    def after_fork(self) -> None:
        """Forget what the parent process learnt."""
        if self._loaded is not None:
            self._loaded.baseline.after_fork()
