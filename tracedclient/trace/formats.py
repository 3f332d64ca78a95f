"""The headers a trace travels in, by the names that a configuration calls them.

``traceparent`` (with ``tracestate``), ``b3``, ``b3multi``; any other name is that of a header
whose whole value is the trace id, such as ``X-Trace-Id`` or ``X-Request-Id``.
"""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

from tracedclient.trace import b3, w3c
from tracedclient.trace.context import NewTrace, TraceContext
from tracedclient.trace.ids import W3C_TRACE_ID, is_trace_id

Headers: TypeAlias = Mapping[str, Sequence[str]]
"""Every value of a header by its name in lower case, in the order in which they came."""

Field: TypeAlias = tuple[str, str, str | None]
"""A header to be sent: name, and value up to the span id and from there; ``None`` for one without
a span id. So what stays the same from request to request of a call is put together once.
"""

_OF_NAMES = frozenset(f"!#$%&'*+.^_`|~-{string.ascii_letters}{string.digits}")
_MAX_NAME = 128

NOT_IDS = frozenset({"tracestate", "baggage"})
"""Headers that travel with a trace and are not its id."""


class Format(Protocol):
    """One way of saying a ``TraceContext`` in headers."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its headers, in lower case; the first is there whenever any is."""

    def read(self, headers: Headers) -> TraceContext | None:
        """Return what ``headers`` say; ``None`` for nothing, or nothing that can be trusted."""

    def fields(self, context: TraceContext, *, sampled: bool | None) -> tuple[Field, ...]:
        """Return the headers for spans of this trace; none when the id cannot be said so."""


class Traceparent:
    """W3C Trace Context."""

    names = ("traceparent", "tracestate")

    def read(self, headers: Headers) -> TraceContext | None:
        value = _only(headers, "traceparent")
        if value is None:
            return None
        return w3c.parse_traceparent(value, headers.get("tracestate", ()))

    def fields(self, context: TraceContext, *, sampled: bool | None) -> tuple[Field, ...]:
        if type(context) is not NewTrace and not W3C_TRACE_ID.match(context.trace_id):
            return ()
        # W3C Trace Context §3.2.2.5: 1 for sampled, 2 for an id that is random.
        if sampled:
            after = "-03" if context.random else "-01"
        else:
            after = "-02" if context.random else "-00"
        field = ("traceparent", f"00-{context.trace_id}-", after)
        if not context.tracestate:
            return (field,)
        return field, ("tracestate", context.tracestate, None)


class B3:
    """B3 in one header."""

    names = ("b3",)

    def read(self, headers: Headers) -> TraceContext | None:
        value = _only(headers, "b3")
        return None if value is None else b3.parse_single(value)

    def fields(self, context: TraceContext, *, sampled: bool | None) -> tuple[Field, ...]:
        if not b3.is_trace_id(context.trace_id):
            return ()
        return (("b3", *b3.around_span_id(context, sampled=sampled)),)


class B3Multi:
    """B3, each part in a header of its own."""

    names = (
        "x-b3-traceid",
        "x-b3-spanid",
        "x-b3-sampled",
        "x-b3-flags",
        "x-b3-parentspanid",
    )

    def read(self, headers: Headers) -> TraceContext | None:
        return b3.parse_multi(*(_only(headers, name) for name in self.names[:4]))

    def fields(self, context: TraceContext, *, sampled: bool | None) -> tuple[Field, ...]:
        if not b3.is_trace_id(context.trace_id):
            return ()
        fixed = b3.fixed_headers(context, sampled=sampled)
        return ("X-B3-SpanId", "", ""), *((name, value, None) for name, value in fixed)


class IdHeader:
    """The trace id as it is, in the header ``name``."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.names = (name.lower(),)

    def read(self, headers: Headers) -> TraceContext | None:
        value = _only(headers, self.names[0])
        if value is None or not is_trace_id(value):
            return None
        return TraceContext(value)

    def fields(self, context: TraceContext, *, sampled: bool | None) -> tuple[Field, ...]:  # noqa: ARG002
        return ((self.name, context.trace_id, None),)


_KNOWN: Mapping[str, Format] = {"traceparent": Traceparent(), "b3": B3(), "b3multi": B3Multi()}


def formats(argument: str, names: Sequence[str]) -> tuple[Format, ...]:
    """Return the formats that ``names`` call, in this order.

    Raises ``TypeError`` or ``ValueError`` that begins with ``argument`` when one calls none.
    """
    if isinstance(names, str) or not isinstance(names, Sequence):
        raise TypeError(f'{argument} must be a sequence of names such as ("traceparent", "b3")')
    return tuple(_format(argument, name) for name in names)


def _format(argument: str, name: object) -> Format:
    if not isinstance(name, str):
        raise TypeError(f"{argument} must hold names of headers, not {name!r}")
    if not (0 < len(name) <= _MAX_NAME and _OF_NAMES.issuperset(name)):
        raise ValueError(f"{argument} must hold names of headers, and {name!r} is none")
    if name.lower() in NOT_IDS:
        raise ValueError(f"{argument}: {name} holds no trace id; tracestate goes with traceparent")
    return _KNOWN.get(name.lower()) or IdHeader(name)


def read_first(headers: Headers, accepted: Sequence[Format]) -> TraceContext | None:
    """Return what the first of ``accepted`` says that says anything good."""
    for form in accepted:
        context = form.read(headers)
        if context is not None:
            return context
    return None


def sent_span_id(headers: Mapping[str, object]) -> str | None:
    """Return the span id that a request with ``headers`` takes along, ``None`` when it takes none."""
    value = headers.get("traceparent")
    if value is not None:
        return w3c.span_id_of(value) if isinstance(value, str) else None
    value = headers.get("b3")
    if value is not None:
        return b3.span_id_of(value) if isinstance(value, str) else None
    value = headers.get("X-B3-SpanId")
    return value if isinstance(value, str) and b3.is_span_id(value) else None


def _only(headers: Headers, name: str) -> str | None:
    """The header's value; one that comes twice may be forged, and which of them is not to be known."""
    values = headers.get(name, ())
    return values[0].strip(" \t") if len(values) == 1 else None
