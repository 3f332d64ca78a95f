"""Trace ids coming in: the id that the caller of this process gave its request.

wsgi, asgi    middleware: the id of each request, from its headers to its response
jobs          the same for work that comes by a queue
accept        which headers are believed
current       the id bound in this context
logs          that id in the application's own log lines
opentracing/  a span for each request served

All but ``current`` is loaded when it is first asked for: a client needs none of it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tracedclient.inbound.current import current_context, current_trace_id, trace_context

if TYPE_CHECKING:
    from tracedclient.inbound.asgi import ASGIMiddleware
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

_HOME = {
    "ASGIMiddleware": "tracedclient.inbound.asgi",
    "TraceIdFilter": "tracedclient.inbound.logs",
    "WSGIMiddleware": "tracedclient.inbound.wsgi",
    "received_trace": "tracedclient.inbound.jobs",
    "trace_headers": "tracedclient.inbound.jobs",
    "traced_job": "tracedclient.inbound.jobs",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    thing = globals()[name] = getattr(import_module(_HOME[name]), name)
    return thing


def __dir__() -> list[str]:
    own = (name for name in globals() if name.startswith("__"))
    return sorted({*own, *__all__})
