"""``OpenTracingServer``: a tracer, and what is to be done with it for the requests that are served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from opentracing import tags

from tracedclient._opentracing import (
    COMPONENT,
    checked_callables,
    checked_names,
    checked_tracer,
    extracted,
)
from tracedclient.inbound.current import current_trace_id
from tracedclient.inbound.opentracing.span import ServedSpan, guarded
from tracedclient.redaction import printable, redact_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient._opentracing import Tracer
    from tracedclient.inbound.opentracing.request import ServedRequest

_MAX_METHOD = 32
_METHODS = frozenset(
    "GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH QUERY".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class OpenTracingServer:
    """A span for each request: ``WSGIMiddleware(app, tracer=OpenTracingServer(tracer, …))``.

    tracer          an ``opentracing.Tracer``; OpenTelemetry's shim has one.
    operation_name  called with the ``ServedRequest``, returns the span's name. Unless given,
                    ``HTTP`` and the method, ``HTTP other`` for one that no standard defines.
    component       the tag of that name.
    url_tag         what the tag ``http.url`` shows of path and query; ``None`` for no tag. Unless
                    given, the query's values are left out.
    span_filter     called with the request; where it returns False, there is no span.
    span_observer   called with the span and the request: for tags of one's own.
    extract         whether the span that a request brings is believed; not for a service that
                    the Internet can reach.

    What one of these functions or the tracer raises is logged, at most once a minute, and harms no
    request. Raises ``TypeError`` that names the argument.
    """

    tracer: Tracer
    operation_name: Callable[[ServedRequest], str] | None = None
    component: str = COMPONENT
    url_tag: Callable[[str], str] | None = redact_url
    span_filter: Callable[[ServedRequest], object] | None = None
    span_observer: Callable[[Any, ServedRequest], object] | None = None
    extract: bool = True

    def __post_init__(self) -> None:
        checked_tracer(self.tracer)
        checked_names(component=self.component)
        checked_callables(
            operation_name=self.operation_name,
            url_tag=self.url_tag,
            span_filter=self.span_filter,
            span_observer=self.span_observer,
        )

    def begin(self, request: ServedRequest) -> ServedSpan | None:
        """Begin the span of a request; ``None`` where it is to have none, or can have none."""
        if self.span_filter is not None and guarded(self.span_filter, request) is False:
            return None
        span = guarded(self._started, request)
        if span is None:
            return None
        if self.span_observer is not None:
            guarded(self.span_observer, span, request)
        return ServedSpan(self.tracer, span)

    def _started(self, request: ServedRequest) -> Any:
        brought = extracted(self.tracer, dict(request.headers)) if self.extract else None
        return self.tracer.start_span(
            self._name(request),
            child_of=brought,
            ignore_active_span=True,
            tags=self._tags(request),
        )

    def _name(self, request: ServedRequest) -> str:
        given = self.operation_name and guarded(self.operation_name, request)
        # Anybody can make up a method; names of spans must stay countable.
        known = request.method if request.method in _METHODS else "other"
        return given if isinstance(given, str) and given else f"HTTP {known}"

    def _tags(self, request: ServedRequest) -> dict[str, Any]:
        named = {
            tags.SPAN_KIND: tags.SPAN_KIND_RPC_SERVER,
            tags.HTTP_METHOD: printable(request.method[:_MAX_METHOD]),
            tags.HTTP_URL: self.url_tag and guarded(self.url_tag, request.url),
            tags.COMPONENT: self.component,
            "tracedclient.trace_id": current_trace_id(),
        }
        return {name: value for name, value in named.items() if value is not None}


def server_of(tracer: Any) -> OpenTracingServer:
    """Return ``tracer`` with its options. Raises ``TypeError`` for what is none."""
    return tracer if isinstance(tracer, OpenTracingServer) else OpenTracingServer(tracer)
