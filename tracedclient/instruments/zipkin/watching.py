"""One call as it goes: the ids its requests are sent with, which its spans then have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.instruments.instrument import Watch
from tracedclient.instruments.zipkin.model import Ids
from tracedclient.trace.context import TraceContext
from tracedclient.trace.ids import new_span_id, new_trace_id
from tracedclient.trace.span_ids import w3c_trace_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.trace.model import TraceResult


def sent_as(given: TraceContext | None, sample: Callable[[str], bool]) -> TraceContext:
    """Return the call's own span: what its requests are sent below.

    A decision that came along stands; else ``sample`` decides, and what it says goes on.
    """
    if given is None:
        trace_id = new_trace_id()
        return TraceContext(trace_id, new_span_id(), sampled=sample(trace_id), random=True)
    trace_id = w3c_trace_id(given.trace_id)
    return TraceContext(
        trace_id,
        new_span_id(),
        sampled=given.debug or (sample(trace_id) if given.sampled is None else given.sampled),
        random=given.random,
        debug=given.debug,
        tracestate=given.tracestate,
    )


class SampledOut(Watch):
    """A call that is not reported, and whose servers are told so."""

    is_recording = False

    def __init__(self, trace: TraceContext) -> None:
        self.trace = trace


class CallWatch(Watch):
    """A call that is reported once it has ended."""

    def __init__(
        self,
        trace: TraceContext,
        parent: str | None,
        report: Callable[[TraceResult | None, Ids | None], None],
    ) -> None:
        self.trace: TraceContext = trace
        self._parent = parent
        self._report = report
        self._sent: list[str] = []

    def sends(self, method: str, url: str) -> str:  # noqa: ARG002
        """Give the request its span."""
        span_id = new_span_id()
        self._sent.append(span_id)
        return span_id

    def done(self, result: TraceResult | None) -> None:
        """Report the call, by the ids that it was sent with."""
        self._report(result, None if result is None else self._ids(result))

    def _ids(self, result: TraceResult) -> Ids:
        trace = self.trace
        found = tuple(_exchanges(self._sent, result))
        return Ids(trace.trace_id, trace.span_id or "", self._parent, found, trace.debug)


def _exchanges(sent: list[str], result: TraceResult) -> list[str]:
    """Return the id of each exchange: that which it was sent with, found by its place.

    Not by what is in the record: where the caller put a ``traceparent`` on the request himself,
    that is another tracer's span.
    """
    recorded = [e.span_id for attempt in result.attempts for e in attempt.exchanges]
    if len(recorded) == len(sent):
        return sent
    # Somebody else's adapter answered some of them, and those have no exchange.
    return [one if one in sent else new_span_id() for one in recorded]
