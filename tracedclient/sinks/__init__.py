"""Finished traces going out. A sink sees a finished, redacted value only: it can slow or alter no
request that is under way, and leak nothing that did not get in.

sink       what a sink is; the fan-out that keeps its failures from the request
json_log   the log line on ``tracedclient.trace``
flight     the last traces in memory; when one fails, it and those that led up to it
context    what the application bound, which rides along in it
formatter  that line's JSON
config     ``logging_config()``
"""

from tracedclient.sinks.config import logging_config
from tracedclient.sinks.flight import FlightRecorder
from tracedclient.sinks.json_log import JsonLogSink
from tracedclient.sinks.sink import FanOut, Sink

__all__ = ["FanOut", "FlightRecorder", "JsonLogSink", "Sink", "logging_config"]
