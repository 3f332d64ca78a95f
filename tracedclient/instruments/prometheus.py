"""Prometheus (extra ``prometheus``): the figures of every call, on a registry of the application's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakSet

try:
    import prometheus_client
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
except ImportError as error:
    raise ImportError(
        "tracedclient.instruments.prometheus needs prometheus_client: "
        "pip install 'tracedclient[prometheus]'"
    ) from error

from tracedclient.instruments.figures import PER_CALL, PER_CLIENT, SECONDS, of_call, of_clients
from tracedclient.instruments.instrument import Watch
from tracedclient.instruments.origins import Origins

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from prometheus_client.registry import CollectorRegistry

    from tracedclient.instruments.figures import Figure
    from tracedclient.instruments.instrument import CallStart, Watched
    from tracedclient.trace.model import TraceResult

_UNITS = {"s": "_seconds"}


class Prometheus(Watch):
    """Counts every call: ``HTTPClient(instruments=[Prometheus()])``.

    registry          where the metrics are registered; ``None``: prometheus_client's global one.
    buckets           bounds of the histograms, in seconds.
    max_origins       servers that get a label; those met later are ``other``.
    origin_templates  such as ``*.shards.internal``: one label for all hosts that match.

    Make one for a registry, and give it to all clients: a registry takes a name once. Names and
    labels are OpenTelemetry's, as its own exporter for Prometheus spells them. Raises
    ``TypeError`` or ``ValueError`` that names the argument.
    """

    def __init__(
        self,
        *,
        registry: CollectorRegistry | None = None,
        buckets: Sequence[float] = SECONDS,
        max_origins: int = 100,
        origin_templates: Sequence[str] = (),
    ) -> None:
        self._origins = Origins(max_origins, origin_templates)
        known = prometheus_client.REGISTRY if registry is None else registry
        self._metrics = {figure: _metric(figure, known, tuple(buckets)) for figure in PER_CALL}
        self._clients: WeakSet[Any] = WeakSet()
        known.register(_Clients(self._clients, self._origins))

    def watch(self, client: Watched) -> None:
        """Include ``client`` in the gauges, as long as somebody holds it."""
        self._clients.add(client)

    def begin(self, call: CallStart) -> Prometheus:  # noqa: ARG002 - all count alike
        """Watch this call too."""
        return self

    def done(self, result: TraceResult | None) -> None:
        """Count a call that has ended."""
        if result is None:
            return
        for measured in of_call(result, self._origins):
            figure = measured.figure
            metric = self._metrics[figure].labels(*_values(figure, measured.labels))
            (metric.observe if figure.kind == "histogram" else metric.inc)(measured.value)


class _Clients:
    """Asks the clients how they stand, whenever somebody scrapes."""

    def __init__(self, clients: WeakSet[Any], origins: Origins) -> None:
        self._clients = clients
        self._origins = origins

    def describe(self) -> list[Any]:
        """Return the families' names, so that registering asks nobody."""
        return [_family(figure) for figure in PER_CLIENT]

    def collect(self) -> Iterator[Any]:
        """Yield the gauges of this moment."""
        families = {figure: _family(figure) for figure in PER_CLIENT}
        for measured in of_clients(list(self._clients), self._origins):
            figure = measured.figure
            families[figure].add_metric(_values(figure, measured.labels), measured.value)
        yield from families.values()


def _metric(figure: Figure, registry: CollectorRegistry, buckets: tuple[float, ...]) -> Any:
    name, labels = _name(figure), [_spelled(label) for label in figure.labels]
    if figure.kind == "counter":
        return prometheus_client.Counter(name, figure.text, labels, registry=registry)
    return prometheus_client.Histogram(
        name, figure.text, labels, registry=registry, buckets=buckets
    )


def _family(figure: Figure) -> Any:
    kind = CounterMetricFamily if figure.kind == "total" else GaugeMetricFamily
    return kind(_name(figure), figure.text, labels=[_spelled(label) for label in figure.labels])


def _name(figure: Figure) -> str:
    return _spelled(figure.name) + _UNITS.get(figure.unit, "")


def _spelled(name: str) -> str:
    return name.replace(".", "_")


def _values(figure: Figure, labels: Mapping[str, Any]) -> list[str]:
    return [_text(labels.get(label, "")) for label in figure.labels]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
