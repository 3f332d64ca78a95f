"""The ``ClientTrace`` that builds a ``TraceResult``: the only mutable thing of a trace.

One recorder per ``do()``. Facts are redacted as they come in; durations and the verdict are
computed when the record is finished. Hooks of one exchange never overlap, so only the end needs a
lock: a streamed body may be read and closed in another thread than the one that made the request.
"""

from __future__ import annotations

import os
import socket
from functools import cache, lru_cache
from threading import Lock
from typing import TYPE_CHECKING

import requests
from msgspec.structs import replace
from requests.exceptions import UnrewindableBodyError

from tracedclient._clock import Clock
from tracedclient._drafts import AttemptDraft, ExchangeDraft, describe, error_info
from tracedclient._usual import Ended, figures, usual_notes
from tracedclient._version import __version__
from tracedclient.errors import AddressRefused, CircuitOpen, ClientClosed, ResponseTooLarge
from tracedclient.httptrace import NoteTaker
from tracedclient.redaction import printable, redact_text, redact_url
from tracedclient.trace.decision import BY_CALL, Decision
from tracedclient.trace.model import DNS, TLS, Connect, Pool, Proxy, TraceResult
from tracedclient.trace.summary import origin, summarise
from tracedclient.trace.timings import WRITE_FAILED, milliseconds
from tracedclient.trace.usual import Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from tracedclient import httptrace
    from tracedclient.baseline import Baseline
    from tracedclient.notes import BodyReads, Notes


class Recorder(NoteTaker):
    """Collects what happens during one call; ``finish`` makes a ``TraceResult`` of it."""

    def __init__(
        self,
        trace_id: str,
        *,
        method: str | None,
        url: str | None,
        service: str = "",
        decision: Decision = BY_CALL,
        parent_span_id: str | None = None,
        baseline: Baseline | None = None,
    ) -> None:
        self.trace_id = trace_id
        self._method = method
        self._given_url = url
        self._url = redact_url(url) if url else None
        self._service = service
        self.decision = decision
        self._parent_span_id = parent_span_id
        self._baseline = baseline
        self._clock = Clock()
        self._attempts: list[AttemptDraft] = []
        self._exchange = ExchangeDraft(self._clock, "", "")
        self.failure: BaseException | None = None
        """What the last exchange failed with, if it did."""
        self._lock = Lock()
        self._when_body_done: Callable[[], None] | None = None
        self._ended = 0
        self._status: int | None = None
        self._error: BaseException | None = None
        self._pid = 0
        self._place = ""
        self._result: TraceResult | None = None
        self._is_learnt = False

    # --- attempts and exchanges ---------------------------------------------------------------

    def attempt_start(self, info: httptrace.AttemptStartInfo) -> None:
        self._attempts.append(AttemptDraft(self._clock, info.number))

    def attempt_done(self, info: httptrace.AttemptDoneInfo) -> None:
        self._attempts[-1].done(info)

    def exchange_start(self, info: httptrace.ExchangeStartInfo) -> None:
        url = self._url if info.url == self._given_url else None
        self._exchange = draft = ExchangeDraft(
            self._clock, info.method, redact_url(info.url) if url is None else url
        )
        self.failure = None
        draft.span_id = info.span_id
        draft.begin()
        if info.proxy is not None:
            draft.proxy = Proxy(url=redact_url(info.proxy))
        if not self._attempts:
            self._attempts.append(AttemptDraft(self._clock, 1))
        self._attempts[-1].exchanges.append(draft)

    def redirected(self, info: httptrace.RedirectedInfo) -> None:
        self._exchange.mark("redirected")

    # --- the connection -----------------------------------------------------------------------

    def get_conn(self, info: httptrace.GetConnInfo) -> None:
        self._exchange.mark("get_conn")
        self._exchange.pool = Pool(in_use=info.in_use, idle=info.idle, limit=info.limit)

    def pool_wait_start(self, info: httptrace.PoolWaitStartInfo) -> None:
        self._exchange.mark("pool_wait_start")
        self._exchange.waits_for(info.holders)

    def pool_wait_done(self, info: httptrace.PoolWaitDoneInfo) -> None:
        self._exchange.mark("pool_wait_done")

    def stale_conn_discarded(self, info: httptrace.StaleConnDiscardedInfo) -> None:
        self._exchange.mark("stale_conn_discarded")
        self._exchange.stale += (info.reason,)

    def dns_start(self, info: httptrace.DNSStartInfo) -> None:
        self._exchange.mark("dns_start")
        self._exchange.dns = DNS(host=printable(info.host))

    def dns_done(self, info: httptrace.DNSDoneInfo) -> None:
        self._exchange.mark("dns_done")
        self._exchange.dns = DNS(
            host=printable(info.host),
            addrs=info.addrs,
            error=describe(info.error),
            resolver=info.resolver,
        )

    def connect_start(self, info: httptrace.ConnectStartInfo) -> None:
        self._exchange.connecting[info.addr] = self._exchange.mark("connect_start")

    def connect_done(self, info: httptrace.ConnectDoneInfo) -> None:
        at = self._exchange.mark("connect_done")
        since = self._exchange.connecting.pop(info.addr, at)
        tried = Connect(addr=info.addr, ms=milliseconds(at - since), error=describe(info.error))
        self._exchange.connects += (tried,)

    def proxy_connect_start(self, info: httptrace.ProxyConnectStartInfo) -> None:
        self._exchange.mark("proxy_connect_start")

    def proxy_connect_done(self, info: httptrace.ProxyConnectDoneInfo) -> None:
        self._exchange.mark("proxy_connect_done")
        self._exchange.proxy = Proxy(
            url=self._exchange.proxy.url if self._exchange.proxy else "",
            target=info.target,
            status=info.status,
            error=describe(info.error),
        )

    def tls_handshake_start(self, info: httptrace.TLSHandshakeStartInfo) -> None:
        self._exchange.mark("tls_handshake_start")

    def tls_handshake_done(self, info: httptrace.TLSHandshakeDoneInfo) -> None:
        self._exchange.mark("tls_handshake_done")
        self._exchange.tls += (_tls(info),)

    def got_conn(self, info: httptrace.GotConnInfo) -> None:
        self._exchange.mark("got_conn")
        self._exchange.got_conn = info

    def put_idle_conn(self, info: httptrace.PutIdleConnInfo) -> None:
        self._exchange.mark("put_idle_conn")
        self._exchange.put_idle_conn = info

    # --- the request and its answer -----------------------------------------------------------

    def wrote_headers(self, info: httptrace.WroteHeadersInfo) -> None:
        self._exchange.mark("wrote_headers")

    def wait_100_continue(self, info: httptrace.Wait100ContinueInfo) -> None:
        self._exchange.mark("wait_100_continue")

    def got_100_continue(self, info: httptrace.Got100ContinueInfo) -> None:
        self._exchange.mark("got_100_continue")

    def wrote_request(self, info: httptrace.WroteRequestInfo) -> None:
        self._exchange.mark("wrote_request")
        self._exchange.bytes_sent = info.bytes_sent
        self._exchange.writes = info.writes
        if info.error is not None:
            self._exchange.mark(WRITE_FAILED)

    def got_first_response_byte(self, info: httptrace.GotFirstResponseByteInfo) -> None:
        self._exchange.mark("got_first_response_byte")
        self._exchange.buffered = info.buffered

    def got_1xx_response(self, info: httptrace.Got1xxResponseInfo) -> None:
        self._exchange.mark("got_1xx_response")
        self._exchange.interim += (info.status,)

    def response_head(self, info: httptrace.ResponseHeadInfo) -> None:
        self._exchange.mark("response_head")
        self._exchange.head_read(info)

    def body_read(self, info: httptrace.BodyReadInfo) -> None:
        self._exchange.body_read(info.size, info.waited, self._clock.now())

    def body_done(self, info: httptrace.BodyDoneInfo) -> None:
        self._exchange.mark("body_done")
        self._exchange.body_complete = info.complete
        self._exchange.tcp = info.tcp
        self._end_exchange()

    def failed(self, info: httptrace.FailedInfo) -> None:
        self._exchange.mark("failed")
        self.failure = info.error
        self._exchange.error = error_info(info.error, info.phase)
        self._exchange.tcp = info.tcp
        self._end_exchange()

    def noted(self, notes: Notes) -> None:
        self._exchange.take(notes)
        if notes.body_done_at:
            self._end_exchange()

    def body_noted(self, reads: BodyReads) -> None:
        self._exchange.take_reads(reads)

    def _end_exchange(self) -> None:
        self._exchange.end()
        with self._lock:
            call, self._when_body_done = self._when_body_done, None
        if call is not None:
            call()

    # --- the end ------------------------------------------------------------------------------

    def when_body_done(self, call: Callable[[], None]) -> None:
        """Call ``call`` once the body of the current exchange is read or closed; now if it is."""
        with self._lock:
            if self._exchange.body_complete is None and self._exchange.error is None:
                self._when_body_done = call
                return
        call()

    def abandoned(self) -> bool:
        """Note that nobody holds the answer any more; return whether its body was left unread."""
        draft = self._exchange
        is_left = draft.body_complete is False and draft.error is None
        if is_left:
            draft.body_abandoned = True
        return is_left

    def end(self, status: int | None, error: BaseException | None) -> bool:
        """The call has ended so: its record is as it will be. False when it had ended before."""
        with self._lock:
            if self._ended:
                return False
            self._ended = self._clock.now()
        self._status, self._error = status, error
        self._pid = os.getpid()
        self._place = origin(self._url or "")
        return True

    def finish(self, status: int | None, error: BaseException | None) -> TraceResult | None:
        """Return the finished record; ``None`` when the call had ended before."""
        return self.result() if self.end(status, error) else None

    def usual_line(self) -> str | None:
        """Return the line of the record, where that can be had without the record. Once.

        ``None`` when anything was remarkable. The record itself is still ``result``'s to give.
        """
        notes = usual_notes(self._attempts, self._status, self._url)
        if self._error is not None or notes is None:
            return None
        decision = self.decision
        constants = (
            *(self._service, self._method, self._place, self._pid),
            *(decision.source, decision.rule, decision.revision),
        )
        ended = Ended(
            self.trace_id,
            self._parent_span_id,
            self._clock,
            self._attempts[0],
            self._ended,
            constants,
        )
        found = figures(ended, notes)
        if found is None:
            return None
        shape, filling, duration_ms, phases = found
        line = _lines.line(shape, filling, self.result)
        if self._baseline is not None and not self._is_learnt:
            self._is_learnt = True
            self._baseline.count(self._place, duration_ms, phases)
        return line

    def result(self) -> TraceResult:
        """Return the record of the call, which has ended."""
        with self._lock:
            if self._result is None:
                self._result = self._summarised()
                if self._baseline is not None and not self._is_learnt:
                    self._is_learnt = True
                    self._baseline.learn(self._place, self._result)
            return self._result

    def _summarised(self) -> TraceResult:
        status, error, end = self._status, self._error, self._ended
        attempts = tuple([draft.freeze(end) for draft in self._attempts])
        duration_ms = milliseconds(end - self._clock.start)
        place = self._place
        return summarise(
            attempts,
            outcome=_outcome(status, error),
            status=status,
            error=None if error is None else error_info(error, self._phase_of(error)),
            trace_id=self.trace_id,
            parent_span_id=self._parent_span_id,
            started_at=self._clock.utc(self._clock.start),
            duration_ms=duration_ms,
            usual=None if self._baseline is None else self._baseline.usual(place, duration_ms),
            http_request_method=_shown(self._method),
            url_full=self._url,
            # The caller's names for things may be no text that JSON can hold.
            service_name=printable(self._service) or None,
            debug_source=printable(self.decision.source),
            debug_rule=_shown(self.decision.rule),
            debug_revision=_shown(self.decision.revision),
            host_name=_host_name(),
            process_pid=self._pid,
            client_version=__version__,
        )

    def _phase_of(self, error: BaseException) -> str:
        for kind, phase in _OUTSIDE_OF_EXCHANGES:
            if isinstance(error, kind):
                return phase
        draft = self._exchange
        if draft.error is not None:
            return draft.error.phase
        if not draft.marks:
            return "prepare"
        if len(draft.marks) == 1:
            # It met no connection of ours: a tool for tests answered in the adapter's place.
            return "unknown"
        after_the_body = draft.body_complete and not isinstance(error, _OF_A_BODY)
        return "redirect" if after_the_body else "receive"


_OUTSIDE_OF_EXCHANGES = (
    (CircuitOpen, "circuit"),
    (AddressRefused, "prepare"),
    (UnrewindableBodyError, "prepare"),
    (ClientClosed, "sleep"),
)
_OF_A_BODY = (requests.exceptions.ContentDecodingError, ResponseTooLarge)


def _outcome(status: int | None, error: BaseException | None) -> str:
    if error is None:
        return "ok" if status is not None and status < 400 else "http_error"
    if not isinstance(error, Exception):
        return "cancelled"
    if isinstance(error, requests.TooManyRedirects):
        return "too_many_redirects"
    if isinstance(error, (requests.Timeout, TimeoutError)):
        return "timeout"
    return "other"


def _tls(info: httptrace.TLSHandshakeDoneInfo) -> TLS:
    state = info.state
    if state is None:
        return TLS(
            server_name=printable(info.server_name), proxy=info.proxy, error=describe(info.error)
        )
    agreed = _agreed(info.server_name, info.proxy, state)
    return agreed if info.error is None else replace(agreed, error=describe(info.error))


@lru_cache(maxsize=256)
def _agreed(server_name: str, proxy: bool, state: httptrace.TLSState) -> TLS:
    """What two handshakes with one peer have in common; nearly always all of it."""
    return TLS(
        server_name=printable(server_name),
        version=state.version,
        cipher=state.cipher,
        alpn=state.alpn,
        resumed=state.resumed,
        verified=state.verified,
        subject=redact_text(state.subject) if state.subject else None,
        issuer=redact_text(state.issuer) if state.issuer else None,
        not_after=state.not_after,
        alt_names=tuple(printable(name) for name in state.alt_names),
        proxy=proxy,
    )


def _shown(text: str | None) -> str | None:
    return None if text is None else printable(text)


_lines = Lines()


@cache
def _host_name() -> str:
    return printable(socket.gethostname())
