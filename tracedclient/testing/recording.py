"""A sink to look into."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracedclient.trace.model import TraceResult


class RecordingSink:
    """Keeps every trace it gets: ``HTTPClient(debug=True, sinks=[sink])``. Safe in threads.

    A client tells a sink of a call when debug is on for it: with it off there is nothing to keep.
    """

    def __init__(self) -> None:
        self._results: list[TraceResult] = []
        self._lock = Lock()

    def emit(self, result: TraceResult) -> None:
        """Keep ``result``. For the client to call."""
        with self._lock:
            self._results.append(result)

    @property
    def results(self) -> list[TraceResult]:
        """A copy of what was kept, in the order in which the calls ended."""
        with self._lock:
            return list(self._results)

    @property
    def one(self) -> TraceResult:
        """The only trace. Raises ``AssertionError`` when there is none, or more than one."""
        results = self.results
        if not results:
            raise AssertionError(
                "expected one trace, got none: was the call made, with debug on, by a client that "
                "has this sink, and was a streamed body read?"
            )
        if len(results) > 1:
            told = "; ".join(
                f"{each.http_request_method} {each.url_full} {each.outcome}" for each in results
            )
            raise AssertionError(f"expected one trace, got {len(results)}: {told}")
        return results[0]

    def by_trace_id(self, trace_id: str) -> list[TraceResult]:
        """Return the traces of one id, in order: a service may make several calls for one."""
        return [result for result in self.results if result.trace_id == trace_id]

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._results.clear()
