"""The span of one request on the wire. Once it has ended, nothing more is written on it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tracedclient._opentracing import of_error

if TYPE_CHECKING:
    from collections.abc import Callable

_SERVER_ERROR = 500


class ExchangeSpan:
    """Tags, logs and the end, each of which the tracer may refuse without harm to the others."""

    __slots__ = (
        "_guarded",
        "_is_over",
        "_last_event",
        "_status",
        "_until",
        "attempt",
        "method",
        "span",
    )

    def __init__(
        self, span: Any, guarded: Callable[..., Any], *, method: str, attempt: int
    ) -> None:
        self.span = span
        self.method = method
        self.attempt = attempt
        self._guarded = guarded
        self._status: int | None = None
        self._is_over = False
        self._last_event: str | None = None
        self._until: float | None = None

    def tag(self, name: str, value: Any) -> None:
        """Set a tag."""
        if not self._is_over:
            self._guarded(self.span.set_tag, name, value)

    def log(self, event: str, **fields: Any) -> None:
        """Log an event of this moment."""
        if not self._is_over:
            self._guarded(self.span.log_kv, {"event": event, **fields})

    def log_error(self, message: str, error: BaseException, **fields: Any) -> None:
        """Log that ``message`` went wrong."""
        self.log("error", message=message, **fields, **of_error(error))

    def answered(self, status: int) -> None:
        """Tag the status of the answer."""
        self._status = status
        self.tag("http.status_code", status)
        if status >= _SERVER_ERROR:
            self.failed()

    def failed(self) -> None:
        """Tag the span as an error."""
        self.tag("error", True)

    def gives_way(self) -> None:
        """Another request is about to be sent: if nobody tells this one's end, it is now."""
        self._until = self._until or time.time()

    def is_left(self, event: str) -> None:
        """Its body was left before its end, which is now; the call's end tells the tracer."""
        self._last_event = event
        self._until = time.time()

    def end(self) -> None:
        """Finish the span, once."""
        if not self._is_over:
            self._is_over = True
            self._guarded(self.span.finish)

    def settle(self, status: int | None, *, failed: bool) -> None:
        """Finish the span of a request whose end no hook has told, with what came of it."""
        if self._is_over:
            return
        if self._status is None and status is not None:
            self.answered(status)
        if failed:
            self.failed()
        if self._last_event is not None:
            self._guarded(self.span.log_kv, {"event": self._last_event}, self._until)
        self._is_over = True
        self._guarded(self.span.finish, self._until)
