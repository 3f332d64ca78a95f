"""``OpenTracing``: a tracer, and what is to be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tracedclient._opentracing import COMPONENT, checked_callables, checked_names, checked_tracer
from tracedclient.instruments.opentracing.spans import CallSpans
from tracedclient.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient._opentracing import Tracer
    from tracedclient.instruments.instrument import CallStart, Watched
    from tracedclient.instruments.opentracing.spans import SentRequest


@dataclass(frozen=True)
class OpenTracing:
    """Spans of every call: ``HTTPClient(tracer=OpenTracing(tracer, component="orders"))``.

    tracer          an ``opentracing.Tracer``; OpenTelemetry's shim has one.
    operation_name  of the span of a call; that of a request is ``HTTP`` and its method.
    component       the tag of that name.
    url_tag         what the tag ``http.url`` shows of a URL, which it is given as requested,
                    credentials included. Unless given, as in the log line.
    client_trace    whether a request's span logs an event for each hook.
    inject          whether requests carry the span in headers of the tracer's own, to the origins
                    that ``Propagation`` allows.
    span_observer   called with the span of a request that is about to be sent, and with its
                    ``SentRequest``: for tags of one's own.

    One may be given to several clients. Raises ``TypeError`` that names the argument.
    """

    tracer: Tracer
    operation_name: str = "HTTP Client"
    component: str = COMPONENT
    url_tag: Callable[[str], str] | None = redact_url
    client_trace: bool = True
    inject: bool = True
    span_observer: Callable[[Any, SentRequest], object] | None = None

    def __post_init__(self) -> None:
        checked_tracer(self.tracer)
        checked_names(operation_name=self.operation_name, component=self.component)
        checked_callables(url_tag=self.url_tag, span_observer=self.span_observer)

    def watch(self, client: Watched) -> None:
        """Take a client; there is nothing to know of it."""

    def begin(self, call: CallStart) -> CallSpans:
        """Begin the call's span."""
        return CallSpans(call, self)


def instrument_of(tracer: Any) -> OpenTracing:
    """Return ``tracer`` as an instrument. Raises ``TypeError`` for what is none."""
    return tracer if isinstance(tracer, OpenTracing) else OpenTracing(tracer)
