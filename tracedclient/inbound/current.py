"""The trace id of the work that is being done: of the request being served, of the job being run."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from tracedclient.trace.ids import validate_trace_id

if TYPE_CHECKING:
    from collections.abc import Iterator

_current: ContextVar[str | None] = ContextVar("tracedclient_trace_id", default=None)


def current_trace_id() -> str | None:
    """Return the id bound in this context, ``None`` when there is none."""
    return _current.get()


@contextmanager
def trace_context(trace_id: str) -> Iterator[str]:
    """Bind ``trace_id`` inside of the ``with`` block; ``HTTPClient.do`` then takes it unasked.

    A new thread starts without it, unless it is run in ``contextvars.copy_context()``.

    Raises ``TypeError`` or ``ValueError`` for an id that is none.
    """
    token = _current.set(validate_trace_id(trace_id))
    try:
        yield trace_id
    finally:
        _current.reset(token)
