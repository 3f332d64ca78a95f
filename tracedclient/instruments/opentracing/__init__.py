"""OpenTracing (extra ``opentracing``): what its Go library nethttp does for a client, on our hooks.

instrument  ``OpenTracing``: a tracer and the options for it
spans       the spans of one call
exchange    the span of one request: its tags, its logs, its end
hooks       which hook is which of them
"""

from tracedclient._opentracing import Tracer
from tracedclient.instruments.opentracing.instrument import OpenTracing, instrument_of
from tracedclient.instruments.opentracing.spans import SentRequest

__all__ = ["OpenTracing", "SentRequest", "Tracer", "instrument_of"]
