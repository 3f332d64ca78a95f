"""The traces that a report shows whole: the slowest of all, and the slowest of each culprit."""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from tracedclient.cli.timeline import rows
from tracedclient.trace.schema import UnknownSchema, from_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracedclient.trace.model import TraceResult

EXAMPLES = 10
"""Traces of each culprit that are shown even when others are slower."""
MAX_LINE = 64 * 1024
"""Bytes of a line that is shown whole; no line of ours is nearly as long."""
MAX_CULPRITS = 20
"""Different ones that examples are kept of."""


def most_of_each(number: int) -> int:
    """Return how many traces of one culprit may be shown in a report of the ``number`` slowest."""
    return max(number, EXAMPLES) if number else 0


class Slowest:
    """Lines by culprit, as many as may be shown; they are decoded only in the end."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._most = most_of_each(number)
        self._heaps: dict[str, list[tuple[float, str, bytes]]] = {}

    def offer(self, duration_ms: float, culprit: str, trace_id: str, line: bytes) -> None:
        """Keep ``line`` for as long as it is among the slowest of its culprit."""
        if len(line) > MAX_LINE:
            return
        heap = self._heaps.get(culprit)
        if heap is None:
            if len(self._heaps) >= MAX_CULPRITS:
                return
            heap = self._heaps[culprit] = []
        if len(heap) < self._most:
            heapq.heappush(heap, (duration_ms, trace_id, line))
        elif heap and (duration_ms, trace_id) > heap[0][:2]:
            heapq.heapreplace(heap, (duration_ms, trace_id, line))

    def traces(self) -> list[TraceResult]:
        """Return those that are to be shown, the slowest first."""
        found = (drawable(line) for heap in self._heaps.values() for *_, line in heap)
        return choose((trace for trace in found if trace is not None), self._number)


def drawable(line: bytes) -> TraceResult | None:
    """Return the trace of ``line``; ``None`` when it is too long, or of another shape further in."""
    if len(line) > MAX_LINE:
        return None
    try:
        trace = from_json(line)
        # Every time in it has to be one, or nothing can be drawn.
        rows(trace)
    except (msgspec.MsgspecError, UnknownSchema, ValueError, OverflowError, RecursionError):
        return None
    return trace


class _Call(Protocol):
    """As much of a trace as the choice depends on."""

    @property
    def trace_id(self) -> str: ...
    @property
    def duration_ms(self) -> float: ...
    @property
    def verdict_culprit(self) -> str: ...


_AnyCall = TypeVar("_AnyCall", bound=_Call)


def choose(traces: Iterable[_AnyCall], number: int) -> list[_AnyCall]:
    """Return the ``number`` slowest, and up to ``EXAMPLES`` of each culprit; the slowest first."""
    if number == 0:
        return []
    ordered = sorted(traces, key=lambda trace: (trace.duration_ms, trace.trace_id), reverse=True)
    seen: Counter[str] = Counter()
    chosen = []
    for rank, trace in enumerate(ordered):
        seen[trace.verdict_culprit] += 1
        if rank < number or seen[trace.verdict_culprit] <= EXAMPLES:
            chosen.append(trace)
    return chosen
