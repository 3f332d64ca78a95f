"""The calls of one client that have not finished, and what is told when they do."""

from __future__ import annotations

import _thread
import logging
import sys
import weakref
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

from tracedclient.transport import TracedResponse

if TYPE_CHECKING:
    from tracedclient._tracing import Tracing
    from tracedclient.inflight import InFlight, OngoingCall
    from tracedclient.recorder import Recorder
    from tracedclient.trace.model import TraceResult

logger = logging.getLogger("tracedclient")

# Not a WeakSet, whose iteration fails when another thread makes a client.
_all: weakref.WeakValueDictionary[int, OpenCalls] = weakref.WeakValueDictionary()


def of_every_client() -> list[InFlight]:
    """Return where the open calls of this process stand, the oldest first."""
    held = [reference() for reference in _all.valuerefs()]
    calls = [call for open_calls in held if open_calls is not None for call in open_calls.now()]
    return sorted(calls, key=lambda call: -call.age)


class OpenCalls:
    """Knows the calls under way; finishes the trace of each that has one, and hands it on."""

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing
        # Weakly: an interrupt may come between any two steps, and what it ended is in nobody's hands.
        self.ongoing: dict[int, weakref.ref[OngoingCall]] = {}
        _all[id(self)] = self

    def now(self) -> tuple[InFlight, ...]:
        """Return where they stand, the oldest first."""
        held = [call() for call in list(self.ongoing.values())]
        ongoing = [call for call in held if call is not None]
        return tuple(call.now() for call in sorted(ongoing, key=lambda call: call.started))

    def forget(self) -> None:
        """Forget them: they are the parent process's."""
        self.ongoing = {}

    def until_done(self, ongoing: OngoingCall, recorder: Recorder | None) -> _UntilDone:
        """Have ``ongoing`` among them inside of a ``with`` block.

        One with a recorder stays among them until its trace is finished: by an error in the block,
        or by ``finish_with_body`` after it.
        """
        return _UntilDone(self, ongoing, recorder)

    def finish_with_body(
        self, ongoing: OngoingCall, recorder: Recorder, response: Any, *, stream: bool
    ) -> None:
        """Put the finished trace on ``response``: now, or when its body has been read or closed."""
        # Of a body that comes over no connection of ours, nobody would tell the end.
        if not (stream and ongoing.connection is not None):
            self.ongoing.pop(id(ongoing), None)
            if ongoing.watches is not None or not isinstance(response, TracedResponse):
                response.trace = self.finish(ongoing, recorder, response.status_code, None)
            elif recorder.end(response.status_code, None):
                response.trace_on_demand(partial(_result, recorder))
                if not self._tracing.take_line(recorder):
                    self._take(recorder)
            return
        # Weakly: who drops an answer unread must not have it kept by its own trace. The callback is
        # there for Python 3.14, which clears a reference without one too late to be of use.
        held = weakref.ref(response, _nothing)
        status, context = response.status_code, copy_context()
        # One that holds itself is left to the collector, which must not come to its connection first.
        kept = weakref.finalize(response, _nothing, ongoing)
        kept.atexit = False

        def finish() -> None:
            kept.detach()
            self.ongoing.pop(id(ongoing), None)
            answer = held()
            if answer is None and recorder.abandoned():
                # In a finalizer, which may run in the middle of anything that takes a lock: a
                # sink's, a logger's. A bare thread takes none to start.
                with suppress(RuntimeError):  # the process is about to end
                    _thread.start_new_thread(
                        context.run, (self.finish, ongoing, recorder, status, None)
                    )
                return
            # A streamed body may break off in its reader's hands.
            result = self.finish(ongoing, recorder, status, recorder.failure)
            if answer is not None:
                answer.trace = result

        recorder.when_body_done(finish)

    def finish(
        self,
        ongoing: OngoingCall,
        recorder: Recorder,
        status: int | None,
        error: BaseException | None,
    ) -> TraceResult | None:
        if not recorder.end(status, error):
            return None
        result = self._take(recorder)
        if ongoing.watches is not None:
            ongoing.watches.done(result)
        return result

    def _take(self, recorder: Recorder) -> TraceResult | None:
        result = _result(recorder)
        if result is not None:
            self._tracing.take(result, recorder.decision)
        return result


def _result(recorder: Recorder) -> TraceResult | None:
    try:
        return recorder.result()
    except Exception:
        with suppress(Exception):
            logger.warning("the trace of %s is lost", recorder.trace_id, exc_info=True)
        return None


def _nothing(_: object) -> None:
    pass


class _UntilDone:
    __slots__ = ("_call", "_calls", "_recorder")

    def __init__(self, calls: OpenCalls, call: OngoingCall, recorder: Recorder | None) -> None:
        self._calls, self._call, self._recorder = calls, call, recorder

    def __enter__(self) -> None:
        self._calls.ongoing[id(self._call)] = weakref.ref(self._call)

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        recorder = self._recorder
        if error is not None or recorder is None:
            self._calls.ongoing.pop(id(self._call), None)
        if error is not None and recorder is not None:
            _annotate(error, self._calls.finish(self._call, recorder, None, error))


def _annotate(error: BaseException, result: TraceResult | None) -> None:
    """Put the trace on the error, and its id and verdict where a traceback shows them."""
    if result is None:
        return
    error.trace = result  # type: ignore[attr-defined]
    if sys.version_info >= (3, 11):
        verdict = result.verdict_sentence or result.outcome
        error.add_note(f"trace_id={result.trace_id}: {result.verdict_culprit}: {verdict}")
