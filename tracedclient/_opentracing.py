"""What the two halves of OpenTracing share: what a tracer is, whose child a call is, a span's ids."""

from __future__ import annotations

import sys
from contextlib import suppress
from contextvars import ContextVar
from typing import Any, Protocol

try:
    import opentracing
except ImportError as error:
    raise ImportError(
        "tracer needs opentracing: pip install 'tracedclient[opentracing]'"
    ) from error

from tracedclient.redaction import describe_error
from tracedclient.trace.context import TraceContext
from tracedclient.trace.formats import formats

_STANDARD = formats("formats", ("traceparent", "b3", "b3multi"))

COMPONENT = "tracedclient"

served_span: ContextVar[Any] = ContextVar("tracedclient_served_span", default=None)
"""The span of the request being served, also where its tracer's own scope cannot hold it: a scope
of the thread's, in asyncio."""


class Tracer(Protocol):
    """An ``opentracing.Tracer``, for type checkers that may not have it."""

    def start_span(self, *args: Any, **kwargs: Any) -> Any: ...

    def inject(self, *args: Any, **kwargs: Any) -> Any: ...

    def extract(self, *args: Any, **kwargs: Any) -> Any: ...


def checked_tracer(tracer: Any) -> opentracing.Tracer:
    """Return ``tracer``. Raises ``TypeError`` when it is no ``opentracing.Tracer``."""
    if not isinstance(tracer, opentracing.Tracer):
        raise TypeError(
            "tracer must be an opentracing.Tracer, or one with options: OpenTracing(tracer, …) for "
            "HTTPClient, OpenTracingServer(tracer, …) for a middleware; "
            f"not {tracer!r}. An SDK of OpenTelemetry's is given as instruments=[OpenTelemetry()]"
        )
    return tracer


def checked_callables(**functions: Any) -> None:
    """Raise ``TypeError`` that names the first that cannot be called, and is not ``None``."""
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise TypeError(f"{name} must be a function or None, not {function!r}")


def checked_names(**names: Any) -> None:
    """Raise ``TypeError`` that names the first that is no text, or an empty one."""
    for name, value in names.items():
        if not isinstance(value, str) or not value:
            raise TypeError(f"{name} must be a str that is not empty, not {value!r}")


def parent(tracer: opentracing.Tracer) -> Any:
    """Return the span, or span context, that work begun now is a child of; ``None`` for none."""
    shim: Any = sys.modules.get("opentelemetry.shim.opentracing_shim")
    if shim is not None and isinstance(tracer, shim.TracerShim):
        return _current_of_opentelemetry(shim)
    if tracer.active_span is not None:
        return tracer.active_span
    span = served_span.get()
    return span if span is not None and span.tracer is tracer else None


def _current_of_opentelemetry(shim: Any) -> Any:
    # The shim's scope manager knows no span that was begun through OpenTelemetry's own API.
    known = shim.get_current_span().get_span_context()
    return shim.SpanContextShim(known) if known.is_valid else None


def extracted(tracer: opentracing.Tracer, headers: dict[str, str]) -> Any:
    """Return the span context that ``headers`` bring; ``None`` for none that the tracer can read."""
    # Most tracers raise where there is nothing to read.
    with suppress(Exception):
        return tracer.extract(opentracing.Format.HTTP_HEADERS, headers)
    return None


def brought(tracer: opentracing.Tracer, trace: TraceContext | None) -> Any:
    """Return the span that an inbound trace names, for a tracer that reads W3C's headers or B3."""
    if trace is None or trace.span_id is None:
        return None
    headers = {
        name.lower(): before if after is None else f"{before}{trace.span_id}{after}"
        for form in _STANDARD
        for name, before, after in form.fields(trace, sampled=trace.sampled)
    }
    return extracted(tracer, headers)


def ids_of(span: opentracing.Span) -> TraceContext | None:
    """Return the trace and id of ``span`` where its tracer shows them as numbers.

    OpenTracing defines no ids; most tracers have a ``trace_id`` and a ``span_id`` in their span
    context, and OpenTelemetry's shim has its own span context within.
    """
    known: Any = span.context
    known = known.unwrap() if hasattr(known, "unwrap") else known
    trace_id, span_id = getattr(known, "trace_id", None), getattr(known, "span_id", None)
    if not (_is_id(trace_id, 128) and _is_id(span_id, 64)):
        return None
    return TraceContext(f"{trace_id:032x}", f"{span_id:016x}", sampled=_is_sampled(known))


def _is_id(value: Any, bits: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << bits


def _is_sampled(known: Any) -> bool | None:
    # OpenTelemetry's name for the flags, and Jaeger's; the lowest bit is the same.
    flags = getattr(known, "trace_flags", getattr(known, "flags", None))
    return bool(flags & 1) if isinstance(flags, int) else None


def of_error(error: BaseException) -> dict[str, str]:
    """Return the log fields of ``error``; of its text, what may be shown."""
    kind = type(error).__name__
    return {"error.kind": kind, "error.object": describe_error(error) or kind}
