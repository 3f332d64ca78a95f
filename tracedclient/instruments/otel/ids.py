"""Root spans with the trace id that ``do()`` was given. Needs OpenTelemetry's SDK."""

from __future__ import annotations

from opentelemetry.sdk.trace.id_generator import RandomIdGenerator

from tracedclient.instruments.otel.spans import wanted_trace_id


class TraceIdGenerator(RandomIdGenerator):  # type: ignore[misc,unused-ignore]
    """``TracerProvider(id_generator=TraceIdGenerator())``: one id in logs, headers and spans.

    Where ``do(trace_id=…)`` was given 32 hex digits, and no span is in force, the call's span
    begins a trace of that id. All other ids are the SDK's random ones.
    """

    def generate_trace_id(self) -> int:
        """Return the id of a trace that begins."""
        return wanted_trace_id.get() or int(super().generate_trace_id())
