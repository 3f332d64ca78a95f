"""Reading an answer: its 1xx are skipped and bounded, its first byte, head and end are told.

``http.client`` takes any 1xx but 100 for the final answer. The real answer then stays in the
connection, and the next request on it gets the previous one's body. Here every 1xx but 101 is
read and left behind (RFC 9110 §15.2), with or without a trace, at most so many and so large.
It takes the end of the connection for the end of a head, too, and so half a head for an answer
with an empty body. Here that is an error (RFC 9112 §8).
"""

from __future__ import annotations

import http.client
import io
import sys
import time
import weakref
from typing import TYPE_CHECKING, Any

from tracedclient.httptrace import (
    BodyDoneInfo,
    BodyReadInfo,
    FailedInfo,
    Got1xxResponseInfo,
    Got100ContinueInfo,
    GotFirstResponseByteInfo,
    ResponseHeadInfo,
)
from tracedclient.transport.begun import Begun, Meter, Replay
from tracedclient.transport.bounded import READ_AHEAD, keep_deadline
from tracedclient.transport.discreet import settle_malformed
from tracedclient.transport.failure import WireFacts, attach
from tracedclient.transport.kernel import arrival

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    import urllib3

    from tracedclient.httptrace import ClientTrace
    from tracedclient.trace.model import TCP

MAX_INTERIM = 32
"""1xx answers before the final one; real servers send one or two."""

MAX_INTERIM_BYTES = 256 * 1024
"""Bytes of all their headers together."""

MAX_HEAD_BYTES = 256 * 1024
"""Bytes of one head; http.client would take a hundred lines of 64 KiB."""

_CONTINUE = 100
_SWITCHING_PROTOCOLS = 101
_WITHOUT_BODY = (204, 304)
_HTTP_10 = 10


class TooManyInterimResponses(http.client.HTTPException):
    """The server sends 1xx answers without end."""


class TooLargeHead(http.client.HTTPException):
    """A head without end."""


class HeadCutOff(http.client.HTTPException):
    """The connection ended before the head did."""


class InterimResponseRefused(http.client.HTTPException):
    """A ``got_1xx_response`` hook returned an exception."""


def _is_interim(status: int) -> bool:
    return 100 <= status < 200 and status != _SWITCHING_PROTOCOLS


def _nothing() -> None:
    return None


class HTTPResponse(http.client.HTTPResponse):
    """One answer on the wire; ``trace`` hears of its first byte, its head and its end."""

    peer: str | None = None
    """The address that it came from; empty when only a proxy knows."""

    def __init__(
        self,
        sock: socket.socket,
        *args: Any,
        trace: ClientTrace | None = None,
        reused: bool = False,
        kernel: Callable[[], TCP | None] = _nothing,
        written_at: int = 0,
        must_close: bool = False,
        begun: Begun | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(sock, *args, **kwargs)
        self._client_trace = trace
        self._reused = reused
        self._kernel = kernel
        self._reader: _TracedReader | None = None
        self._owner: Callable[[], urllib3.HTTPResponse | None] = _nothing
        self._interim_count = 0
        self._interim_bytes = 0
        self._final_status: tuple[str, int, str] | None = None
        self._must_close = must_close
        self._in_body = False
        self._closing = False
        if isinstance(self.fp, io.BufferedReader) and not (trace is None and begun is None):
            raw: io.RawIOBase = self.fp.detach()
            if trace is not None:
                raw = self._reader = _TracedReader(
                    raw, trace, sock, answered=reused, written_at=written_at
                )
            if begun is not None:
                raw = self._go_on(raw, begun)
            self.fp = io.BufferedReader(raw, READ_AHEAD)

    def _go_on(self, raw: io.RawIOBase, begun: Begun) -> io.RawIOBase:
        """Read on where somebody else has stopped."""
        self._in_body = begun.in_body
        if self._reader is not None:
            self._reader.go_on(begun)
        return Replay(raw, begun)

    def bind(self, owner: urllib3.HTTPResponse) -> None:
        """Learn who decodes the chunks, and holds the connection that this answer came on."""
        self._owner = weakref.ref(owner)  # each must be able to go without the other

    # --- the head -----------------------------------------------------------------------------

    def wait_for_continue(self, sock: socket.socket, timeout: float) -> bool | None:
        """Wait for the word on a body that is held back (RFC 9110 §10.1.1).

        True for a 100: send it. False for a final answer, which ``begin`` then takes: do not send
        it. None when nothing came within ``timeout`` seconds: send it, and drop this object.
        """
        usual = sock.gettimeout()
        sock.settimeout(timeout if usual is None else min(timeout, usual))
        try:
            self.fp.peek(1)
        except TimeoutError:
            return None
        finally:
            sock.settimeout(usual)
        return self._read_until_continue()

    def _read_until_continue(self) -> bool:
        while True:
            line = super()._read_status()  # type: ignore[misc]
            if not _is_interim(line[1]):
                self._final_status = line
                # The body that was announced will not come: nothing else fits on this connection.
                self._must_close = True
                return False
            if line[1] == _CONTINUE and self._client_trace is not None:
                self._client_trace.got_100_continue(Got100ContinueInfo())
            self._leave_behind(line[1])
            if line[1] == _CONTINUE:
                return True

    def _read_status(self) -> tuple[str, int, str]:
        line: tuple[str, int, str] = self._final_status or super()._read_status()  # type: ignore[misc]
        self._final_status = None
        while _is_interim(line[1]):
            self._leave_behind(line[1])
            line = super()._read_status()  # type: ignore[misc]
        return line

    def _leave_behind(self, status: int) -> None:
        """Read the rest of an interim answer; raise when there were too many, or one is refused."""
        headers = http.client.parse_headers(self.fp)
        self._interim_count += 1
        self._interim_bytes += sum(len(name) + len(value) for name, value in headers.items())
        if self._interim_count > MAX_INTERIM or self._interim_bytes > MAX_INTERIM_BYTES:
            raise TooManyInterimResponses(
                f"more than {MAX_INTERIM} interim answers, or {MAX_INTERIM_BYTES} bytes of them"
            )
        if self._client_trace is not None:
            info = Got1xxResponseInfo(status=status, headers=tuple(headers.items()))
            refusal = self._client_trace.got_1xx_response(info)
            if refusal is not None:
                raise InterimResponseRefused(f"a hook refused the {status}") from refusal

    def begin(self, **kwargs: Any) -> None:
        self._read_head(**kwargs)
        if self._must_close:
            self.will_close = True
        if self._client_trace is not None and not self._in_body:
            self._tell_head(self._client_trace)

    def _read_head(self, **kwargs: Any) -> None:
        lines: Any = _Lines(self.fp)
        reader, self.fp = self.fp, lines
        try:
            super().begin(**kwargs)
        finally:
            if self.fp is lines:
                self.fp = reader
        if lines.last == b"":
            self._close_conn()
            raise HeadCutOff("the connection ended in the middle of the answer's head")
        settle_malformed(self.headers)

    def _tell_head(self, trace: ClientTrace) -> None:
        self._in_body = True
        reader = self._reader
        trace.response_head(
            ResponseHeadInfo(
                status=self.status,
                reason=self.reason,
                version="1.0" if self.version == _HTTP_10 else "1.1",
                headers=tuple(self.headers.items()),
                bytes_read=reader.meter.bytes_read if reader else 0,
                reads=reader.meter.reads if reader else 0,
                longest_silence=reader.meter.longest_silence if reader else 0.0,
            )
        )
        if reader is not None:
            reader.in_body = True

    # --- the body -----------------------------------------------------------------------------

    def close(self) -> None:
        self._closing = True
        super().close()

    def _close_conn(self) -> None:
        complete = self._is_complete()
        # Before the socket goes: afterwards the kernel has forgotten it.
        tcp = self._kernel() if self._in_body else None
        self._kernel = _nothing
        super()._close_conn()  # type: ignore[misc]
        trace, self._client_trace = self._client_trace, None
        if trace is None or not self._in_body:
            return
        failure = None if complete else self._failure()
        # It leads to the trace, and the idle connection keeps this answer until the next request.
        self._reader = None
        if failure is None:
            self._release(complete=complete)
            trace.body_done(BodyDoneInfo(complete=complete, tcp=tcp))
            return
        attach(failure, WireFacts("receive", sent=True, reused=self._reused))
        trace.failed(
            FailedInfo(phase="receive", error=failure, sent=True, reused=self._reused, tcp=tcp)
        )

    def _release(self, *, complete: bool) -> None:
        """Return the connection now: urllib3 would right after, too late for the trace to tell."""
        owner = self._owner()
        if complete and owner is not None:
            owner.release_conn()

    def _is_complete(self) -> bool:
        if self._method == "HEAD" or self.status in _WITHOUT_BODY:  # type: ignore[attr-defined]
            return True
        if self.chunked and self._closing:
            return getattr(self._owner(), "chunk_left", None) == 0
        if self.length is not None:
            return self.length == 0
        # Delimited by the connection's end: complete unless somebody closes it before.
        return not self._closing

    def _failure(self) -> BaseException | None:
        """Why the body was cut off; ``None`` when its reader just did not want the rest."""
        if self._reader is not None and self._reader.error is not None:
            return self._reader.error
        if self._reader is not None and self._reader.at_end:
            return http.client.IncompleteRead(b"", self.length)
        handled = sys.exc_info()[1]
        # A GeneratorExit is the reader leaving, through urllib3's generators too.
        return handled if isinstance(handled, Exception) and _is_of_the_reading(handled) else None


def _is_of_the_reading(error: BaseException) -> bool:
    """Whether ``error`` came up in the code that reads the body, and not in that which uses it."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    module = traceback.tb_frame.f_globals.get("__name__", "") if traceback is not None else ""
    return module.startswith(("urllib3.", "http.client"))


class _TracedReader(io.RawIOBase):
    """The socket's reads: counts them, tells of the first byte, keeps the error that ended them."""

    def __init__(
        self,
        raw: io.RawIOBase,
        trace: ClientTrace,
        sock: socket.socket,
        *,
        answered: bool,
        written_at: int,
    ) -> None:
        self._raw = raw
        self._client_trace = trace
        self._sock: socket.socket | None = sock
        self._answered = answered
        self._written_at = written_at
        """Epoch nanoseconds, the kernel's clock for what arrives."""
        self.meter = Meter()
        self.in_body = False
        self.at_end = False
        self.error: BaseException | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        began = time.monotonic()
        try:
            buffered = None if self.meter.reads else self._wait_for_the_first()
            size = self._raw.readinto(buffer)
        except BaseException as error:
            self.error = error
            raise
        if not size:
            self.at_end = True
            return size
        self.meter.count(size)
        if self.meter.reads == 1:
            self._client_trace.got_first_response_byte(GotFirstResponseByteInfo(buffered=buffered))
        if self.in_body:
            waited = self.meter.read_at - began
            self._client_trace.body_read(BodyReadInfo(size=size, waited=waited))
        return size

    def go_on(self, begun: Begun) -> None:
        """Count on where somebody else has stopped."""
        self.meter, self.in_body = begun.meter, begun.in_body
        self.at_end = begun.ended
        if begun.stage == "receive":
            self.error = begun.error
        if self.meter.reads or self.error is not None or begun.ended:
            self._sock = None

    def _wait_for_the_first(self) -> float | None:
        sock, self._sock = self._sock, None
        if sock is None:
            return None
        return wait_for_answer(sock, answered=self._answered, written_at=self._written_at)

    def close(self) -> None:
        self._raw.close()
        super().close()


def wait_for_answer(sock: socket.socket, *, answered: bool, written_at: int) -> float | None:
    """Wait for an answer; return how many seconds it has lain in the kernel by then.

    ``written_at`` is when its request was written, in epoch nanoseconds, the kernel's clock for
    what arrives.
    """
    keep_deadline(sock)
    arrived = arrival(sock, answered=answered)
    # What came before the request was written is no answer to it.
    if arrived is None or arrived < written_at:
        return None
    return max(0, time.time_ns() - arrived) / 1e9


class _Lines:
    """Reads the lines of a head for http.client, bounds them, and remembers the last one."""

    __slots__ = ("_reader", "_size", "last")

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._size = 0
        self.last: bytes | None = None

    def readline(self, limit: int) -> bytes:
        line: bytes = self._reader.readline(limit)
        self.last = line
        # An interim answer has a head of its own, and ends with an empty line as this one.
        self._size = self._size + len(line) if line.strip() else 0
        if self._size > MAX_HEAD_BYTES:
            raise TooLargeHead(f"the answer's head is larger than {MAX_HEAD_BYTES} bytes")
        return line

    def close(self) -> None:
        self._reader.close()
