"""What a sink is, and how a finished trace reaches each of them without harm to the request."""

from __future__ import annotations

import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient.trace.model import TraceResult

logger = logging.getLogger("tracedclient")

_COMPLAIN_EVERY_SECONDS = 60.0


@runtime_checkable
class Sink(Protocol):
    """Takes finished traces, one for each ``do()`` with debug on, from whichever thread made it."""

    def emit(self, result: TraceResult) -> None:
        """Take one trace. May be called by several threads at once; what it raises is logged."""


AnySink = TypeVar("AnySink", bound=Sink)


class FanOut:
    """Hands each trace to every sink; one that raises is complained of once a minute."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        for sink in sinks:
            if isinstance(sink, type):
                raise TypeError(f"sinks must be objects, not classes: {sink.__name__}()")
            if not isinstance(sink, Sink):
                raise TypeError(f"sinks must have an emit(result) method; {sink!r} has none")
        self._sinks = tuple(sinks)
        self._quiet_until = dict.fromkeys(range(len(self._sinks)), float("-inf"))

    def only(self, kind: type[AnySink]) -> AnySink | None:
        """Return the sink, where there is but one and it is of this very class."""
        if len(self._sinks) != 1 or type(self._sinks[0]) is not kind:
            return None
        return self._sinks[0]

    def emit(self, result: TraceResult) -> None:
        """Hand ``result`` to each of them."""
        for number, sink in enumerate(self._sinks):
            try:
                sink.emit(result)
            except Exception:  # noqa: BLE001 - a log that fails must not fail the request
                self.complain(number, sink)

    def complain(self, number: int, sink: Sink) -> None:
        """Say that a trace was lost, while its error is being handled."""
        now = time.monotonic()
        if now < self._quiet_until[number]:
            return
        self._quiet_until[number] = now + _COMPLAIN_EVERY_SECONDS
        # The handler that failed the sink may be the one that fails the complaint too.
        with suppress(Exception):
            logger.warning("%s raised; its trace is lost", type(sink).__name__, exc_info=True)
