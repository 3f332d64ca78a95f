"""Trace ids coming in: the id that the caller of this process gave its request.

wsgi, asgi  middleware: the id of each request, from its headers to its response
jobs        the same for work that comes by a queue
accept      which headers are believed
current     the id bound in this context
logs        that id in the application's own log lines
"""

from tracedclient.inbound.asgi import ASGIMiddleware
from tracedclient.inbound.current import current_context, current_trace_id, trace_context
from tracedclient.inbound.jobs import received_trace, trace_headers, traced_job
from tracedclient.inbound.logs import TraceIdFilter
from tracedclient.inbound.wsgi import WSGIMiddleware

__all__ = [
    "ASGIMiddleware",
    "TraceIdFilter",
    "WSGIMiddleware",
    "current_context",
    "current_trace_id",
    "received_trace",
    "trace_context",
    "trace_headers",
    "traced_job",
]
