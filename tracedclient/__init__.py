"""The shared HTTP client: looks like requests, retries with care, and shows what happened.

A map of the house; data flows from top to bottom and comes back as a trace:

    client       HTTPClient: which id, is debug on, which attempts, what is told afterwards
    retry/       may this be tried again, and when
    transport/   requests' session and adapter, urllib3's pools and connections, sockets
    httptrace    ClientTrace, the hooks that the transport calls
    recorder     the ClientTrace that builds a TraceResult
    trace/       the nouns: TraceResult and its parts, the verdict, the JSON
    sinks/       finished traces going out: the log line
    debug/       is debug on: static, environment, file
    inbound/     trace ids coming in
    redaction    what may be shown
    cli/         tracedclient demo, stat

Importing it opens no thread, socket, file or logger, and changes nothing global.
"""

from tracedclient._version import __version__
from tracedclient.client import HTTPClient
from tracedclient.errors import DeadlineExceeded
from tracedclient.retry import RetryPolicy
from tracedclient.sinks import JsonLogSink, Sink, logging_config
from tracedclient.timeout import Timeout
from tracedclient.trace.model import TraceResult
from tracedclient.transport import TracedAdapter, TracedResponse, TracedSession

__all__ = [
    "DeadlineExceeded",
    "HTTPClient",
    "JsonLogSink",
    "RetryPolicy",
    "Sink",
    "Timeout",
    "TraceResult",
    "TracedAdapter",
    "TracedResponse",
    "TracedSession",
    "__version__",
    "logging_config",
]
