"""The trace of the work that is being done: of the request being served, of the job being run."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from tracedclient.trace.b3 import is_span_id
from tracedclient.trace.context import TraceContext
from tracedclient.trace.ids import validate_trace_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_current: ContextVar[TraceContext | None] = ContextVar("tracedclient_trace", default=None)


def current_trace_id() -> str | None:
    """Return the id bound in this context, ``None`` when there is none."""
    bound = _current.get()
    return None if bound is None else bound.trace_id


def current_context() -> TraceContext | None:
    """Return all that is known of the trace bound in this context, ``None`` when there is none."""
    return _current.get()


@contextmanager
def trace_context(trace: str | TraceContext) -> Iterator[str]:
    """Bind a trace, given by its id, inside of the ``with`` block, which gets the id.

    ``HTTPClient.do`` then takes it unasked, ``TraceIdFilter`` puts it into log records, and where
    the application uses structlog, ``trace_id`` is bound there too. A new thread starts without
    it, unless it is run in ``contextvars.copy_context()``.

    Raises ``TypeError`` or ``ValueError`` for an id that is none, the span's included.
    """
    if isinstance(trace, TraceContext):
        context = _checked(trace)
    else:
        context = TraceContext(validate_trace_id(trace))
    token = _current.set(context)
    unbind = _bind_in_structlog(context.trace_id)
    try:
        yield context.trace_id
    finally:
        unbind()
        # A generator may be closed in another context than the one that it was started in; there
        # is nothing bound there.
        with suppress(ValueError):
            _current.reset(token)


def _checked(context: TraceContext) -> TraceContext:
    # Both ids go into headers and log lines as they are.
    validate_trace_id(context.trace_id)
    if context.span_id is not None and not is_span_id(context.span_id):
        raise ValueError("trace must have a span_id of 16 hex digits, not all zero, or None")
    return context


def _bind_in_structlog(trace_id: str) -> Callable[[], None]:
    # An application that uses it has imported it; for others it would cost half of requests.
    structlog: Any = sys.modules.get("structlog.contextvars")
    if structlog is None:
        return _nothing
    tokens = structlog.bind_contextvars(trace_id=trace_id)

    def unbind() -> None:
        with suppress(ValueError):
            structlog.reset_contextvars(**tokens)

    return unbind


def _nothing() -> None:
    pass
