"""What a recorder holds of a call that is still running, and how it is frozen into nouns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracedclient._infos import PutIdleConnInfo
from tracedclient.notes import BodyReads
from tracedclient.redaction import describe_error, printable
from tracedclient.trace.model import (
    DNS,
    TCP,
    TLS,
    Attempt,
    Connect,
    Connection,
    ErrorInfo,
    Exchange,
    Holder,
    Pool,
    Proxy,
)
from tracedclient.trace.timings import WRITE_FAILED, Mark, milliseconds, milliseconds_of, timings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tracedclient import httptrace
    from tracedclient._clock import Clock
    from tracedclient.host import HostSample
    from tracedclient.notes import Notes


def describe(error: BaseException | None) -> str | None:
    """Return what may be shown of ``error``, its class when its text may not."""
    return None if error is None else describe_error(error) or type(error).__name__


def error_info(error: BaseException, phase: str) -> ErrorInfo:
    """Return what may be shown of ``error``, which came up in ``phase``."""
    return ErrorInfo(type=type(error).__name__, phase=phase, message=describe_error(error))


class AttemptDraft:
    """One try under way."""

    def __init__(self, start: int, number: int) -> None:
        self.start = start
        self.ended: int | None = None
        self.told: httptrace.AttemptDoneInfo | None = None
        self._number = number
        self.exchanges: list[ExchangeDraft] = []

    def done(self, at: int, info: httptrace.AttemptDoneInfo) -> None:
        self.told, self.ended = info, at

    def freeze(self, clock: Clock, end: int) -> Attempt:
        done = self.told
        exchanges = tuple([draft.freeze(end) for draft in self.exchanges])
        failed = None
        for exchange in exchanges:
            failed = exchange.error or failed
        return Attempt(
            number=self._number,
            started_at=clock.utc(self.start),
            duration_ms=milliseconds((self.ended or end) - self.start),
            status=done.status if done else None,
            error=error_info(done.error, failed.phase if failed else "receive")
            if done and done.error
            else failed,
            retry=bool(done and done.retry),
            reason=done.reason if done else None,
            sleep_ms=milliseconds_of(done.sleep) if done and done.retry else None,
            retry_after_ms=done.retry_after * 1e3 if done and done.retry_after else None,
            exchanges=exchanges,
        )


def marks_of(notes: Notes) -> list[Mark]:
    """Return the marks that the hooks would have left."""
    written = WRITE_FAILED if notes.write_failed else "wrote_headers"
    times = [("got_conn", notes.got_conn_at), (written, notes.wrote_at)]
    times += [("wrote_request", notes.wrote_at), ("got_first_response_byte", notes.first_byte_at)]
    times += [("response_head", notes.head_at), ("put_idle_conn", notes.put_at)]
    times += [("body_done", notes.body_done_at)]
    return [Mark(hook, at) for hook, at in times if at]


def host_used(
    before: HostSample | None, after: HostSample | None
) -> tuple[float | None, float | None]:
    """Return the milliseconds that the thread was on the CPU, and that the process was kept off it."""
    if after is None or before is None:
        return None, None
    throttled = None
    if after.throttled_us is not None and before.throttled_us is not None:
        throttled = (after.throttled_us - before.throttled_us) / 1000
    return milliseconds(after.thread_cpu_ns - before.thread_cpu_ns), throttled


def body_reads(notes: Notes) -> BodyReads:
    """Return what was counted of the body after the head."""
    reads = BodyReads(notes.head_at)
    for size, waited, at in notes.body_reads:
        reads.count(size, at - int(waited * 1e9), at)
    return reads


def traffic(notes: Notes, end: int) -> tuple[int, int, int, int]:
    """Return what ``ExchangeDraft`` counts of an exchange that was noted whole and ended then: bytes
    and reads, the longest silence and the reader's own time in nanoseconds.
    """
    reads = body_reads(notes)
    silence = max(int(notes.longest_silence * 1e9), reads.longest_silence)
    received, count = notes.bytes_read + reads.size, notes.reads + reads.reads
    return received, count, silence, reads.readers_time + end - reads.read_at


class ExchangeDraft:
    """One exchange under way: the marks of its events, and the facts they brought."""

    span_id: str | None = None
    connects: tuple[Connect, ...] = ()
    tls: tuple[TLS, ...] = ()
    stale: tuple[str, ...] = ()
    interim: tuple[int, ...] = ()
    dns: DNS | None = None
    proxy: Proxy | None = None
    got_conn: httptrace.GotConnInfo | None = None
    put_idle_conn: httptrace.PutIdleConnInfo | None = None
    buffered: float | None = None
    tcp: TCP | None = None
    pool: Pool | None = None
    status: int | None = None
    http_version: str | None = None
    bytes_sent: int | None = None
    writes: int | None = None
    body_complete: bool | None = None
    body_abandoned: bool | None = None
    error: ErrorInfo | None = None
    ended: int | None = None
    host_before: HostSample | None = None
    _host_after: HostSample | None = None
    received = 0
    reads: int | None = None
    _read_at = 0
    longest_silence = 0
    readers_time = 0

    def __init__(self, clock: Clock, start: int, method: str, url: str) -> None:
        self._clock = clock
        self.start = start
        self.method = printable(method)
        self.url = url
        self.marks: list[Mark] = []
        self.connecting: dict[str, int] = {}

    def mark(self, hook: str, at: int) -> None:
        """Note that it has come to ``hook`` by then."""
        self.marks.append(Mark(hook, at))

    def waits_for(self, holders: Sequence[httptrace.Holder]) -> None:
        """Note who holds the connections that this exchange waits for."""
        held = tuple(
            Holder(trace_id=h.trace_id, age_ms=milliseconds_of(h.age), phase=h.phase)
            for h in holders
        )
        if self.pool is not None:
            self.pool = msgspec.structs.replace(self.pool, holders=held)

    def head_read(self, now: int, head: httptrace.ResponseHeadInfo) -> None:
        """Take what was read until the end of the final head."""
        self.status, self.http_version = head.status, head.version
        self._head_read(head, now)

    def _head_read(self, head: httptrace.ResponseHeadInfo | Notes, now: int) -> None:
        self.received = head.bytes_read
        self.reads = head.reads
        self.longest_silence = int(head.longest_silence * 1e9)
        self._read_at = now

    def take(self, notes: Notes) -> None:
        """Take what was noted since the connection was there, as the hooks would have told it."""
        self.marks += marks_of(notes)
        self.got_conn = notes.conn
        if notes.wrote_at:
            self.bytes_sent, self.writes = notes.bytes_sent, int(not notes.write_failed)
        self.buffered = notes.buffered
        if notes.head_at:
            self.status, self.http_version = notes.status, "1.1"
            self._head_read(notes, notes.head_at)
        if notes.body_reads:
            self.take_reads(body_reads(notes))
        if notes.put_at:
            self.put_idle_conn = PutIdleConnInfo(conn_id=notes.conn.conn_id, error=notes.not_kept)
        if notes.body_done_at:
            self.body_complete = True
            self.tcp = notes.tcp

    def take_reads(self, reads: BodyReads) -> None:
        """Take what ``body_read`` would have counted."""
        self.readers_time += reads.readers_time
        self.received += reads.size
        self.reads = (self.reads or 0) + reads.reads
        self.longest_silence = max(self.longest_silence, reads.longest_silence)
        self._read_at = reads.read_at

    def end(self, at: int, host_after: HostSample | None) -> None:
        """It ended then, for the first time if that was not before; ``None``: it did in another thread."""
        if self.ended is None:
            self.ended = at
            if self.body_complete is not None and self._read_at:
                self.readers_time += at - self._read_at
            self._host_after = host_after

    def freeze(self, call_end: int) -> Exchange:
        end = self.ended or call_end
        utc = self._clock.utc
        cpu, throttled = host_used(self.host_before, self._host_after)
        return Exchange(
            method=self.method,
            url=self.url,
            span_id=self.span_id,
            started_at=utc(self.start),
            duration_ms=milliseconds(end - self.start),
            status=self.status,
            http_version=self.http_version,
            error=self.error,
            ms=timings(self.marks, self.start, end, self.readers_time),
            connection=self._connection(),
            pool=self.pool,
            dns=self.dns,
            connects=self.connects,
            proxy=self.proxy,
            tls=self.tls,
            interim=self.interim,
            bytes_sent=self.bytes_sent,
            writes=self.writes,
            bytes_received=None if self.reads is None else self.received,
            reads=self.reads,
            buffered_ms=None if self.buffered is None else milliseconds_of(self.buffered),
            tcp=self.tcp,
            cpu_ms=cpu,
            throttled_ms=throttled,
            longest_silence_ms=milliseconds(self.longest_silence) if self.reads else None,
            body_complete=self.body_complete,
            body_abandoned=self.body_abandoned,
            events=self._clock.events(self.marks),
        )

    def _why_not_returned(self) -> str | None:
        if self.put_idle_conn is not None:
            return self.put_idle_conn.error
        if self.error is not None:
            return "the exchange failed"
        if self.body_complete is False:
            return "the body was not read to its end"
        return "one side asked for it to be closed" if self.body_complete else None

    def _connection(self) -> Connection | None:
        got, put = self.got_conn, self.put_idle_conn
        if got is None:
            return None
        return Connection(
            id=got.conn_id,
            reused=got.reused,
            age_ms=milliseconds_of(got.age),
            uses=got.uses,
            idle_ms=None if got.idle_time is None else milliseconds_of(got.idle_time),
            local=got.local,
            remote=got.remote,
            returned=put is not None and put.error is None if self.ended else None,
            not_returned=self._why_not_returned(),
            stale_discarded=len(self.stale) or None,
            stale_reason=self.stale[-1] if self.stale else None,
        )
