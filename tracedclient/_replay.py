"""A recorder's journal → the drafts of its attempts: what each event means for the record.

Here facts are redacted. The journal has what the hooks were given, and for the first and last event
of an exchange what this thread and process had used by then.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import requests
from msgspec.structs import replace
from requests.exceptions import UnrewindableBodyError

from tracedclient._drafts import AttemptDraft, ExchangeDraft, describe, error_info
from tracedclient.errors import (
    AddressRefused,
    CircuitOpen,
    ClientClosed,
    ResponseTooLarge,
    UnusableTLSFile,
)
from tracedclient.redaction import printable, redact_text, redact_url
from tracedclient.trace.model import DNS, TLS, Connect, Pool, Proxy
from tracedclient.trace.timings import WRITE_FAILED, milliseconds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracedclient import httptrace
    from tracedclient._clock import Clock
    from tracedclient.host import HostSample
    from tracedclient.notes import BodyReads, Notes

    Entry = tuple[str, int, Any]
    """A hook, when it was called in nanoseconds of ``time.perf_counter_ns``, and what it was given;
    beside that a ``HostSample`` or ``None`` where an exchange begins or ends.
    """


class Replay:
    """Plays a journal; ``attempts`` are what it tells of."""

    def __init__(self, clock: Clock, url: str | None, shown_url: str | None) -> None:
        self._clock = clock
        self._url, self._shown_url = url, shown_url
        self.attempts: list[AttemptDraft] = []
        self._exchange = ExchangeDraft(clock, clock.start, "", "")

    def play(self, journal: Iterable[Entry]) -> Replay:
        """Go through it, and return this."""
        for hook, at, info in journal:
            getattr(self, hook)(at, info)
        return self

    def phase_of(self, error: BaseException) -> str:
        """Return in which phase the call ended with ``error``."""
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

    # --- attempts and exchanges ---------------------------------------------------------------

    def attempt_start(self, at: int, info: httptrace.AttemptStartInfo) -> None:
        self.attempts.append(AttemptDraft(at, info.number))

    def attempt_done(self, at: int, info: httptrace.AttemptDoneInfo) -> None:
        self.attempts[-1].done(at, info)

    def exchange_start(
        self, at: int, begun: tuple[httptrace.ExchangeStartInfo, HostSample]
    ) -> None:
        info, before = begun
        url = self._shown_url if info.url == self._url else None
        self._exchange = draft = ExchangeDraft(
            self._clock, at, info.method, redact_url(info.url) if url is None else url
        )
        draft.span_id = info.span_id
        draft.host_before = before
        draft.mark("exchange_start", at)
        if info.proxy is not None:
            draft.proxy = Proxy(url=redact_url(info.proxy))
        if not self.attempts:
            self.attempts.append(AttemptDraft(at, 1))
        self.attempts[-1].exchanges.append(draft)

    def redirected(self, at: int, _: httptrace.RedirectedInfo) -> None:
        self._exchange.mark("redirected", at)

    # --- the connection -----------------------------------------------------------------------

    def get_conn(self, at: int, info: httptrace.GetConnInfo) -> None:
        self._exchange.mark("get_conn", at)
        self._exchange.pool = Pool(in_use=info.in_use, idle=info.idle, limit=info.limit)

    def pool_wait_start(self, at: int, info: httptrace.PoolWaitStartInfo) -> None:
        self._exchange.mark("pool_wait_start", at)
        self._exchange.waits_for(info.holders)

    def pool_wait_done(self, at: int, _: httptrace.PoolWaitDoneInfo) -> None:
        self._exchange.mark("pool_wait_done", at)

    def stale_conn_discarded(self, at: int, info: httptrace.StaleConnDiscardedInfo) -> None:
        self._exchange.mark("stale_conn_discarded", at)
        self._exchange.stale += (info.reason,)

    def dns_start(self, at: int, info: httptrace.DNSStartInfo) -> None:
        self._exchange.mark("dns_start", at)
        self._exchange.dns = DNS(host=printable(info.host))

    def dns_done(self, at: int, info: httptrace.DNSDoneInfo) -> None:
        self._exchange.mark("dns_done", at)
        self._exchange.dns = looked_up(info)

    def connect_start(self, at: int, info: httptrace.ConnectStartInfo) -> None:
        self._exchange.mark("connect_start", at)
        self._exchange.connecting[info.addr] = at

    def connect_done(self, at: int, info: httptrace.ConnectDoneInfo) -> None:
        self._exchange.mark("connect_done", at)
        since = self._exchange.connecting.pop(info.addr, at)
        tried = Connect(addr=info.addr, ms=milliseconds(at - since), error=describe(info.error))
        self._exchange.connects += (tried,)

    def proxy_connect_start(self, at: int, _: httptrace.ProxyConnectStartInfo) -> None:
        self._exchange.mark("proxy_connect_start", at)

    def proxy_connect_done(self, at: int, info: httptrace.ProxyConnectDoneInfo) -> None:
        self._exchange.mark("proxy_connect_done", at)
        self._exchange.proxy = Proxy(
            url=self._exchange.proxy.url if self._exchange.proxy else "",
            target=info.target,
            status=info.status,
            error=describe(info.error),
        )

    def tls_handshake_start(self, at: int, _: httptrace.TLSHandshakeStartInfo) -> None:
        self._exchange.mark("tls_handshake_start", at)

    def tls_handshake_done(self, at: int, info: httptrace.TLSHandshakeDoneInfo) -> None:
        self._exchange.mark("tls_handshake_done", at)
        self._exchange.tls += (agreed(info),)

    def got_conn(self, at: int, info: httptrace.GotConnInfo) -> None:
        self._exchange.mark("got_conn", at)
        self._exchange.got_conn = info

    def put_idle_conn(self, at: int, info: httptrace.PutIdleConnInfo) -> None:
        self._exchange.mark("put_idle_conn", at)
        self._exchange.put_idle_conn = info

    # --- the request and its answer -----------------------------------------------------------

    def wrote_headers(self, at: int, _: httptrace.WroteHeadersInfo) -> None:
        self._exchange.mark("wrote_headers", at)

    def wait_100_continue(self, at: int, _: httptrace.Wait100ContinueInfo) -> None:
        self._exchange.mark("wait_100_continue", at)

    def got_100_continue(self, at: int, _: httptrace.Got100ContinueInfo) -> None:
        self._exchange.mark("got_100_continue", at)

    def wrote_request(self, at: int, info: httptrace.WroteRequestInfo) -> None:
        self._exchange.mark("wrote_request", at)
        self._exchange.bytes_sent = info.bytes_sent
        self._exchange.writes = info.writes
        if info.error is not None:
            self._exchange.mark(WRITE_FAILED, at)

    def got_first_response_byte(self, at: int, info: httptrace.GotFirstResponseByteInfo) -> None:
        self._exchange.mark("got_first_response_byte", at)
        self._exchange.buffered = info.buffered

    def got_1xx_response(self, at: int, info: httptrace.Got1xxResponseInfo) -> None:
        self._exchange.mark("got_1xx_response", at)
        self._exchange.interim += (info.status,)

    def response_head(self, at: int, info: httptrace.ResponseHeadInfo) -> None:
        self._exchange.mark("response_head", at)
        self._exchange.head_read(at, info)

    def noted(self, at: int, ended: tuple[Notes, HostSample | None]) -> None:
        notes, after = ended
        self._exchange.take(notes)
        if notes.body_done_at:
            self._exchange.end(at, after)

    def body_noted(self, _: int, reads: BodyReads) -> None:
        self._exchange.take_reads(reads)

    def body_done(self, at: int, ended: tuple[httptrace.BodyDoneInfo, HostSample | None]) -> None:
        info, after = ended
        self._exchange.mark("body_done", at)
        self._exchange.body_complete = info.complete
        self._exchange.tcp = info.tcp
        self._exchange.end(at, after)

    def abandoned(self, _: int, __: None) -> None:
        self._exchange.body_abandoned = True

    def failed(self, at: int, ended: tuple[httptrace.FailedInfo, HostSample | None]) -> None:
        info, after = ended
        self._exchange.mark("failed", at)
        self._exchange.error = error_info(info.error, info.phase)
        self._exchange.tcp = info.tcp
        self._exchange.end(at, after)


_OUTSIDE_OF_EXCHANGES = (
    (CircuitOpen, "circuit"),
    (AddressRefused, "prepare"),
    (UnusableTLSFile, "prepare"),
    (UnrewindableBodyError, "prepare"),
    (ClientClosed, "sleep"),
)
_OF_A_BODY = (requests.exceptions.ContentDecodingError, ResponseTooLarge)


def looked_up(info: httptrace.DNSDoneInfo) -> DNS:
    """Return what a lookup brought."""
    return DNS(
        host=printable(info.host),
        addrs=info.addrs,
        error=describe(info.error),
        resolver=info.resolver,
    )


def agreed(info: httptrace.TLSHandshakeDoneInfo) -> TLS:
    """Return how a handshake went."""
    state = info.state
    if state is None:
        return TLS(
            server_name=printable(info.server_name), proxy=info.proxy, error=describe(info.error)
        )
    found = _agreed(info.server_name, info.proxy, state)
    return found if info.error is None else replace(found, error=describe(info.error))


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
