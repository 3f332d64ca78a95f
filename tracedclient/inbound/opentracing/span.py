"""The span of one request that is served."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from opentracing import tags
from opentracing.scope_managers import ThreadLocalScopeManager

from tracedclient._opentracing import of_error, served_span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import opentracing

logger = logging.getLogger("tracedclient")

_SERVER_ERROR = 500


class _Guard:
    """Calls what is not ours; what that raises is complained of, at most once a minute."""

    QUIET_SECONDS = 60.0

    def __init__(self) -> None:
        self.quiet_until = float("-inf")

    def __call__(self, call: Callable[..., Any], *arguments: Any) -> Any:
        """Return what ``call`` returns; ``None`` when it raises."""
        try:
            return call(*arguments)
        except Exception:  # noqa: BLE001 - an instrument must not break what it measures
            self._complain(getattr(call, "__qualname__", repr(call)))
            return None

    def _complain(self, name: str) -> None:
        now = time.monotonic()
        if now < self.quiet_until:
            return
        self.quiet_until = now + self.QUIET_SECONDS
        with suppress(Exception):  # the application's own handlers may raise too
            logger.warning("%s raised; the request is served", name, exc_info=True)  # noqa: LOG014 - called in one


guarded = _Guard()


class ServedSpan:
    """Is in force while the application works for the request; learns its status and its size."""

    def __init__(self, tracer: opentracing.Tracer, span: Any) -> None:
        self._tracer = tracer
        self._span = span
        self._is_over = False
        self._size = 0
        self.status: int | None = None

    @contextmanager
    def in_force(self, *, in_asyncio: bool = False) -> Iterator[None]:
        """Have the calls of the block's code below this span; what the block raises is its error."""
        token = served_span.set(self._span)
        scope = guarded(self._activated, in_asyncio)
        try:
            yield
        except BaseException as error:
            self.finish(error)
            raise
        finally:
            if scope is not None:
                guarded(scope.close)
            # An application may be closed in another context than the one that it was started in.
            with suppress(ValueError):
                served_span.reset(token)

    def _activated(self, in_asyncio: bool) -> Any:
        manager = self._tracer.scope_manager
        if in_asyncio and type(manager) is ThreadLocalScopeManager:
            # It would be in force for all requests of the loop's thread at once.
            return None
        return manager.activate(self._span, finish_on_close=False)

    def sent(self, *pieces: bytes) -> None:
        """Count pieces of the answer's body."""
        for piece in pieces:
            self._size += guarded(len, piece) or 0

    def finish(self, error: BaseException | None = None) -> None:
        """Tag what came of the request, and finish the span, once."""
        if self._is_over:
            return
        self._is_over = True
        if self.status is not None:
            guarded(self._span.set_tag, tags.HTTP_STATUS_CODE, self.status)
        if self._size > 0:
            guarded(self._span.set_tag, "http.response_size", self._size)
        if error is not None or (self.status or 0) >= _SERVER_ERROR:
            guarded(self._span.set_tag, tags.ERROR, True)
        if error is not None:
            guarded(self._span.log_kv, {"event": "error", **of_error(error)})
        guarded(self._span.finish)
