"""What travels from service to service: the trace id, the caller's span, what the caller decided."""

from typing import NamedTuple

from tracedclient.trace.ids import new_trace_id


class TraceContext(NamedTuple):
    """The work a process does for somebody, as its caller named it.

    It is what a request brought, or, with a trace id alone, the beginning of a trace.
    """

    trace_id: str
    span_id: str | None = None
    """The caller's span, 16 hex digits: the parent of every span that is made for this work."""
    sampled: bool | None = None
    """Whether the caller records; ``None`` when it did not say."""
    random: bool = False
    """Whether the id's last 7 bytes are random (W3C Trace Context Level 2, §3.2.2.5)."""
    debug: bool = False
    """B3's ``d``: to be recorded whatever a sampler says."""
    tracestate: str = ""
    """W3C's header of that name, checked; empty when there is none."""
    baggage: str = ""
    """The same."""


class NewTrace(TraceContext):
    """A trace that begins here: nobody need look whether its id is one of W3C's."""

    __slots__ = ()


def new_trace() -> NewTrace:
    """Return the beginning of a trace, whose id is all random."""
    # `NewTrace(…)` would be a call in Python, to the same.
    return tuple.__new__(NewTrace, (new_trace_id(), None, None, True, False, "", ""))
