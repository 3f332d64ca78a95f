"""What watches every call of a client, traced or not: spans for a tracing system, figures for a monitor.

instrument  what an instrument is; what keeps its failures from the request
figures     the trace of a call, and the state of a client, as measurements
origins     servers as labels, of which there are only so many
otel/       OpenTelemetry (extra ``otel``)
zipkin/     Zipkin's own JSON
prometheus  Prometheus (extra ``prometheus``)

Nothing of OpenTelemetry or Prometheus is imported until its room is.
"""

from tracedclient.instruments.instrument import (
    FOR_INSTRUMENTS,
    CallStart,
    Instrument,
    Instruments,
    Watch,
    Watched,
    Watches,
)

__all__ = [
    "FOR_INSTRUMENTS",
    "CallStart",
    "Instrument",
    "Instruments",
    "Watch",
    "Watched",
    "Watches",
]
