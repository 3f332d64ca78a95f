"""OpenTracing (extra ``opentracing``): a span for each request served, as nethttp's middleware makes.

server   ``OpenTracingServer``: a tracer and the options for it
request  what is known of a request before it is served
span     the span of one request: in force while it is served, its tags, its end
wsgi     around a WSGI application
asgi     around an ASGI application
"""

from tracedclient._opentracing import Tracer
from tracedclient.inbound.opentracing.request import ServedRequest
from tracedclient.inbound.opentracing.server import OpenTracingServer, server_of

__all__ = ["OpenTracingServer", "ServedRequest", "Tracer", "server_of"]
