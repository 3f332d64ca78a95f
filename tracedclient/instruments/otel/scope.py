"""Whose child a call is, and who else must not make a span of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import context as contexts
from opentelemetry.context import _SUPPRESS_HTTP_INSTRUMENTATION_KEY, _SUPPRESS_INSTRUMENTATION_KEY
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    TraceFlags,
    TraceState,
    get_current_span,
    set_span_in_context,
)

from tracedclient.trace.context import TraceContext
from tracedclient.trace.ids import is_w3c_trace_id

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span

_BY_US = object()
"""Keeps opentelemetry-instrumentation-requests from a second span for the same request, but not
us from one for a call inside of a call, such as the one that fetches a token for it."""

_RANDOM = 0x02  # W3C Trace Context Level 2, §3.2.2.5


def is_suppressed() -> bool:
    """Whether whoever calls wants no spans of HTTP requests: an exporter, for its own."""
    if contexts.get_value(_SUPPRESS_INSTRUMENTATION_KEY):
        return True
    # Its name of before the key, which opentelemetry-instrumentation still heeds.
    if contexts.get_value("suppress_instrumentation"):
        return True
    value = contexts.get_value(_SUPPRESS_HTTP_INSTRUMENTATION_KEY)
    return bool(value) and value is not _BY_US


def parent(trace: TraceContext | None) -> Context:
    """Return the context a call's span begins in.

    The span in force is its parent; without one, the span that the request being served brought.
    """
    context = contexts.get_current()
    if get_current_span(context).get_span_context().is_valid:
        return context
    if trace is None or trace.span_id is None or not is_w3c_trace_id(trace.trace_id):
        return context
    return set_span_in_context(NonRecordingSpan(_remote(trace, trace.span_id)), context)


def _remote(trace: TraceContext, span_id: str) -> SpanContext:
    # A caller who left the decision open (B3 can) has not said no.
    flags = TraceFlags.DEFAULT if trace.sampled is False else TraceFlags.SAMPLED
    return SpanContext(
        trace_id=int(trace.trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=True,
        trace_flags=TraceFlags(flags | (_RANDOM if trace.random else 0)),
        trace_state=TraceState.from_header([trace.tracestate]) if trace.tracestate else None,
    )


def inside(span: Span, context: Context) -> Context:
    """Return ``context`` with ``span`` in force, and other instrumentation of HTTP switched off."""
    return contexts.set_value(
        _SUPPRESS_HTTP_INSTRUMENTATION_KEY, _BY_US, set_span_in_context(span, context)
    )


def trace_context(span: Span) -> TraceContext | None:
    """Return what is sent on below ``span``; ``None`` when it is in no trace (no SDK is set up)."""
    known = span.get_span_context()
    if not known.is_valid:
        return None
    return TraceContext(
        f"{known.trace_id:032x}",
        f"{known.span_id:016x}",
        sampled=bool(known.trace_flags & TraceFlags.SAMPLED),
        random=bool(known.trace_flags & _RANDOM),
        tracestate=known.trace_state.to_header(),
    )
