"""All that a traced call needs and no other does. Loaded by ``_tracing``.

Also what only its exchanges use: else the phases of the first one would hold the time that loading takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import tracedclient._infos
import tracedclient.transport.counted  # noqa: F401 - see above
from tracedclient._emission import Emission
from tracedclient.baseline import Baseline
from tracedclient.header_recorder import HeaderRecorder
from tracedclient.recorder import Recorder
from tracedclient.sinks.json_log import JsonLogSink
from tracedclient.sinks.sink import FanOut

if TYPE_CHECKING:
    from tracedclient.debug import FlagUpdater
    from tracedclient.debug.unasked import Unasked
    from tracedclient.inflight import OngoingCall
    from tracedclient.sinks.flight import Flight
    from tracedclient.trace.decision import Decision


class Recording:
    """Makes the recorders of one client; knows what is usual for its origins."""

    def __init__(
        self,
        service: str,
        sinks: FanOut | None,
        flag: FlagUpdater | Unasked,
        flight: Flight | None,
    ) -> None:
        self._service = service
        self.baseline = Baseline()
        self.emission = Emission(sinks or FanOut((JsonLogSink(),)), flag, flight)

    def recorder(
        self, ongoing: OngoingCall, decision: Decision, parent_span_id: str | None
    ) -> Recorder:
        """See ``Tracing.recorder``."""
        kind = HeaderRecorder if decision.level == "headers" else Recorder
        return kind(
            ongoing.trace_id,
            method=ongoing.method,
            url=ongoing.url,
            service=self._service,
            decision=decision,
            parent_span_id=parent_span_id,
            baseline=self.baseline,
        )
