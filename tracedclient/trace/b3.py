"""B3, Zipkin's headers: all in one (``b3``), or each in its own (``X-B3-TraceId``, …)."""

from __future__ import annotations

from tracedclient._pattern import pattern
from tracedclient.trace.context import TraceContext

_TRACE_ID = r"(?!0+(?![0-9a-f]))(?:[0-9a-f]{32}|[0-9a-f]{16})"
_SPAN_ID = r"(?!0{16})[0-9a-f]{16}"
_SINGLE = pattern(rf"({_TRACE_ID})-({_SPAN_ID})(?:-([01d])(?:-[0-9a-f]{{16}})?)?")
_TRACE_ID_ALONE = pattern(_TRACE_ID)
_SPAN_ID_ALONE = pattern(_SPAN_ID)
_MAX_LENGTH = 128

# "true" and "false" are of before the specification, and still about.
_SAMPLED = {"1": True, "d": True, "0": False, "true": True, "false": False}
_W3C_LENGTH = 32


def parse_single(value: str) -> TraceContext | None:
    """Return what ``b3`` says; ``None`` when it names no trace, as ``b3: 0`` does not."""
    match = _SINGLE.fullmatch(value.strip(" \t")) if len(value) <= _MAX_LENGTH else None
    if match is None:
        return None
    return _context(match[1], match[2], match[3])


def parse_multi(
    trace_id: str | None, span_id: str | None, sampled: str | None, flags: str | None
) -> TraceContext | None:
    """Return what the four headers say; ``None`` without both ids, or when one is not well-formed."""
    if trace_id is None or span_id is None:
        return None
    if not (_TRACE_ID_ALONE.fullmatch(trace_id) and _SPAN_ID_ALONE.fullmatch(span_id)):
        return None
    return _context(trace_id, span_id, "d" if flags == "1" else (sampled or "").lower())


def _context(trace_id: str, span_id: str, decision: str | None) -> TraceContext:
    # A short id is the end of a long one that begins with zeros: a search for it finds both, and
    # it can travel as `traceparent`.
    return TraceContext(
        trace_id.rjust(_W3C_LENGTH, "0"),
        span_id,
        sampled=_SAMPLED.get(decision or ""),
        debug=decision == "d",
    )


def span_id_of(single: str) -> str | None:
    """Return the sender's span id, ``None`` when the header names none."""
    context = parse_single(single)
    return None if context is None else context.span_id


def is_span_id(value: str) -> bool:
    """Whether ``value`` is 16 hex digits, not all zero."""
    return _SPAN_ID_ALONE.fullmatch(value) is not None


def is_trace_id(value: str) -> bool:
    """Whether ``value`` is 16 or 32 hex digits, not all zero."""
    return _TRACE_ID_ALONE.fullmatch(value) is not None


def around_span_id(context: TraceContext, *, sampled: bool | None) -> tuple[str, str]:
    """Return ``b3`` up to the sender's span id, and from there.

    A decision that nobody has made is left to the receiver; without one there is no room for the
    parent.
    """
    decision = _decision(context, sampled=sampled)
    after = "" if decision is None else f"-{decision}"
    return (
        f"{context.trace_id}-",
        f"{after}-{context.span_id}" if after and context.span_id else after,
    )


def fixed_headers(context: TraceContext, *, sampled: bool | None) -> list[tuple[str, str]]:
    """Return the headers but for that of the sender's span id."""
    headers = [("X-B3-TraceId", context.trace_id)]
    if context.span_id:
        headers.append(("X-B3-ParentSpanId", context.span_id))
    decision = _decision(context, sampled=sampled)
    if decision == "d":
        return [*headers, ("X-B3-Flags", "1")]
    return headers if decision is None else [*headers, ("X-B3-Sampled", decision)]


def _decision(context: TraceContext, *, sampled: bool | None) -> str | None:
    if context.debug:
        return "d"
    return None if sampled is None else "01"[sampled]
