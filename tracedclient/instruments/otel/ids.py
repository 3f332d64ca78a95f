"""Root spans with the trace id that is there already. Needs OpenTelemetry's SDK."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from tracedclient.instruments.otel.spans import wanted_trace_id
from tracedclient.trace.ids import is_w3c_trace_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient.trace.context import TraceContext


class TraceIdGenerator(RandomIdGenerator):  # type: ignore[misc,unused-ignore]
    """``TracerProvider(id_generator=TraceIdGenerator())``: one id in logs, headers and spans.

    Where ``do(trace_id=…)`` was given 32 hex digits, and no span is in force, the call's span
    begins a trace of that id. All other ids are the SDK's random ones.

    inbound  ``tracedclient.inbound.current_context``: a span that begins a trace, such as that of
             a framework's own instrumentation, then also takes the id of the request being served,
             when it came without a span or was made here, and is 32 hex digits.
    """

    def __init__(self, inbound: Callable[[], TraceContext | None] | None = None) -> None:
        super().__init__()
        self._inbound = inbound

    def generate_trace_id(self) -> int:
        """Return the id of a trace that begins."""
        return wanted_trace_id.get() or self._served() or int(super().generate_trace_id())

    def _served(self) -> int | None:
        context = None if self._inbound is None else self._inbound()
        # With a span to be below of, who begins a trace all the same wants another one.
        if context is None or context.span_id is not None:
            return None
        return int(context.trace_id, 16) if is_w3c_trace_id(context.trace_id) else None
