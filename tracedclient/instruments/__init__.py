"""What watches every call of a client, traced or not: spans for a tracing system, figures for a monitor.

instrument    what an instrument is; what keeps its failures from the request
figures       the trace of a call, and the state of a client, as measurements
origins       servers as labels, of which there are only so many
otel/         OpenTelemetry (extra ``otel``)
opentracing/  OpenTracing (extra ``opentracing``)
zipkin/       Zipkin's own JSON
prometheus    Prometheus (extra ``prometheus``)

Nothing of the extras is imported until its room is.
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
