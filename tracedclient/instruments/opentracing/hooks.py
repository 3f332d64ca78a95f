"""Which hook is which tag, log or end of a request's span. The names are nethttp's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tracedclient.httptrace import ClientTrace
from tracedclient.redaction import printable

if TYPE_CHECKING:
    from tracedclient import httptrace
    from tracedclient.instruments.opentracing.exchange import ExchangeSpan


class Hooks(ClientTrace):
    """What every span has: the status, an error, its end.

    A call's hooks hear of every request that is sent while it runs, also of one that its body's
    generator sends by another client. Only those that were announced are this call's.
    """

    def __init__(self) -> None:
        self._announced: ExchangeSpan | None = None
        self._current: ExchangeSpan | None = None
        self._others = 0
        """Requests under way that are none of this call's."""

    def announce(self, exchange: ExchangeSpan | None) -> None:
        """The next request to be sent is that of ``exchange``; ``None``: it is none of this call's."""
        self._announced = exchange

    def returns(self) -> None:
        """The call has its answer. That of a HEAD has no body whose end would be told."""
        if self._current is not None and self._current.method == "HEAD":
            self._current.end()

    @property
    def _span(self) -> ExchangeSpan | None:
        return None if self._others else self._current

    def exchange_start(self, info: httptrace.ExchangeStartInfo) -> None:  # noqa: ARG002
        if self._announced is None:
            self._others += 1
        else:
            self._current, self._announced = self._announced, None

    def response_head(self, info: httptrace.ResponseHeadInfo) -> None:
        if span := self._span:
            span.answered(info.status)

    def body_done(self, info: httptrace.BodyDoneInfo) -> None:
        span = self._ended()
        if span is None:
            return
        if not info.complete:
            # Maybe in a finalizer, while this very thread holds a lock that the tracer needs.
            span.is_left("ClosedBody")
            return
        if span.method != "HEAD":
            span.log("ClosedBody")
        span.end()

    def failed(self, info: httptrace.FailedInfo) -> None:
        if span := self._ended():
            span.failed()
            span.log_error("Failed", info.error, phase=info.phase)
            span.end()

    def _ended(self) -> ExchangeSpan | None:
        """Return the span that ends; ``None`` when it was somebody else's request."""
        if self._others:
            self._others -= 1
            return None
        return self._current


class LoggingHooks(Hooks):
    """Besides, a log for each event that nethttp logs, and what it tags of the connection."""

    def get_conn(self, info: httptrace.GetConnInfo) -> None:
        if span := self._span:
            span.log("GetConn", hostPort=info.host_port)

    def dns_start(self, info: httptrace.DNSStartInfo) -> None:
        if span := self._span:
            span.log("DNSStart", host=printable(info.host))

    def dns_done(self, info: httptrace.DNSDoneInfo) -> None:
        if span := self._span:
            if info.error is not None:
                span.log_error("DNSDone", info.error)
            else:
                span.log("DNSDone", addr=", ".join(info.addrs))

    def connect_start(self, info: httptrace.ConnectStartInfo) -> None:
        if span := self._span:
            span.log("ConnectStart", network=info.network, addr=info.addr)

    def connect_done(self, info: httptrace.ConnectDoneInfo) -> None:
        if span := self._span:
            where = {"network": info.network, "addr": info.addr}
            if info.error is not None:
                span.log_error("ConnectDone", info.error, **where)
            else:
                span.log("ConnectDone", **where)

    def got_conn(self, info: httptrace.GotConnInfo) -> None:
        if span := self._span:
            span.tag("net/http.reused", info.reused)
            span.tag("net/http.was_idle", info.was_idle)
            span.log("GotConn")

    def wrote_headers(self, info: httptrace.WroteHeadersInfo) -> None:  # noqa: ARG002
        self._log("WroteHeaders")

    def wait_100_continue(self, info: httptrace.Wait100ContinueInfo) -> None:  # noqa: ARG002
        self._log("Wait100Continue")

    def got_100_continue(self, info: httptrace.Got100ContinueInfo) -> None:  # noqa: ARG002
        self._log("Got100Continue")

    def wrote_request(self, info: httptrace.WroteRequestInfo) -> None:
        if span := self._span:
            if info.error is not None:
                span.failed()
                span.log_error("WroteRequest", info.error)
            else:
                span.log("WroteRequest")

    def got_first_response_byte(self, info: httptrace.GotFirstResponseByteInfo) -> None:  # noqa: ARG002
        self._log("GotFirstResponseByte")

    def put_idle_conn(self, info: httptrace.PutIdleConnInfo) -> None:  # noqa: ARG002
        self._log("PutIdleConn")

    def _log(self, event: str) -> None:
        if span := self._span:
            span.log(event)
