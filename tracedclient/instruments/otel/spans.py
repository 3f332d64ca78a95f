"""The spans of one call: begun when it happens, because a sampler decides and an id is sent then;
filled in and ended when its trace is finished, with the very facts that the log line has.
"""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from opentelemetry import context as contexts
from opentelemetry.trace import SpanKind, Status, StatusCode, set_span_in_context

from tracedclient.inflight import current_call
from tracedclient.instruments.instrument import Watch
from tracedclient.instruments.otel import attributes
from tracedclient.instruments.otel.scope import inside, parent, trace_context
from tracedclient.trace.ids import is_w3c_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.trace import Span, Tracer

    from tracedclient.instruments.instrument import CallStart
    from tracedclient.instruments.otel.metrics import Metrics
    from tracedclient.trace.model import Attempt, ErrorInfo, Exchange, TraceResult

NAME = "tracedclient.do"

wanted_trace_id: ContextVar[int | None] = ContextVar("tracedclient_wanted_trace_id", default=None)
"""What a root span's trace is to be called, while one is begun."""


class _Sent(NamedTuple):
    span: Span
    began: int
    attempt: int


class CallSpans(Watch):
    """An INTERNAL span for the call, a CLIENT span for each request that it sends."""

    def __init__(
        self, call: CallStart, tracer: Tracer, metrics: Metrics, *, hook_events: bool
    ) -> None:
        self._tracer = tracer
        self._metrics = metrics
        self._hook_events = hook_events
        context = parent(call.trace)
        self._began = time.time_ns()
        self._span = _begin(tracer, call, context, self._began)
        self.trace = trace_context(self._span)
        self._inside = inside(self._span, context)
        self._token: Any = None
        self._sent: list[_Sent] = []

    def enter(self) -> None:
        """Have the call's span in force."""
        self._token = contexts.attach(self._inside)

    def exit(self) -> None:
        """Have the one in force that was before."""
        contexts.detach(self._token)

    def sends(self, method: str, url: str) -> str | None:
        """Begin a CLIENT span, and return its id; ``None`` without an SDK."""
        began = time.time_ns()
        span = self._tracer.start_span(
            attributes.name(method),
            context=self._inside,
            kind=SpanKind.CLIENT,
            attributes=attributes.of_request(method, url, len(self._sent)),
            start_time=began,
        )
        call = current_call.get()
        self._sent.append(_Sent(span, began, call.attempt if call else 1))
        known = span.get_span_context()
        return f"{known.span_id:016x}" if known.is_valid else None

    def done(self, result: TraceResult | None) -> None:
        """Write down how it went, end the spans, and count."""
        if result is None:
            for sent in self._sent:
                sent.span.end()
            self._span.end()
            return
        pairs = list(_pairs(self._sent, result))
        in_force = {id(e): set_span_in_context(sent.span) for sent, e in pairs if e is not None}
        try:
            self._metrics.count(result, in_force, set_span_in_context(self._span))
        finally:
            self._end_all(pairs, result)

    def _end_all(self, pairs: list[tuple[_Sent, Exchange | None]], result: TraceResult) -> None:
        ends = [self._end(sent, exchange, result) for sent, exchange in pairs]
        self._end_call(result, max(ends, default=self._began))

    def _end(self, sent: _Sent, exchange: Exchange | None, result: TraceResult) -> int:
        span, attempt = sent.span, _attempt(sent, result)
        known = exchange or attempt
        end = time.time_ns() if known is None else _until(sent.began, known)
        if exchange is None and attempt is not None:
            # Somebody else's adapter sent it: what came of it is all that is known.
            _fill(span, attributes.of_attempt(attempt), attempt.error)
        elif exchange is not None and span.is_recording():
            _fill(span, attributes.of_exchange(exchange), exchange.error)
            for event in exchange.events if self._hook_events else ():
                span.add_event(event.event, timestamp=attributes.nanoseconds(event.at))
        span.end(end)
        return end

    def _end_call(self, result: TraceResult, least: int) -> None:
        if self._span.is_recording():
            named = attributes.of_call(result, self.trace)
            _fill(self._span, named, attributes.error_of(result))
        self._span.end(_until(least, result))


def _attempt(sent: _Sent, result: TraceResult) -> Attempt | None:
    return next((a for a in result.attempts if a.number == sent.attempt), None)


def _begin(tracer: Tracer, call: CallStart, context: Any, now: int) -> Span:
    trace_id = call.trace.trace_id if call.trace is not None else ""
    wanted = wanted_trace_id.set(int(trace_id, 16) if is_w3c_trace_id(trace_id) else None)
    try:
        return tracer.start_span(
            NAME,
            context=context,
            kind=SpanKind.INTERNAL,
            attributes=attributes.of_request(call.method or "", call.url or "", 0),
            start_time=now,
        )
    finally:
        wanted_trace_id.reset(wanted)


def _pairs(sent: list[_Sent], result: TraceResult) -> Iterator[tuple[_Sent, Exchange | None]]:
    """Yield each request with its exchange: by the id it was sent with, or by their order."""
    exchanges = [e for attempt in result.attempts for e in attempt.exchanges]
    by_id = {e.span_id: e for e in exchanges if e.span_id is not None}
    in_order = exchanges if len(exchanges) == len(sent) else [None] * len(sent)
    for one, exchange in zip(sent, in_order, strict=True):
        span_id = f"{one.span.get_span_context().span_id:016x}"
        yield one, exchange if exchange is not None else by_id.get(span_id)


def _fill(span: Span, named: dict[str, Any], error: ErrorInfo | None) -> None:
    known = {name: value for name, value in named.items() if value is not None and value != ()}
    span.set_attributes(known)
    if error is not None:
        span.set_status(Status(StatusCode.ERROR, error.message or error.type))
    elif "error.type" in known:
        span.set_status(Status(StatusCode.ERROR))


def _until(began: int, noun: Attempt | Exchange | TraceResult) -> int:
    """Return when it ended; never before it began, also when the clock was set back."""
    return max(began, attributes.nanoseconds(noun.started_at) + round(noun.duration_ms * 1e6))
