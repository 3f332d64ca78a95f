"""The spans of one call: one for itself, and below it one for each request that it sends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from opentracing import Format, tags

from tracedclient._opentracing import brought, ids_of, parent
from tracedclient.httptrace import client_trace
from tracedclient.inflight import current_call
from tracedclient.instruments.instrument import Watch
from tracedclient.instruments.opentracing.exchange import ExchangeSpan
from tracedclient.instruments.opentracing.hooks import Hooks, LoggingHooks
from tracedclient.redaction import redact_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tracedclient.instruments.instrument import CallStart
    from tracedclient.instruments.opentracing.instrument import OpenTracing
    from tracedclient.trace.model import TraceResult

_SERVER_ERROR = 500


class SentRequest(NamedTuple):
    """A request that is about to be sent."""

    method: str
    url: str
    """As requested, credentials included: do not show it."""


class CallSpans(Watch):
    """A root span for the call, whoever's child it is; a child for each attempt and redirect."""

    def __init__(self, call: CallStart, options: OpenTracing) -> None:
        self._options = options
        self._guarded = call.guarded
        tracer = options.tracer
        above = self._guarded(parent, tracer) or brought(tracer, call.trace)
        self._root = tracer.start_span(
            options.operation_name, child_of=above, ignore_active_span=True
        )
        self.trace = self._guarded(ids_of, self._root)
        self._hooks = LoggingHooks() if options.client_trace else Hooks()
        self._in_force = client_trace(self._hooks)
        self._sent: list[ExchangeSpan] = []
        self._begun: ExchangeSpan | None = None

    def enter(self) -> None:
        """Listen to what happens on the wire."""
        self._in_force.__enter__()

    def exit(self) -> None:
        """Listen no more, but to a body that is still to be read."""
        self._in_force.__exit__()
        self._hooks.returns()

    def sends(self, method: str, url: str) -> str | None:
        """Begin the span of a request, and return its id if its tracer shows one."""
        self._ends_the_last()
        request = SentRequest(method, url)
        span = self._options.tracer.start_span(
            f"HTTP {method}", child_of=self._root, ignore_active_span=True, tags=self._tags(request)
        )
        call = current_call.get()
        begun = ExchangeSpan(
            span, self._guarded, method=method, attempt=call.attempt if call else 1
        )
        self._begun = begun
        self._sent.append(begun)
        if self._options.span_observer is not None:
            self._guarded(self._options.span_observer, span, request)
        # Not before the observer, who may send requests of his own.
        self._hooks.announce(begun)
        known = self._guarded(ids_of, span)
        return None if known is None else known.span_id

    def _ends_the_last(self) -> None:
        self._hooks.announce(None)
        if self._begun is not None:
            self._begun.gives_way()
        self._begun = None

    def _tags(self, request: SentRequest) -> dict[str, Any]:
        shown = self._options.url_tag and self._guarded(self._options.url_tag, request.url)
        named = {
            tags.SPAN_KIND: tags.SPAN_KIND_RPC_CLIENT,
            tags.COMPONENT: self._options.component,
            tags.HTTP_METHOD: request.method,
            tags.HTTP_URL: shown,
            tags.PEER_ADDRESS: _host(redact_url(request.url)) or None,
        }
        return {name: value for name, value in named.items() if value is not None}

    def headers(self) -> Mapping[str, str]:
        """Return the headers in which the tracer wants its span to be sent on."""
        if self._begun is None or not self._options.inject:
            return {}
        carrier: dict[str, str] = {}
        self._options.tracer.inject(self._begun.span.context, Format.HTTP_HEADERS, carrier)
        return carrier

    def done(self, result: TraceResult | None) -> None:
        """Finish what is not finished, the root last."""
        for exchange in self._sent:
            self._guarded(_settle, exchange, result)
        if result is not None:
            self._guarded(self._root.set_tag, "tracedclient.trace_id", result.trace_id)
            if result.error_type is not None or _is_server_error(result.http_response_status_code):
                self._guarded(self._root.set_tag, tags.ERROR, True)
        self._guarded(self._root.finish)


def _settle(exchange: ExchangeSpan, result: TraceResult | None) -> None:
    attempts = () if result is None else result.attempts
    came = next((a for a in attempts if a.number == exchange.attempt), None)
    if came is None:
        exchange.settle(None, failed=False)
    else:
        exchange.settle(came.status, failed=came.error is not None)


def _is_server_error(status: int | None) -> bool:
    return status is not None and status >= _SERVER_ERROR


def _host(shown: str) -> str:
    """Return host and port of a redacted URL, as they are written there."""
    return shown.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]
