"""Trace ids coming in: the id that the caller of this process gave its request."""

from tracedclient.inbound.current import current_trace_id, trace_context

__all__ = ["current_trace_id", "trace_context"]
