"""Zipkin, without OpenTelemetry: the spans of each call, posted to a collector's ``/api/v2/spans``.

reporter  ``ZipkinReporter``: what is given to a client
watching  one call: the ids that its requests are sent with
model     Zipkin's nouns; spans: a finished trace → those of its call
worker    the queue, and the thread that empties it
post      one batch to the collector
"""

from tracedclient.instruments.zipkin.reporter import ZipkinReporter
from tracedclient.instruments.zipkin.worker import ZipkinStats

__all__ = ["ZipkinReporter", "ZipkinStats"]
