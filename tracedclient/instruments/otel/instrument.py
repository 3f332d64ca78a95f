"""``OpenTelemetry``: the instrument that a client is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry import metrics, trace

from tracedclient._version import __version__
from tracedclient.instruments.origins import Origins
from tracedclient.instruments.otel.metrics import Metrics
from tracedclient.instruments.otel.scope import is_suppressed
from tracedclient.instruments.otel.spans import CallSpans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

    from tracedclient.instruments.instrument import CallStart, Watched

SCHEMA_URL = "https://opentelemetry.io/schemas/1.44.0"
"""The conventions that names and meanings of the attributes are of."""


class OpenTelemetry:
    """Spans and metrics of every call: ``HTTPClient(instruments=[OpenTelemetry()])``.

    tracer_provider   ``None``: the global one, whenever it is set.
    meter_provider    the same. ``NoOpTracerProvider()`` or ``NoOpMeterProvider()`` for none.
    hook_events       whether a CLIENT span has an event for each hook of ``ClientTrace``.
    max_origins       servers that get a label in the metrics; those met later are ``other``.
    origin_templates  such as ``*.shards.internal``: one label for all hosts that match.

    One may be given to several clients. Raises ``TypeError`` or ``ValueError`` that names the
    argument.
    """

    def __init__(
        self,
        *,
        tracer_provider: TracerProvider | None = None,
        meter_provider: MeterProvider | None = None,
        hook_events: bool = True,
        max_origins: int = 100,
        origin_templates: Sequence[str] = (),
    ) -> None:
        self._tracer = trace.get_tracer(
            "tracedclient", __version__, tracer_provider, schema_url=SCHEMA_URL
        )
        meter = metrics.get_meter(
            "tracedclient", __version__, meter_provider, schema_url=SCHEMA_URL
        )
        self._metrics = Metrics(meter, Origins(max_origins, origin_templates))
        self._hook_events = bool(hook_events)

    def watch(self, client: Watched) -> None:
        """Include ``client`` in the gauges, as long as somebody holds it."""
        self._metrics.clients.add(client)

    def begin(self, call: CallStart) -> CallSpans | None:
        """Begin the call's span; ``None`` where instrumentation is suppressed."""
        if is_suppressed():
            return None
        return CallSpans(call, self._tracer, self._metrics, hook_events=self._hook_events)
