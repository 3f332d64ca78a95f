"""Finished traces going out. A sink sees a finished, redacted value only: it can slow or alter no
request that is under way, and leak nothing that did not get in.

sink       what a sink is; the fan-out that keeps its failures from the request
json_log   the log line on ``tracedclient.trace``
flight     the last traces in memory; when one fails, it and those that led up to it
context    what the application bound, which rides along in it
formatter  that line's JSON
file       the handler that writes it to a file
config     ``logging_config()``

Each name is loaded when it is first asked for: a client without a trace needs none but the first.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tracedclient.sinks.config import logging_config
    from tracedclient.sinks.file import LineFileHandler
    from tracedclient.sinks.flight import FlightRecorder
    from tracedclient.sinks.json_log import JsonLogSink
    from tracedclient.sinks.sink import FanOut, Sink

__all__ = ["FanOut", "FlightRecorder", "JsonLogSink", "LineFileHandler", "Sink", "logging_config"]

_HOME = {
    "FanOut": "tracedclient.sinks.sink",
    "FlightRecorder": "tracedclient.sinks.flight",
    "JsonLogSink": "tracedclient.sinks.json_log",
    "LineFileHandler": "tracedclient.sinks.file",
    "Sink": "tracedclient.sinks.sink",
    "logging_config": "tracedclient.sinks.config",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    thing = globals()[name] = getattr(import_module(_HOME[name]), name)
    return thing


def __dir__() -> list[str]:
    own = (name for name in globals() if name.startswith("__"))
    return sorted({*own, *__all__})
