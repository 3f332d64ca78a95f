"""The figures on instruments of OpenTelemetry's meter; exemplars are the SDK's, from the spans."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from opentelemetry.metrics import CallbackOptions, Observation

from tracedclient.instruments.figures import PER_CALL, PER_CLIENT, SECONDS, of_call, of_clients

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from opentelemetry.context import Context
    from opentelemetry.metrics import Meter

    from tracedclient.instruments.figures import Figure
    from tracedclient.instruments.instrument import Watched
    from tracedclient.instruments.origins import Origins
    from tracedclient.trace.model import TraceResult


class Metrics:
    """Counts finished calls, and observes clients when the SDK asks."""

    def __init__(self, meter: Meter, origins: Origins) -> None:
        self._origins = origins
        self.clients: WeakSet[Any] = WeakSet()
        self._record = {figure: _recorder(meter, figure) for figure in PER_CALL}
        for figure in PER_CLIENT:
            self._observe(meter, figure)

    def count(
        self, result: TraceResult, in_force: Mapping[int, Context], of_call_: Context
    ) -> None:
        """Count ``result``; ``in_force`` has the context of each exchange's span, by identity."""
        exchanges = [e for attempt in result.attempts for e in attempt.exchanges]
        for measured in of_call(result, self._origins):
            context = of_call_
            if measured.exchange is not None:
                context = in_force.get(id(exchanges[measured.exchange]), of_call_)
            self._record[measured.figure](measured.value, measured.labels, context=context)

    def _observe(self, meter: Meter, figure: Figure) -> None:
        create = (
            meter.create_observable_counter
            if figure.kind == "total"
            else meter.create_observable_gauge
        )
        create(
            figure.name,
            callbacks=[partial(self._observations, figure)],
            unit=figure.unit,
            description=figure.text,
        )

    def _observations(self, figure: Figure, _: CallbackOptions) -> Iterator[Observation]:
        clients: list[Watched] = list(self.clients)
        for measured in of_clients(clients, self._origins):
            if measured.figure is figure:
                yield Observation(measured.value, measured.labels)


def _recorder(meter: Meter, figure: Figure) -> Any:
    if figure.kind == "counter":
        return meter.create_counter(figure.name, figure.unit, figure.text).add
    histogram = meter.create_histogram(
        figure.name,
        figure.unit,
        figure.text,
        explicit_bucket_boundaries_advisory=SECONDS,
    )
    return histogram.record
