"""The shared HTTP client: looks like requests, retries with care, and shows what happened.

A map of the house; data flows from top to bottom and comes back as a trace:

    client       HTTPClient: which id, is debug on, which attempts, what is told afterwards
    retry/       may this be tried again, and when
    transport/   requests' session and adapter, urllib3's pools and connections, sockets
    httptrace    ClientTrace, the hooks that the transport calls
    recorder     the ClientTrace that builds a TraceResult
    baseline     what is usual for each origin, to compare a long call with
    trace/       the nouns: TraceResult and its parts, the verdict, the JSON
    sinks/       finished traces going out: the log line, the flight recorder
    debug/       is debug on: the flag's document, its rules, and one source for each place it is kept
    inbound/     trace ids coming in
    instruments/ every call, traced or not: OpenTelemetry, OpenTracing, Prometheus, Zipkin
    propagation  trace ids going out, and to whom
    redaction    what may be shown
    measure      stat: one request, its trace, no exception
    debugging    what a hung process is waiting for
    cli/         the command line: logs, report, tail, stat, flag, doctor, convert, demo

Importing it opens no thread, socket, file or logger, and changes nothing global. Each name, and
what it needs, is loaded when it is first asked for, so that the command line starts without
requests.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tracedclient._version import __version__

if TYPE_CHECKING:
    from tracedclient.client import HTTPClient
    from tracedclient.errors import (
        AddressRefused,
        CircuitOpen,
        ClientClosed,
        DeadlineExceeded,
        ResponseTooLarge,
        UnusableTLSFile,
    )
    from tracedclient.measure import stat
    from tracedclient.propagation import Propagation
    from tracedclient.retry import CircuitBreaker, RetryBudget, RetryPolicy
    from tracedclient.sinks import FlightRecorder, JsonLogSink, Sink, logging_config
    from tracedclient.timeout import Timeout
    from tracedclient.trace.model import TraceResult
    from tracedclient.transport import (
        AddressPolicy,
        RedirectPolicy,
        RedirectRefused,
        TracedAdapter,
        TracedResponse,
        TracedSession,
    )

__all__ = [
    "AddressPolicy",
    "AddressRefused",
    "CircuitBreaker",
    "CircuitOpen",
    "ClientClosed",
    "DeadlineExceeded",
    "FlightRecorder",
    "HTTPClient",
    "JsonLogSink",
    "Propagation",
    "RedirectPolicy",
    "RedirectRefused",
    "ResponseTooLarge",
    "RetryBudget",
    "RetryPolicy",
    "Sink",
    "Timeout",
    "TraceResult",
    "TracedAdapter",
    "TracedResponse",
    "TracedSession",
    "UnusableTLSFile",
    "__version__",
    "logging_config",
    "stat",
]

_HOME = {
    "AddressPolicy": "tracedclient.transport",
    "AddressRefused": "tracedclient.errors",
    "CircuitBreaker": "tracedclient.retry",
    "CircuitOpen": "tracedclient.errors",
    "ClientClosed": "tracedclient.errors",
    "DeadlineExceeded": "tracedclient.errors",
    "FlightRecorder": "tracedclient.sinks",
    "HTTPClient": "tracedclient.client",
    "JsonLogSink": "tracedclient.sinks",
    "Propagation": "tracedclient.propagation",
    "RedirectPolicy": "tracedclient.transport",
    "RedirectRefused": "tracedclient.transport",
    "ResponseTooLarge": "tracedclient.errors",
    "RetryBudget": "tracedclient.retry",
    "RetryPolicy": "tracedclient.retry",
    "Sink": "tracedclient.sinks",
    "Timeout": "tracedclient.timeout",
    "TraceResult": "tracedclient.trace.model",
    "TracedAdapter": "tracedclient.transport",
    "TracedResponse": "tracedclient.transport",
    "TracedSession": "tracedclient.transport",
    "UnusableTLSFile": "tracedclient.errors",
    "logging_config": "tracedclient.sinks",
    "stat": "tracedclient.measure",
}

_ROOMS = frozenset(
    {
        "debug",
        "debugging",
        "errors",
        "httptrace",
        "inbound",
        "retry",
        "sinks",
        "testing",
        "trace",
        "transport",
    }
)
"""Modules that ``tracedclient.<name>`` finds without an import of their own."""


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        # The import itself leaves the module here.
        return import_module(f"tracedclient.{name}")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    thing = globals()[name] = getattr(import_module(_HOME[name]), name)
    return thing


def __dir__() -> list[str]:
    own = (name for name in globals() if name.startswith("__"))
    return sorted({*own, *__all__, *_ROOMS})
