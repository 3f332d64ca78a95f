"""OpenTelemetry (extra ``otel``): an INTERNAL span for ``do()``, a CLIENT span for each exchange.

spans       the spans of one call
attributes  what is on them
metrics     the figures, on instruments of a meter
scope       whose child a call is, and who else must not make a span of it
ids         root spans with the trace id that ``do()`` was given
"""

try:
    import opentelemetry.trace  # noqa: F401 - says once what is missing
except ImportError as error:
    raise ImportError(
        "tracedclient.instruments.otel needs OpenTelemetry's API: pip install 'tracedclient[otel]'"
    ) from error

from tracedclient.instruments.otel.instrument import OpenTelemetry

__all__ = ["OpenTelemetry"]
