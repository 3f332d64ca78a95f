"""The traces of one client: who records a call, and where its finished trace goes.

What that takes, from the recorder to msgspec, costs as much as a third of requests, and most
processes never trace: it is ``_recording``, loaded for the first call that is traced.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

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
    """Safe to use from several threads, and after a fork. Without ``sinks``, traces are logged."""

    def __init__(
        self,
        service: str,
        sinks: FanOut | None,
        flag: FlagUpdater | Unasked,
        flight: Flight | None,
    ) -> None:
        self._service = service
        self._sinks = sinks
        self._flag = flag
        self._flight = flight
        self._loaded: Recording | None = None

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
