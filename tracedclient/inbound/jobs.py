"""Work that no request brought: jobs, consumers of queues, timers."""

from __future__ import annotations

import functools
import inspect
import logging
from typing import TYPE_CHECKING, Any, TypeVar, cast, overload

from tracedclient.inbound.accept import ACCEPT, Acceptance
from tracedclient.inbound.current import current_context, trace_context
from tracedclient.trace.context import TraceContext
from tracedclient.trace.formats import formats
from tracedclient.trace.ids import new_span_id, new_trace_id

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from tracedclient.inbound.accept import Value

logger = logging.getLogger("tracedclient")

Job = TypeVar("Job", bound="Callable[..., Any]")

_CARRIED = ("traceparent", "X-Trace-Id")


def trace_headers(carried: Sequence[str] = _CARRIED) -> dict[str, str]:
    """Return what to put into a message, so that whoever works on it belongs to this trace.

    ``carried`` names formats as ``Propagation`` does. The trace is the one bound here, else a new one.
    """
    context = current_context() or TraceContext(new_trace_id(), random=True)
    # Nobody logs the sending of a message as a span: the receiver's calls are its sender's caller's.
    span_id = context.span_id or new_span_id()
    context = context._replace(span_id=None)
    return {
        name: before if after is None else f"{before}{span_id}{after}"
        for form in formats("carried", carried)
        for name, before, after in form.fields(context, sampled=context.sampled)
    }


def received_trace(
    headers: Mapping[str, Value] | None, *, accept: Sequence[str] = ACCEPT
) -> AbstractContextManager[str]:
    """Return a context manager that binds the trace that a message's ``headers`` name.

    They are believed as a request's are: one that is not good counts as none, and without any the
    block gets a new id. Values may be text, bytes, or lists of these.
    """
    found = Acceptance(accept).find(headers)
    return trace_context(found or TraceContext(new_trace_id(), random=True))


@overload
def traced_job(job: Job, /) -> Job: ...


@overload
def traced_job(
    *, headers: Callable[..., Mapping[str, Value] | None] | None = ..., accept: Sequence[str] = ...
) -> Callable[[Job], Job]: ...


def traced_job(
    job: Job | None = None,
    /,
    *,
    headers: Callable[..., Mapping[str, Value] | None] | None = None,
    accept: Sequence[str] = ACCEPT,
) -> Any:
    """Bind a trace for each run of a function, a coroutine function included.

    ``headers`` is called as the function is, and returns the message's headers. Without it, or
    when they name no good id, the run belongs to the trace that is bound already, else to a new
    one. Use it bare (``@traced_job``) or with arguments.

    Raises ``TypeError`` for a generator function: its body runs in whatever context asks for the
    next value; use ``trace_context`` there.
    """
    runs = _Runs(headers, Acceptance(accept))
    return functools.partial(_traced, runs) if job is None else _traced(runs, job)


def _traced(runs: _Runs, job: Job) -> Job:
    if inspect.isgeneratorfunction(job) or inspect.isasyncgenfunction(job):
        raise TypeError(f"traced_job cannot bind a trace for the generator {job.__name__}")
    if inspect.iscoroutinefunction(job):

        @functools.wraps(job)
        async def run_async(*args: Any, **kwargs: Any) -> Any:
            with trace_context(runs.context(args, kwargs)):
                return await job(*args, **kwargs)

        return cast("Job", run_async)

    @functools.wraps(job)
    def run(*args: Any, **kwargs: Any) -> Any:
        with trace_context(runs.context(args, kwargs)):
            return job(*args, **kwargs)

    return cast("Job", run)


class _Runs:
    def __init__(
        self, headers: Callable[..., Mapping[str, Value] | None] | None, acceptance: Acceptance
    ) -> None:
        self._headers = headers
        self._acceptance = acceptance

    def context(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> TraceContext:
        """Return the trace that this run belongs to."""
        found = None if self._headers is None else self._found(args, kwargs)
        return found or current_context() or TraceContext(new_trace_id(), random=True)

    def _found(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> TraceContext | None:
        assert self._headers is not None
        try:
            return self._acceptance.find(self._headers(*args, **kwargs))
        except Exception:
            # The job matters more than its name.
            logger.exception(
                "traced_job: headers=%r failed; the run gets its own id", self._headers
            )
            return None
